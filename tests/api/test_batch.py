"""What the requests of one batch know of each other, and the clock of each."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest

from sims_analysis.api.batch import Batch, Failure, Overdue, Request
from sims_analysis.errors import ApiError, ConnectionFailed, StatusError, Unauthorized

REQUEST = Request("https://lab.example/sims/a", "data entry 'a'")


def refused():
    return Unauthorized("data entry 'a': 401", status_code=401, url=REQUEST.url)


def test_a_request_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REQUEST.url = "https://elsewhere.example/"
    assert REQUEST.message("no") == "data entry 'a': no (https://lab.example/sims/a)"


def test_a_refused_key_ends_a_batch_but_not_what_is_under_way():
    batch = Batch()
    batch.failed(refused(), unanswered=False)
    assert batch.is_over
    assert not batch.is_cancelled
    batch.exchange(REQUEST).check()
    other = batch.unasked("data entry 'b'")
    assert type(other) is Unauthorized
    assert str(other) == ("data entry 'b': not asked after what another met: data entry 'a': 401")


def test_the_second_in_a_row_without_an_answer_ends_a_batch():
    batch = Batch()
    for answered in (True, False):
        batch.failed(ConnectionFailed("no"), unanswered=True)
        assert not batch.is_over
        assert batch.retries(3) == 0
        if answered:
            batch.answered()
            assert batch.retries(3) == 3
    batch.failed(ConnectionFailed("no"), unanswered=True)
    assert batch.is_over
    assert batch.is_cancelled
    with pytest.raises(Failure) as caught:
        batch.exchange(REQUEST).check()
    assert type(caught.value.error) is ConnectionFailed


def test_a_failure_while_others_are_answered_is_one_of_the_entry():
    batch = Batch()
    for _ in range(5):
        batch.failed(StatusError("no", status_code=500, url=REQUEST.url), unanswered=False)
    assert not batch.is_over


def test_the_first_reason_stays():
    batch = Batch()
    batch.failed(refused(), unanswered=False)
    batch.failed(ConnectionFailed("no"), unanswered=True)
    batch.failed(ConnectionFailed("no"), unanswered=True)
    assert type(batch.unasked("b")) is Unauthorized


def test_nobody_waits_for_what_is_cancelled():
    batch = Batch()
    before = time.monotonic()
    batch.sleep(0.02)
    assert time.monotonic() - before >= 0.02
    threading.Timer(0.05, batch.cancel).start()
    batch.sleep(60)
    assert batch.is_over
    assert type(batch.unasked("data entry 'b'")) is ApiError
    assert "interrupted" in str(batch.unasked("data entry 'b'"))


def test_a_trouble_is_reported_once():
    batch = Batch()
    assert [batch.is_first_trouble() for _ in range(3)] == [True, False, False]


def test_the_clock_of_an_exchange_stands_still_while_it_waits_for_its_turn(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    class Turns(threading.Semaphore):
        def __enter__(self):
            now[0] += 50
            return super().__enter__()

    exchange = Batch(deadline=10).exchange(REQUEST)
    now[0] += 1000
    assert exchange.left == 10
    with exchange.turn(Turns()):
        assert (exchange.began, exchange.left) == (now[0], 10)
        now[0] += 4
        exchange.check()
    began = exchange.began
    with exchange.turn(Turns()):
        assert (exchange.began, exchange.left) == (began, 6)
    now[0] += 6
    with pytest.raises(Overdue):
        exchange.check()


def test_turns_are_given_back_after_an_error():
    turns = threading.Semaphore(1)
    exchange = Batch(deadline=10).exchange(REQUEST)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), exchange.turn(turns):
            raise ZeroDivisionError
    assert turns.acquire(blocking=False)
