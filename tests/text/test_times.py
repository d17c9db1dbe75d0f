"""Times that users and files write."""

from datetime import UTC, datetime

from error_parts import raises

from sims_analysis.errors import ApiError
from sims_analysis.text.times import as_moment, moment_of


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_keeps_it():
    noon = datetime(2024, 1, 15, 12, tzinfo=UTC)
    for text in ("2024-01-15T12:00", "2024-01-15T14:00+02:00", "2024-01-15T12:00Z"):
        assert moment_of(text) == noon
    assert moment_of(datetime(2024, 1, 15, 12)) == noon  # noqa: DTZ001 - that is the question


def test_a_text_that_is_no_time_is_refused_with_its_argument():
    assert moment_of("yesterday") is moment_of(None) is as_moment(None, "since") is None
    with raises(ApiError, argument="since"):
        as_moment("yesterday", "since")
