"""An application behind uvicorn, on a socket of its own."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import uvicorn

KEY = "k3y-of-the-running-server"


class Running:
    """An application behind uvicorn, on a socket of its own."""

    def __init__(self, app, **options):
        config = uvicorn.Config(app, log_level="critical", ws="none", **options)
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self):
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def connections(self):
        """How many there are."""
        return len(self._server.server_state.connections)

    def get(self, path, method="GET", key=KEY, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            headers["X-API-KEY"] = key
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.headers, body

    def json(self, path, **options):
        status, _, body = self.get(path, **options)
        assert status == 200, body
        return json.loads(body)
