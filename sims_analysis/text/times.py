"""Times in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime

from sims_analysis.errors import ApiError


def moment_of(text: str | datetime | None) -> datetime | None:
    """Read a time; one without a time zone is UTC. None if it is not a time."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def as_moment(value: str | datetime | None, name: str) -> datetime | None:
    """Read a limit that a user gave."""
    moment = moment_of(value)
    if value is not None and moment is None:
        raise ApiError(
            f"{name}={value!r} is not a time; expected ISO 8601, such as '2024-01-15'",
            argument=name,
        )
    return moment
