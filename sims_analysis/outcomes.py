"""What answers may be instead of ``ok``, and what is known of samples that makes them so.

:class:`Status` is the one table of statuses. Kernels return the codes, answers have the words, and
messages take the advice from it. Where several are true of an answer, the one with
the highest rank is its status; one without a rank, of answers that have no value, stays.

:class:`Flag` and :data:`KINDS` are the one table of what is known of samples besides values.
It travels with the data, as the coordinate ``<variable>_quality``; an answer that rests on such
samples has the status of their kind. A new status, and a new kind of evidence, are a row each.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple, Self


class Status(IntEnum):
    """Outcome of a computation: its code, its rank, its meaning, and what may be done."""

    rank: int
    meaning: str
    advice: str

    def __new__(cls, code: int, rank: int = 0, meaning: str = "", advice: str = "") -> Self:
        """Make one of the codes below, with its rank among those of answers that have a value."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.rank, member.meaning, member.advice = rank, meaning, advice
        return member

    @property
    def word(self) -> str:
        """The word of answers: ``"below_detection"``; empty for an entry that is not used."""
        return "" if self is Status.PADDING else self.name.lower()

    OK = 0, 1, "the answer holds as far as its error says"
    NO_DATA = 1, 0, "nothing was measured that could answer"
    #: It may be in a gap, or was cut off; below a limit it is still not reached.
    NEVER_REACHED = 2, 8, "the profile never reaches the level, or has no junction"
    ALWAYS_ABOVE = 3, 0, "the profile is above the level at all depths"
    BELOW_DETECTION = 4, 6, "the answer does not exceed its standard error, or its detection limit"
    TRUNCATED = (
        *(5, 5, "the record, or the window, ends inside what is asked for"),
        "start= and stop= choose what was measured, past the surface transient if it is one",
    )
    #: An empty entry: other profiles have more results than this one.
    PADDING = 6
    NO_OVERLAP = 7, 0, "the two were not measured at common depths"
    UNDETERMINED = (
        *(8, 3, "the samples do not determine the answer, its background, or some parameter"),
        "hold a parameter with fixed=, or take a simpler model",
    )
    SATURATED = (
        *(9, 11, "samples are equal to the last digit, as from a saturated detector"),
        "leave them out of the window",
    )
    GAP = (
        *(10, 10, "over more than five times their spacing there are no samples"),
        'gaps="bridge" accepts that',
    )
    WRONG_SHAPE = (
        *(11, 4, "the profile, or its background, does not have the shape that is assumed"),
        "background='fit', a window or another model may help",
    )
    BELOW_LIMIT = (
        *(12, 7, "the answer depends on samples below their limit of detection"),
        'gaps="bridge" accepts that',
    )
    TOO_FEW_SAMPLES = 13, 0, "fewer samples in the window than are needed"
    FEATURELESS = 14, 0, "a constant describes the samples as well"
    NOT_CONVERGED = 15, 0, "the optimizer did not find a minimum"
    AT_BOUND = (
        *(16, 0, "a parameter is at its bound"),
        "hold it with fixed=, or take a simpler model",
    )
    SEVERAL_PEAKS = (
        *(17, 0, "there is more than one maximum"),
        "start= and stop= choose a window about one",
    )
    TOO_FEW_MAXIMA = (
        *(18, 0, "fewer maxima than layers asked for stand out of the noise"),
        "repeat='auto' fits those that are there, of profiles that are not linked",
    )
    TOO_FEW_COUNTS = 19, 0, "no depth has 20 counts within the width of the resolution function"
    RESOLUTION_UNKNOWN = 20, 0, "the resolution function of this profile is not known"
    RESOLUTION_TOO_WIDE = (
        *(21, 0, "no profile blurred by this function agrees with what was measured"),
        "the function is too wide, the background too high, or the errors too small",
    )
    TWO_MARKERS = 22, 0, "two markers have no scatter about a line from which to estimate its error"
    BENT = 23, 0, "the markers do not lie on a straight line"
    SCALE_IN_DOUBT = (
        *(24, 2, "the values were multiplied by a factor whose own status was not ok"),
        "determine the factor anew, from samples without that",
    )
    INTERFERENCE = (
        *(25, 9, "isotopes are not in their natural ratio: another ion has the mass of one"),
        "combine() subtracts it by a signal of that ion, or take another isotope",
    )

    @property
    def explanation(self) -> str:
        """What it means, and what may be done, for messages."""
        return f"{self.meaning}; {self.advice}" if self.advice else self.meaning


