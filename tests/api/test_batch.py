"""What the requests of one batch know of each other, and the clock of each."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest

from sims_analysis.api.requests import Batch, Failure, Overdue, Request
from sims_analysis.errors import ApiError, ConnectionFailed, StatusError, Unauthorized, collected

REQUEST = Request("https://lab.example/sims/a", "data entry 'a'")


def refused():
    return Unauthorized("data entry 'a': 401", status_code=401, url=REQUEST.url)


def test_a_request_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REQUEST.url = "https://elsewhere.example/"
    assert REQUEST.message("no") == "data entry 'a': no (https://lab.example/sims/a)"


def test_a_refused_key_ends_a_batch_but_not_what_is_under_way():
    batch = Batch()
    batch.failed(refused(), refused=True, unanswered=False)
    assert batch.is_over
    assert not batch.is_cancelled
    batch.exchange(REQUEST).check()
    other = batch.unasked("data entry 'b'")
    assert type(other) is Unauthorized
    assert str(other) == ("data entry 'b': not asked after what another met: data entry 'a': 401")


def test_the_second_in_a_row_without_an_answer_ends_a_batch():
    batch = Batch()
    for answered in (True, False):
        batch.failed(ConnectionFailed("no"), refused=False, unanswered=True)
        assert not batch.is_over
        assert batch.retries(3) == 0
        if answered:
            batch.answered()
            assert batch.retries(3) == 3
    batch.failed(ConnectionFailed("no"), refused=False, unanswered=True)
    assert batch.is_over
    assert batch.is_cancelled
    with pytest.raises(Failure) as caught:
        batch.exchange(REQUEST).check()
    assert type(caught.value.error) is ConnectionFailed


def test_a_failure_while_others_are_answered_is_one_of_the_entry():
    batch = Batch()
    for _ in range(5):
        error = StatusError("no", status_code=500, url=REQUEST.url)
        batch.failed(error, refused=False, unanswered=False)
    assert not batch.is_over


def test_the_first_reason_stays():
    batch = Batch()
    batch.failed(refused(), refused=True, unanswered=False)
    batch.failed(ConnectionFailed("no"), refused=False, unanswered=True)
    batch.failed(ConnectionFailed("no"), refused=False, unanswered=True)
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


def test_what_may_happen_to_all_is_warned_of_once():
    batch = Batch()
    with collected() as warned:
        for text in ("first", "second"):
            batch.warn_once("keeping", text)
        batch.warn_once("retry", "other")
    assert [str(warning) for warning in warned] == ["first", "other"]


def test_an_exchange_is_given_up_at_its_deadline(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    exchange = Batch(deadline=10).exchange(REQUEST)
    now[0] += 9
    exchange.check()
    assert (exchange.left, exchange.is_late) == (1, False)
    now[0] += 1
    assert exchange.is_late
    with pytest.raises(Overdue):
        exchange.check()
