"""Times in ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from sims_analysis.errors import ApiError

_LOCAL_DATE = re.compile(r"(\d\d?)([./])(\d\d?)\2(\d{4})(.*)")
#: How a date is written, for messages.
A_DATE = (
    "ISO 8601, such as 2026-03-02; 02.03.2026 may be in February or in March, unless others like "
    "it show which, all alike"
)


def moment_of(text: str | datetime | None) -> datetime | None:
    """Read a time; one without a time zone is UTC. None if it is not a time."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def latest(times: Iterable[str | None]) -> str | None:
    """Return the latest of ISO 8601 times, as written; a naive one is UTC."""
    by_moment = {moment: text for text in times if (moment := moment_of(text))}
    return by_moment[max(by_moment)] if by_moment else None


def as_moment(value: str | datetime | None, name: str) -> datetime | None:
    """Read a limit that a user gave."""
    moment = moment_of(value)
    if value is not None and moment is None:
        raise ApiError(
            f"{name}={value!r} is not a time; expected ISO 8601, such as '2024-01-15'",
            argument=name,
        )
    return moment


def iso_dates(texts: Iterable[str]) -> list[str]:
    """Write dates such as 13.03.2026 in ISO 8601, if one like it shows where the day stands."""
    texts = list(texts)
    every = [_LOCAL_DATE.fullmatch(text) for text in texts]
    for mark in "./":
        dates = {i: match for i, match in enumerate(every) if match and match[2] == mark}
        days = {place for match in dates.values() for place in (1, 3) if int(match[place]) > 12}
        if len(days) == 1:
            (day,) = days
            for i, date in dates.items():
                hour = re.sub(r"^ (?=\d:)", " 0", date[5])
                texts[i] = f"{date[4]}-{date[4 - day]:>02}-{date[day]:>02}{hour}"
    return texts