def words() -> list[str]:
    """List the words of all statuses, in the order of their codes."""
    return [status.word for status in Status]


class Flag(IntFlag):
    """What is known of a sample, as bits of the coordinate ``<variable>_quality``.

    A gap has two sides: the sample before it has ``GAP_AFTER``, the one after it ``GAP_BEFORE``,
    and depths inside of it, which have no value, have both.
    """

    GAP_BEFORE = 1
    GAP_AFTER = 2
    SATURATED = 4
    BELOW_LIMIT = 8
    PLACEHOLDER = 16
    TRANSIENT = 32
    RESTORED = 64
    SCALE_IN_DOUBT = 128
    TRUNCATED = 256


class Kind(NamedTuple):
    """A kind of evidence: its flags, and the status of answers that rest on samples with one.

    Without a status it is listed by :func:`sims_analysis.quality` alone. ``text`` is what a warning
    says of the longest run of such samples: from ``first`` to ``last``, between the neighbours
    ``low`` and ``high``, which are ``width`` apart, in ``axis_units``; ``meaning`` is that of the
    kind, ``height`` their limit or value, after a comma, and ``more`` in how many more places there
    are some. Of samples without a value, ``what`` says that the answer goes across them. Figures
    mark samples whose kind is ``marked``, as their legends then say, by a ``marker``.
    """

    name: str
    flags: Flag
    status: Status | None
    meaning: str
    text: str = "samples from {first:g} to {last:g} {axis_units}{more}: {meaning}"
    marked: str = ""
    marker: str = "x"


GAP = Flag.GAP_BEFORE | Flag.GAP_AFTER

#: Every kind of evidence.
KINDS = (
    Kind(
        "gap",
        GAP,
        Status.GAP,
        "nothing was measured between two samples",
        "no sample between {low:g} and {high:g} {axis_units} ({width:g} {axis_units}){more}; "
        "{what}",
    ),
    Kind(
        "saturated",
        Flag.SATURATED,
        Status.SATURATED,
        "the detector wrote its largest number",
        "samples from {first:g} to {last:g} {axis_units}{more}{height}: equal to the last digit, "
        "as from a saturated detector, or made from such; the answer depends on samples that "
        "were cut off",
        marked="saturated detector",
        marker="^",
    ),
    Kind(
        "below_limit",
        Flag.BELOW_LIMIT,
        Status.BELOW_LIMIT,
        "below the limit of detection that the file states",
        "the samples from {first:g} to {last:g} {axis_units}{more} are below their limit of "
        "detection{height}; {what}",
    ),
    Kind("placeholder", Flag.PLACEHOLDER, None, "a cycle without a number"),
    Kind("transient", Flag.TRANSIENT, None, "of the surface transient"),
    Kind("truncated", Flag.TRUNCATED, None, "where the record begins or ends inside the profile"),
    Kind("restored", Flag.RESTORED, None, "known to the achieved resolution"),
    Kind(
        "scale_in_doubt",
        Flag.SCALE_IN_DOUBT,
        Status.SCALE_IN_DOUBT,
        "multiplied by a factor whose own status was not ok",
        "the values were multiplied by a factor from an integral that was not ok (over a gap, "
        "saturated samples or a surface transient, or too short a record): all of them may be too "
        "high, or too low, alike",
    ),
)
