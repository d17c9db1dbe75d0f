"""Many entries: what befalls one, the others, and what is handed on meanwhile."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
import weakref

import httpx
import pytest
from error_parts import raises, warns
from faulty_server import KEY, REFERENCE, FaultyServer, raw
from waits import fetching_has_ended, wait_until

from sims_analysis.api import retries
from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.api.requests import Batch
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    ApiError,
    ConnectionFailed,
    PartialResultsError,
    RateLimited,
    RequestTimeout,
    SimsWarning,
    StatusError,
    Unauthorized,
)

ENDPOINT = "https://lab.example/"
#: What is warned of is tested with what warns.
pytestmark = pytest.mark.filterwarnings("ignore:.*retried", "ignore:the server limits")

MANY = [f"id-{i}" for i in range(500)]


@pytest.fixture
def no_patience(monkeypatch):
    """Let a retry follow at once."""
    monkeypatch.setattr(retries, "PAUSES", (0.0, 0.0))


def body_of(data_id):
    return json.dumps([json.loads(REFERENCE)[0] | {"data_id": data_id}]).encode()


def _own(_n, data_id):
    return httpx.Response(200, content=body_of(data_id))


class Api:
    """Answers every id with its own data, unless `answer` is given."""

    def __init__(self, answer=None):
        self.requests = []
        self.lock = threading.Lock()
        self.answer = answer or (_own)

    def __call__(self, request):
        with self.lock:
            self.requests.append(request)
            n = len(self.requests)
        return self.answer(n, request.url.path.rpartition("/")[2])

    def client(self, **options):
        return Client(KEY, endpoint=ENDPOINT, transport=httpx.MockTransport(self), **options)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_sent_once(status):
    def refuse(*_):
        time.sleep(0.02)  # long enough for others to be sent meanwhile
        return httpx.Response(status)

    api = Api(refuse)
    results = api.client().get(MANY, errors="collect")
    assert len(api.requests) == 1
    assert {type(r) for r in results} == {Unauthorized}
    for data_id, error in zip(MANY, results, strict=True):
        assert f"data entry '{data_id}'" in str(error)
        assert error.status_code == status
    assert (
        sum("not requested after the failure of another: data entry" in str(r) for r in results)
        == 499
    )
    with raises(Unauthorized, data_id="id-0"):
        api.client().get(MANY)


@pytest.mark.parametrize(
    "after", ["9" * 400, "99999999", "Fri, 31 Dec 9999 23:59:59 GMT"], ids=["digits", "s", "date"]
)
def test_an_absurd_wait_does_not_block_a_client_for_ever(after, monkeypatch):
    api = Api(lambda *_: httpx.Response(429, headers={"Retry-After": after}))
    client = api.client()
    with pytest.raises(RateLimited):
        client.get("a")
    with raises(RateLimited, data_id="a"):
        client.get("a")
    later = time.monotonic() + 121
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with raises(RateLimited, data_id="a"):
        client.get("a")


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, StatusError)])
@pytest.mark.usefixtures("no_patience")
def test_up_to_two_minutes_are_waited_and_not_more(status, kind, monkeypatch):
    slept = []
    monkeypatch.setattr(Batch, "sleep", lambda _, seconds: slept.append(seconds))

    def answer(after):
        def answered(n, data_id):
            if n == 1:
                return httpx.Response(status, headers={"Retry-After": after})
            return _own(n, data_id)

        return answered

    assert Api(answer("120")).client().get("a")[0].species == ["Si"]
    assert slept[0] == 120
    slept.clear()
    api = Api(answer("121"))
    client = api.client(deadline=1e6)
    with pytest.raises(kind) as caught:
        client.get("a")
    assert type(caught.value) is kind
    with raises(RateLimited, data_id="a"):
        client.get("a")
    assert (len(api.requests), slept) == (1, [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_in_the_middle_loses_nothing_that_arrived(status):
    def answer(n, data_id):
        return httpx.Response(*([status] if n == 20 else [200]), content=body_of(data_id))

    api = Api(answer)
    results = api.client().get(MANY, errors="collect")
    good = [r for r in results if isinstance(r, SIMSResult)]
    assert len(good) == len(api.requests) - 1
    assert {type(r) for r in results} == {SIMSResult, Unauthorized}
    if status == 403:
        assert len(good) == 499, "the others may be seen"
        (error,) = [r for r in results if isinstance(r, Unauthorized)]
        assert str(error).endswith("; this key may not see it")
    else:
        assert 19 <= len(good) < 19 + 10


@pytest.mark.slow
def test_one_retry_after_makes_the_others_wait():
    times = []

    def answer(n, data_id):
        times.append(time.monotonic())
        if n == 4:
            return httpx.Response(429, headers={"Retry-After": "1"})
        time.sleep(0.02)
        return httpx.Response(200, content=body_of(data_id))

    assert len(Api(answer).client(max_connections=4).get(MANY[:12])) == 12
    assert not [t for t in times if times[3] + 0.5 < t < times[3] + 0.95]


@pytest.mark.slow
def test_a_batch_at_two_a_second_arrives_whole():
    """A server that counts: two requests in each second, others get 429."""
    seconds, slow = {}, 0.25  # a quarter of the time, at four times the rate

    def answer(n, data_id):
        now = int(time.monotonic() / slow)
        with api.lock:
            seconds[now] = seconds.get(now, 0) + 1
            if seconds[now] > 2:
                # No server says less than a second, but it takes a minute then.
                return httpx.Response(429, headers={"Retry-After": "1"})
        return httpx.Response(200, content=body_of(data_id))

    api = Api(answer)
    results = api.client().get(MANY[:6])
    assert [r.data_id for r in results] == MANY[:6]


def test_a_wait_beyond_the_deadline_is_an_error_at_once():
    api = Api(lambda *_: httpx.Response(429, headers={"Retry-After": "100"}))
    began = time.monotonic()
    results = api.client(deadline=50).get(MANY[:50], errors="collect")
    assert time.monotonic() - began < 50, "nothing was waited for"
    assert {type(r) for r in results} == {RateLimited}
    assert all(99 < r.retry_after <= 100 for r in results)
    assert len(api.requests) <= 2


@pytest.mark.slow
def test_a_dead_server_ends_a_batch_after_the_patience_for_one():
    with FaultyServer(raw(then="stall")) as server:
        client = Client(KEY, endpoint=server.url, timeout=0.2, retries=1)
        results = client.get(MANY, errors="collect")
        assert len(server.received) < 12 + 3 * 8
    assert {type(r) for r in results} == {RequestTimeout}
    assert "'id-499': not requested" in str(results[-1])


@pytest.mark.usefixtures("no_patience")
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (lambda: httpx.Response(503), StatusError),
        (lambda: httpx.ReadTimeout(""), RequestTimeout),
        (lambda: httpx.ConnectError(""), ConnectionFailed),
    ],
)
@pytest.mark.parametrize("answered", [0, 3])
def test_two_in_a_row_without_an_answer_end_a_batch(failure, kind, answered):
    """The first is retried, as often as asked for; the second is not."""

    def answer(n, data_id):
        outcome = _own(n, data_id) if n <= answered else failure()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    api = Api(answer)
    results = api.client(retries=4, max_connections=1).get(MANY[:20], errors="collect")
    assert len(api.requests) == answered + 5 + 1
    assert [type(r) for r in results] == [SIMSResult] * answered + [kind] * (20 - answered)


@pytest.mark.usefixtures("no_patience")
def test_an_answer_between_failures_goes_on_with_the_batch():
    def answer(n, data_id):
        if n % 2:
            raise httpx.ReadTimeout("")
        return _own(n, data_id)

    results = Api(answer).client(retries=0, max_connections=1).get(MANY[:8], errors="collect")
    assert [type(r) for r in results] == [RequestTimeout, SIMSResult] * 4


@pytest.mark.slow
def test_answers_that_take_a_while_are_waited_for():
    def answer(n, data_id):
        time.sleep(0.3)
        return _own(n, data_id)

    assert [r.data_id for r in Api(answer).client().get(["a", "b"])] == ["a", "b"]


def test_an_entry_that_fails_is_no_dead_server():
    """Every second entry cannot be made by the server, which says so; the others arrive."""

    def answer(n, data_id):
        bad = int(data_id.partition("-")[2]) % 2
        return httpx.Response(500 if bad else 200, content=b"" if bad else body_of(data_id))

    results = Api(answer).client(retries=0).get(MANY[:40], errors="collect")
    assert [type(r) for r in results] == [SIMSResult, StatusError] * 20


@pytest.mark.usefixtures("no_patience")
@pytest.mark.parametrize("width", [1, 8])
def test_one_entry_that_stalls_costs_no_other(width):
    def answer(n, data_id):
        if data_id == "id-0":
            raise httpx.ReadTimeout("")
        return _own(n, data_id)

    client = Api(answer).client(retries=1, max_connections=width)
    results = client.get(MANY[:30], errors="collect")
    assert [type(r) for r in results] == [RequestTimeout] + [SIMSResult] * 29


# ---- iter


def test_results_are_handed_on_as_they_arrive():
    gate = threading.Event()

    def answer(n, data_id):
        if data_id == "id-1":
            gate.wait(10)
        return httpx.Response(200, content=body_of(data_id))

    arriving = Api(answer).client().iter(MANY[:10])
    first = [next(arriving).data_id for _ in range(9)]
    assert "id-1" not in first
    gate.set()
    assert [r.data_id for r in arriving] == ["id-1"]


def test_few_results_are_in_memory_at_a_time():
    seen = []
    most = 0
    api = Api()
    for result in api.client(max_connections=2).iter(MANY[:50]):
        seen.append(weakref.ref(result))
        most = max(most, sum(ref() is not None for ref in seen))
        del result
    assert len(seen) == 50
    assert most <= 3


def test_fetching_waits_for_the_consumer():
    api = Api()
    arriving = api.client(max_connections=2).iter(MANY)
    next(arriving)
    time.sleep(0.1)
    assert len(api.requests) < 20
    arriving.close()
    wait_until(fetching_has_ended)


def test_iter_raises_when_all_others_were_handed_on(approved):
    def answer(n, data_id):
        return httpx.Response(404 if data_id == "id-3" else 200, content=body_of(data_id))

    client = Api(answer).client()
    got = []
    with raises(PartialResultsError, text=approved) as caught:
        got.extend(client.iter(MANY[:10]))
    assert len(got) == 9
    assert "'id-3'" in str(caught.value.results[0])
    outcomes = list(client.iter(MANY[:10], errors="collect"))
    assert len(outcomes) == 10
    with raises(ApiError, argument="errors"):
        client.iter("a", errors="ignore")


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path):
    api = Api()
    client = api.client(archive=tmp_path, max_connections=2)
    for n, _ in enumerate(client.iter(MANY[:50])):
        if n == 9:
            break
    wait_until(fetching_has_ended)
    kept = len(Archive(tmp_path))
    assert 10 <= kept < 30
    before = len(api.requests)
    assert len(client.get(MANY[:50])) == 50
    assert len(api.requests) - before == 50 - kept


@pytest.mark.usefixtures("no_patience")
def test_retries_are_logged_once_a_wait(caplog):
    caplog.set_level(logging.INFO, "sims_analysis")
    answers = iter([503, 503])

    def answer(n, data_id):
        return httpx.Response(next(answers, 200), content=body_of(data_id))

    Api(answer).client().get("a")
    messages = [record.getMessage() for record in caplog.records if "sims_analysis" in record.name]
    assert len(messages) == 2
    assert all("503" in text and "trying again in" in text for text in messages)
    assert KEY not in "".join(messages)


# ---- validators


class Versioned:
    """A server with validators."""

    def __init__(self, **validators):
        self.version, self.validators, self.requests = 1, validators, []

    def __call__(self, request):
        self.requests.append(dict(request.headers))
        tag = f'"v{self.version}"'
        if request.headers.get("If-None-Match") == tag:
            return httpx.Response(304)
        if request.headers.get("If-Modified-Since") == self.validators.get("Last-Modified", ""):
            return httpx.Response(304)
        body = body_of("a").replace(b'"Si"', f'"S{self.version}"'.encode())
        headers = self.validators or {"ETag": tag}
        return httpx.Response(200, content=body, headers=headers)

    def client(self, path, endpoint=ENDPOINT):
        transport = httpx.MockTransport(self)
        return Client(KEY, endpoint=endpoint, archive=path, transport=transport)


def test_refresh_asks_whether_it_has_changed(tmp_path):
    api = Versioned()
    client = api.client(tmp_path)
    (first,) = client.get("a")
    (again,) = client.get("a", refresh=True)
    assert api.requests[1]["if-none-match"] == '"v1"'
    assert again.species == first.species
    assert again.provenance == first.provenance
    api.version = 2
    assert client.get("a", refresh=True)[0].species == ["S2"]
    assert len(client.archive.versions("a")) == 2
    assert client.archive.record("a").etag == '"v2"'


def test_refresh_by_the_time_of_the_last_change(tmp_path):
    api = Versioned(**{"Last-Modified": "Mon, 15 Jan 2024 10:35:00 GMT"})
    client = api.client(tmp_path)
    client.get("a")
    assert client.get("a", refresh=True)[0].species == ["S1"]
    assert api.requests[1]["if-modified-since"] == "Mon, 15 Jan 2024 10:35:00 GMT"


def test_what_is_damaged_or_from_elsewhere_is_fetched_whole(tmp_path):
    api = Versioned()
    api.client(tmp_path).get("a")
    api.client(tmp_path, "https://other.example/").get("a", refresh=True)
    assert "if-none-match" not in api.requests[-1]
    (payload,) = tmp_path.rglob("payload.json")
    payload.write_bytes(b"[]")
    assert api.client(tmp_path).get("a", refresh=True)[0].species == ["S1"]
    assert "if-none-match" not in api.requests[-1]
    assert api.client(tmp_path, ENDPOINT).get("a")[0].species == ["S1"]


def test_an_unexpected_304_is_an_error(tmp_path):
    client = Client(
        KEY, endpoint=ENDPOINT, transport=httpx.MockTransport(lambda _: httpx.Response(304))
    )
    with raises(StatusError, data_id="a"):
        client.get("a")


@pytest.mark.parametrize("etag", ["x\r\nEvil: yes", "x" * 5000, 5, ["x"], "\x1b"])
def test_a_validator_that_is_none_is_not_sent(tmp_path, etag):
    api = Versioned()
    client = api.client(tmp_path)
    client.get("a")
    (file,) = tmp_path.rglob("record.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"etag": etag}))
    client.get("a", refresh=True)
    assert "if-none-match" not in api.requests[-1]
    assert "evil" not in api.requests[-1]


# ---- what cannot be kept


def test_what_cannot_be_kept_is_returned_with_a_warning(tmp_path):
    (tmp_path / "archive").write_text("a file")
    client = Api().client(archive=tmp_path / "archive")
    with warns(SimsWarning, "failed_write") as caught:
        results = client.get(MANY[:5])
    assert [r.data_id for r in results] == MANY[:5]
    assert len(caught) == 1
    with pytest.warns(SimsWarning):
        assert list(client.iter(MANY[:3], errors="collect"))


def test_what_the_catalogue_says_is_kept_of_others_than_a_damaged_entry(tmp_path):
    archive = Archive(tmp_path)
    Api().client(archive=archive).get(MANY[:3])
    shutil.rmtree(archive.folder(MANY[0]))
    archive.folder(MANY[0]).symlink_to(archive.folder(MANY[1]))
    rows = [{"data_id": i, "char_source_type": "sims"} for i in ["", *MANY[:3]]]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=rows))
    client = Client(KEY, endpoint=ENDPOINT, transport=transport, archive=archive)
    with warns(SimsWarning, "unreadable_archive") as caught:
        assert len(client.search()) == 4
    assert [archive.catalogue(i)["data_id"] for i in MANY[1:3]] == MANY[1:3]
    assert "more" not in str(caught[0].message)
    shutil.rmtree(archive.folder(MANY[2]))
    archive.folder(MANY[2]).symlink_to(archive.folder(MANY[1]))
    with warns(SimsWarning, "unreadable_archive"):
        client.search()
