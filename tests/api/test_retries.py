"""Attempts, and the patience that a server asks for."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sims_analysis.api import retries
from sims_analysis.api.requests import Batch, Failure, Request
from sims_analysis.api.retries import Server, requested_wait, with_retries
from sims_analysis.errors import ApiError, collected


@pytest.fixture
def request_(monkeypatch):
    """A request of ten seconds whose sleeps are counted, by a clock that stands still."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(retries.random, "uniform", lambda _, high: high)
    batch = Batch(deadline=10.0)
    batch.slept = []
    batch.sleep = batch.slept.append
    return Request("https://lab.example/sims/a", "data entry 'a'", batch)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("7", 7.0), (" 0 ", 0.0), ("-1", None), ("1.5", None), ("", None),
     ("soon", None), ("9" * 400, float("inf")), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_in_seconds(header, seconds):
    assert requested_wait(header) == seconds


@pytest.mark.parametrize("zone", [UTC, None])
def test_retry_after_as_a_date(zone):
    until = datetime.now(UTC) + timedelta(seconds=100)
    wait = requested_wait(format_datetime(until.replace(tzinfo=zone)))
    assert 98 <= wait <= 100


@pytest.mark.parametrize("seconds", [3.0, 9.5])
def test_all_wait_for_a_server_that_asks_for_a_pause(request_, seconds):
    server = Server()
    server.wait(request_)
    assert request_.batch.slept == []
    with collected() as warned:
        server.pause(seconds, request_)
        server.pause(seconds, request_)
        server.pause(1.0, request_)  # less than it said before
    (warning,) = warned
    assert f"asks for a pause of {seconds:.0f} s" in str(warning)
    server.wait(request_)
    assert request_.batch.slept == [seconds + 0.5]


def attempts(*outcomes):
    """Make an attempt that ends in one outcome after the other."""
    left = list(outcomes)

    def attempt():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    attempt.left = left
    return attempt


def failure(*, retryable=True, after=0.0):
    return Failure(ApiError("no"), retryable=retryable, after=after)


def test_a_pause_requested_by_the_server_is_no_retry(request_):
    attempt = attempts(*(failure(after=2.0) for _ in range(3)), "answer")
    assert with_retries(attempt, 0, request_) == "answer"
    assert all(2.25 <= wait <= 10.0 for wait in request_.batch.slept)


def test_the_second_retry_is_warned_of_once_for_all(request_):
    with collected() as warned:
        with_retries(attempts(failure(), "answer"), 3, request_)
        assert warned == []
        with_retries(attempts(failure(), failure(), failure(), "answer"), 3, request_)
        with_retries(attempts(failure(), failure(), failure(), "answer"), 3, request_)
    assert [str(warning) for warning in warned] == ["no; retried"]
    assert request_.batch.slept == [0.5, *[0.5, 1.0, 2.0] * 2]
