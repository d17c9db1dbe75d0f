"""Name lookup and addresses: given up in time, and interrupted, whatever the system does."""

from __future__ import annotations

import socket
import threading
import time

import httpcore
import pytest
from faulty_server import KEY, OF_ANY_ENTRY, FaultyServer, reply
from waiting import interrupt_when

from sims_analysis.api import network
from sims_analysis.api.client import Client
from sims_analysis.api.network import PunctualBackend, until
from sims_analysis.errors import ConnectionFailed, PartialResultsError, RequestTimeout

real = socket.getaddrinfo


@pytest.fixture
def silent(monkeypatch):
    """A name server that does not answer: it is asked until it has given up by itself."""
    asked, gave_up = threading.Event(), threading.Event()
    ended = threading.Event()

    def look_up(host, *args, **options):
        if host != "lab.example":
            return real(host, *args, **options)
        asked.set()
        if not ended.wait(30):
            gave_up.set()
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked, gave_up
    ended.set()


def client(**options):
    return Client(KEY, endpoint="https://lab.example/", **options)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"deadline": 0.3}, {"timeout": 0.3, "retries": 0}])
def test_a_name_server_that_does_not_answer_is_given_up(silent, options):
    _, gave_up = silent
    with pytest.raises(RequestTimeout, match=r"looking up lab.example takes more than 0\.[23]"):
        client(**options).get("a")
    assert not gave_up.is_set()


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"]])
def test_an_interrupt_does_not_wait_for_a_name_server(silent, ids):
    asked, gave_up = silent
    interrupt_when(asked.is_set)
    with pytest.raises(KeyboardInterrupt):
        client().get(ids)
    assert not gave_up.is_set()


def test_a_name_that_nobody_has_is_an_error_of_the_connection(monkeypatch):
    def look_up(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(ConnectionFailed, match=r"lab.example: Name or service not known"):
        client(retries=0).get("a")
    with pytest.raises(PartialResultsError, match="3 of 3"):
        client(retries=0).get(["a", "b", "c"])


def test_a_lookup_gives_numbers_and_takes_no_longer_than_it_may(silent):
    assert network._looked_up("127.0.0.1", 80, 5.0) == ["127.0.0.1"]
    with pytest.raises(httpcore.ConnectTimeout) as caught:
        network._looked_up("lab.example", 80, 0.02)
    assert str(caught.value) == "looking up lab.example takes more than 0.02 s"


@pytest.mark.parametrize(
    ("error", "told"), [(OSError(5, "No name"), "No name"), (OSError("odd"), "odd")]
)
def test_a_lookup_that_fails_has_the_reason_of_the_system(error, told, monkeypatch):
    def look_up(*_, **__):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(httpcore.ConnectError) as caught:
        network._looked_up("lab.example", 80, 5.0)
    assert str(caught.value) == f"lab.example: {told}"


def test_a_host_without_an_address_is_named(monkeypatch):
    addresses(monkeypatch)
    with pytest.raises(httpcore.ConnectError, match=r"^lab\.example has no address$"):
        PunctualBackend(30).connect_tcp("lab.example", 80, 5.0)


@pytest.mark.parametrize("late", [0.0, 1.0])
def test_nothing_is_begun_after_the_deadline(monkeypatch, late):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with (
        until(now - late),
        pytest.raises(httpcore.ReadTimeout, match=r"^the deadline has passed$"),
    ):
        PunctualBackend(30).connect_tcp("127.0.0.1", 9, 5.0)


class Clock:
    """Stands still, but for what takes time by itself."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def dead(self, given):
        """An address that does not answer: who connects waits as long as he is willing to."""

        def connect_tcp(_, host, port, timeout=None, *args):
            given.append((host, timeout))
            self.now += timeout
            raise httpcore.ConnectTimeout("timed out")

        return connect_tcp


def addresses(monkeypatch, *hosts):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in hosts]
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_, **__: found)


def test_all_addresses_of_a_host_share_the_time(monkeypatch):
    given = []
    clock = Clock(monkeypatch)
    addresses(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", clock.dead(given))
    with pytest.raises(
        httpcore.ConnectTimeout, match=r"no address of lab\.example answers within 5 s"
    ):
        PunctualBackend(30).connect_tcp("lab.example", 80, 5.0)
    assert [host for host, _ in given] == ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]
    assert [seconds for _, seconds in given] == pytest.approx([1.25] * 4)
    given.clear()
    with until(clock.now + 2), pytest.raises(httpcore.ConnectTimeout):
        PunctualBackend(30).connect_tcp("lab.example", 80, 5.0)
    assert sum(seconds for _, seconds in given) == pytest.approx(2)


def test_what_an_address_refuses_at_once_the_next_has_for_itself(monkeypatch):
    given = []

    def refuse(_, host, port, timeout=None, *args):
        given.append(timeout)
        raise httpcore.ConnectError("refused")

    Clock(monkeypatch)
    addresses(monkeypatch, "127.0.0.2", "127.0.0.3")
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", refuse)
    with pytest.raises(httpcore.ConnectError, match="refused"):
        PunctualBackend(30).connect_tcp("lab.example", 80, 4.0)
    assert given == [2.0, 4.0]


def test_the_last_address_that_answers_is_taken(monkeypatch):
    with FaultyServer(reply(OF_ANY_ENTRY)) as server:
        given = lambda host: (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, server.port))  # noqa: E731
        numbers = {"lab.example": ["127.0.0.9", "127.0.0.8", "127.0.0.1"]}
        monkeypatch.setattr(
            network.socket,
            "getaddrinfo",
            lambda host, *_, **__: [given(number) for number in numbers.get(host, [host])],
        )
        url = f"http://lab.example:{server.port}/"
        (result,) = Client(KEY, endpoint=url, allow_http=True, retries=0).get("a")
    assert result.species == ["Si"]


@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_patience_without_end_is_patience(option):
    with FaultyServer(reply(OF_ANY_ENTRY)) as server:
        options = {option: 1e10}
        assert Client(KEY, endpoint=server.url, **options).get("a")[0].species == ["Si"]
        both = Client(KEY, endpoint=server.url, timeout=10**300, deadline=1e300)
        assert both.get("a")[0].species == ["Si"]
