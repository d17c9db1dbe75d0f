"""A server that misbehaves by script, over real sockets."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

#: The example of the API's reference.
REFERENCE = (
    b'[{"data_id": "d290f1ee-6c54-4b01-90e6-d701748f0851", "id": "sims_001", '
    b'"processed_data_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "species_name": "Si", '
    b'"depths": [0, 10, 20, 30, 40], "depth_units": "nm", '
    b'"concentrations": [1.2e18, 3.4e18, 5.1e18, 2.0e18, 8.0e17], '
    b'"concentration_units": "atoms/cm^3", "species_metadata": {}, '
    b'"last_updated": "2024-01-15T10:35:00Z"}]'
)
REFERENCE_ID = "d290f1ee-6c54-4b01-90e6-d701748f0851"
#: The same without an id: an answer for every entry.
OF_ANY_ENTRY = REFERENCE.replace(b'"data_id": "%b", ' % REFERENCE_ID.encode(), b"")

#: Long enough to be one, and to be looked for.
KEY = "k3y-that-nobody-may-see"


def profiles(data_id: str, *species: str) -> bytes:
    """Give the example of the API's reference for some species of an entry."""
    example = json.loads(REFERENCE)[0]
    return json.dumps([example | {"data_id": data_id, "species_name": s} for s in species]).encode()


@dataclass
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]


#: What to do with a connection on which a request has come; True keeps it open.
Action = Callable[[socket.socket, threading.Event], bool]


def reply(
    body: bytes = REFERENCE,
    status: int = 200,
    *,
    content_type: str = "application/json",
    length: int | None = None,
    **headers: str,
) -> Action:
    """Answer; with a wrong length, say so and hang up."""
    lines = {"Content-Type": content_type, "Content-Length": str(length or len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    whole = length is None

    def act(connection: socket.socket, stop: threading.Event) -> bool:
        connection.sendall(f"HTTP/1.1 {status} Because\r\n{head}\r\n".encode() + body)
        return whole

    return act


def raw(*pieces: bytes, pause: float = 0.0, then: str = "close") -> Action:
    """Send bytes as they are, and then close, reset or stall."""

    def act(connection: socket.socket, stop: threading.Event) -> bool:
        for piece in pieces:
            connection.sendall(piece)
            if pause and stop.wait(pause):
                break
        if then == "stall":
            stop.wait(600)
        elif then == "reset":
            time.sleep(0.05)  # let what was sent arrive before it is thrown away
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return act


def head(length: int, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{lines}\r\n".encode()


def bomb(size: int, layers: int = 1) -> bytes:
    """Zeros, compressed."""
    body = gzip.compress(bytes(size), 1)
    for _ in range(layers - 1):
        body = gzip.compress(body, 1)
    return body


class FaultyServer:
    """Plays one action a request, in order; the last one again and again.

    Parameters
    ----------
    *script
        What to do with the first request, with the second...
    tls : ssl.SSLContext, optional
        Speak https.
    """

    def __init__(self, *script: Action, tls: ssl.SSLContext | None = None) -> None:
        self._script = list(script)
        self._tls = tls
        self.received: list[Received] = []
        self.connections = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.close()

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.received]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                connection, _ = self._listener.accept()
                self.connections += 1
                if self._tls is not None:
                    try:
                        connection = self._tls.wrap_socket(connection, server_side=True)
                    except OSError:
                        continue
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            pending = b""
            while not self._stop.is_set():
                while b"\r\n\r\n" not in pending:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    pending += piece
                text, _, pending = pending.partition(b"\r\n\r\n")
                first, *lines = text.decode("latin-1").split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines)
                with self._lock:
                    self.received.append(Received(first.split(" ")[1], headers))
                    action = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                if not action(connection, self._stop):
                    return
