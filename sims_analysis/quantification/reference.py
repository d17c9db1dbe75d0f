"""Division by a reference signal, which has samples of its own."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.canonical import first_of, species_of
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError
from sims_analysis.frame.background import mean_over
from sims_analysis.frame.evidence import Evidence, at, support_of_window, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, first_sample
from sims_analysis.frame.run import anywhere
from sims_analysis.frame.window import Window
from sims_analysis.kernels.evidence import support_of_points
from sims_analysis.kernels.rows import Array, Dense, Flags
from sims_analysis.outcomes import GAP, Flag
from sims_analysis.text.arguments import format_argument, read_name

_PLACES = "__places__"
#: Samples that drop out are below others by so many times the scatter of neighbours, of as many.
_DROP_ERRORS, _MIN_SAMPLES = 8.0, 10


class Reference(NamedTuple):
    """A reference signal at the samples of all species; NaN where there is none."""

    value: xr.Variable
    #: Of a single sample; and that by which errors of neighbours, which share samples of the
    #: reference, add up in a sum as if independent.
    stderr: xr.Variable | None
    of_sums: xr.Variable | None
    #: Samples in its gaps, and those made of samples that dropped out.
    bridged: xr.Variable
    dropped: xr.Variable


def column(
    term: str, end: str, unit: str, values: xr.Variable, order: Sequence[Any]
) -> xr.Variable:
    """Return values, or by the end of its name what is beside them, with attrs, in order."""
    attrs = vocabulary.ancillary_attrs(term, end, unit) if end else vocabulary.attrs(term, unit)
    ordered = values.transpose(*order, missing_dims="ignore")
    return xr.Variable(ordered.dims, ordered.data, attrs)


def measured_in(
    data: xr.Dataset,
    variable: str | None,
    *species: str,
    names: Sequence[str] = vocabulary.MEASURED,
) -> str:
    """Return the first variable in which all of some species are measured; of none, any of them."""

    def fits(name: str) -> bool:
        array = data[name]
        if "species" not in array.dims or array.chunks is not None:
            return "species" in array.dims
        rows = [array.sel(species=s) for s in species] or [array]
        return all(bool(row.notnull().any()) for row in rows)

    listed = " and ".join(map(repr, species)) or "species"
    reason = "there is no variable"
    if variable is not None:
        names, reason = [variable], f"variable={format_argument(variable)} is not one"
    hint = "" if "species" in data.dims else " (select them with a list: ds.sel(species=['30Si']))"
    return first_of(data, names, f"{reason} with samples of {listed}{hint}", fits)


def read_two(data: xr.Dataset, numerator: Any, denominator: Any) -> tuple[str, str]:
    """Read the names of two species of data, of which one is divided by the other."""
    names = read_name("numerator", numerator), read_name("denominator", denominator)
    species_of(data, names[0], name="numerator")
    species_of(data, names[1], name="denominator")
    if names[0] == names[1]:
        text = f"numerator and denominator are both {names[0]!r}"
        raise SpeciesError(text, code="conflicting_arguments", argument="denominator")
    return names


def at_samples_of(frame: Frame, species: str) -> Reference:
    """Return the signal of one species, and its standard errors, at the samples of the others.

    Between two of its samples ``m = (1 - t) m0 + t m1``, with the standard error ``sqrt([(1 - t)
    s0]^2 + [t s1]^2)``; before the first and after the last, that sample in the same cycle, because
    species are measured one after the other. NaN beyond; gaps are bridged. The error for sums is
    ``sqrt(sum_j w_j W_j s_j^2)``, with the weights w_j of the samples j that one depends on, and
    W_j of the sum of the weights that all samples of a species give to j: the variance of their sum
    is then the sum of their variances.
    """
    dim = frame.dim
    if len(frame.value.chunksizes.get(dim, ())) > 1:
        raise ProfileError(
            f"{frame.name} is chunked along {dim}, but each profile is needed as a whole: use "
            f"data.chunk({dim}=-1)",
            code="dask_data",
        )
    names = frame.species(species)
    row = names.index(species)
    sizes = {d: frame.value.sizes[d] for d in ("species", dim)}
    columns = frame.each(
        partial(_signal_of_group, row=row),
        size=5 * sizes["species"] * sizes[dim],
        dim="__reference__",
        group="species",
    )
    columns = columns.unstack(__reference__={"__column__": 5, **sizes})
    value, *errors, bridged, dropped = columns.transpose("__column__", *frame.value.dims)
    stderr, of_sums = errors if frame.stderr is not None else (None, None)
    return Reference(value, stderr, of_sums, bridged == 1.0, dropped == 1.0)


def evidence_of(frame: Frame, species: str) -> Evidence:
    """Return what is known of quotients: of the signals, and of a reference at their samples."""
    of_signals = Evidence(frame.flags, frame.limit)
    if frame.flags is None:
        return of_signals
    row = frame.species().index(species)
    reference = frame.of_profile(species=row)
    if frame.depth.ndim == 1 and not frame.value.isel(species=row).isnull().any():
        other = Evidence(frame.flags.isel(species=row).set_dims(frame.value.sizes))
    else:
        sizes = {d: frame.value.sizes[d] for d in ("species", frame.dim)}
        lead = [d for d in frame.lead if d != "species"]
        depth = frame.depth.set_dims(frame.value.sizes).transpose(*lead, *sizes)
        places = depth.stack({_PLACES: tuple(sizes)})
        flags = at(reference, places, dim=_PLACES, axis=False).flags
        if flags is not None:
            flags = flags.unstack({_PLACES: sizes}).transpose(*frame.value.dims)
            measured = frame.filled().value.notnull()  # elsewhere is no quotient
            flags = flags.where(measured, 0).astype(np.int16)
        other = Evidence(flags)
    return union(of_signals, other)


def mean_in(frame: Frame, window: Window, among: xr.Variable, stated: Any) -> Any:
    """Return the mean over a window; refuse one, as it was `stated`, without a sample of some."""
    mean = mean_over(frame, window)
    empty = (mean.n == 0) & among
    if anywhere(empty) and (first := first_flagged(frame, empty & frame.measured())) is not None:
        any_limit = first.of(mean_over(frame.filled(), window).n)
        holds = "no sample above the limit of detection" if any_limit else "no sample"
        raise ProfileError(
            f"window={stated!r} has {holds} of {first.label}",
            code="no_sample_in_window",
            argument="window",
        )
    return mean


def known_of_mean(frame: Frame, window: Window) -> xr.Variable:
    """Return what is known of all that is divided by the means over a window."""
    flags: Any = support_of_window(frame, window, "samples").flags.astype(np.int16)
    below, doubt = np.int16(Flag.BELOW_LIMIT), np.int16(Flag.SCALE_IN_DOUBT)  # also on Dask
    kept: xr.Variable = flags.where(flags & below == 0, flags & ~below | doubt)
    return kept


def warn_undefined(frame: Frame, divisor: xr.Variable, among: Any, name: str, subject: str) -> None:
    """Warn of samples, of some signals, whose quotient is lost with its divisor."""
    among = among & frame.value.notnull()
    for lost, text in (
        (divisor.isnull(), "was not measured there"),
        (divisor <= 0, "is not above 0"),
    ):
        if (first := first_sample(frame, lost & among)) is not None:
            first.warn(f"{name} {text}: no {subject}", ProfileWarning, code="not_measured")


def warn_bridged(frame: Frame, species: str, reference: Reference, among: xr.Variable) -> None:
    """Warn of samples for which a line over a gap of the reference stands, or one that dropped."""
    for flagged, text in (
        (reference.bridged, "has a gap there, and a straight line across it stands for its signal"),
        (reference.dropped, "drops out there, to less than a third of what is before and after"),
    ):
        if (first := first_sample(frame, flagged & among)) is not None:
            first.warn(f"{species} {text}", ProfileWarning, code="not_measured")


def _signal_of_group(z: Array, c: Array, s: Array, _: Array, *, row: int) -> Array:
    """Return the signal of one species at the samples of each, its errors, and gaps, in one row."""
    columns = [
        at_samples(at, target, z[row], c[row], s[row]) for at, target in zip(z, c, strict=True)
    ]
    return np.stack(columns, axis=1).reshape(-1)


def at_samples(at: Array, target: Array, depth: Array, signal: Array, stderr: Array) -> Array:
    """Return a signal at the samples of another, its errors, and what :class:`Reference` flags."""
    result = np.full((5, at.size), np.nan)
    places = np.isfinite(at) & np.isfinite(target)
    measured = np.isfinite(depth) & np.isfinite(signal)
    z, x, m, s = at[places], depth[measured], signal[measured], stderr[measured]
    out = dropped_out(m)
    if np.array_equal(z, x):
        result[:3, places], result[4, places] = (m, s, s), out
    elif x.size:
        left = np.maximum(np.searchsorted(x, z, side="right") - 1, 0)
        right = np.minimum(left + 1, x.size - 1)
        width = x[right] - x[left]
        t = np.clip(np.divide(z - x[left], width, out=np.zeros(z.size), where=width > 0), 0, 1)
        cycle = [max(_end_spacing(x, end), _end_spacing(z, end)) * (1 + 1e-9) for end in (0, -1)]
        within = (z >= x[0] - cycle[0]) & (z <= x[-1] + cycle[1])
        weights = [
            np.bincount(i[within], w[within], x.size) for i, w in ((left, 1 - t), (right, t))
        ]
        shared = np.sqrt(sum(weights)) * s
        columns = (
            m[left] * (1 - t) + m[right] * t,
            np.hypot(s[left] * (1 - t), s[right] * t),
            np.hypot(shared[left] * np.sqrt(1 - t), shared[right] * np.sqrt(t)),
            support_of_points(Dense(x, m[None]), z[None]).flags[0] & GAP != 0,
            (out[left] & (t < 1)) | (out[right] & (t > 0)),
        )
        result[:, places] = np.where(within, columns, np.nan)
    return result


def dropped_out(signal: Array) -> Flags:
    """Flag one or two samples below a third of those before and after, and by their noise."""
    from scipy.ndimage import grey_closing

    if signal.size < _MIN_SAMPLES or not np.median(signal) > 0:
        return np.zeros(signal.size, dtype=bool)
    filled = grey_closing(signal, size=3, mode="nearest")
    noise = np.median(np.abs(np.diff(signal)))  # of a signal that is there most of the time
    low: Flags = (signal < filled / 3.0) & (filled - signal > _DROP_ERRORS * noise)
    return low


def _end_spacing(places: Array, end: int) -> float:
    """Return the distance between the first two samples, or the last two."""
    return float(abs(np.diff(places)[end])) if places.size > 1 else 0.0


class Part(NamedTuple):
    """The slope of a result over a signal that it is made of, and the errors of that signal."""

    slope: Any
    stderr: Any = None
    #: Those of a subtracted background, as in data: NaN where nothing was subtracted.
    common: Any = None
    overlap: Any = None


def propagated(parts: Sequence[Part], shared: Sequence[Any] = ()) -> dict[str, xr.Variable]:
    """Return the errors of a result of independent parts, by the ends of their names.

    Random errors are ``sqrt(sum (slope s)^2)``. What all samples have in common, backgrounds and
    `shared` errors of the result (of a weight, of a factor), is added in quadrature, too: exact
    where one prevails, and never less than any. Its overlap is ``sum (slope common)^2 overlap /
    total^2``.
    """
    errors = {}
    if random := [(part.slope * part.stderr) ** 2 for part in parts if part.stderr is not None]:
        errors["stderr"] = reduce(operator.add, random) ** 0.5
    with_common = [part for part in parts if part.common is not None]
    common = [((part.slope * part.common) ** 2).fillna(0.0) for part in with_common]
    if common or shared:
        total = reduce(operator.add, [*common, *((error**2).fillna(0.0) for error in shared)])
        total = total.where(total > 0)
        errors["background_stderr"] = total**0.5
        overlaps = [
            square * part.overlap.fillna(0.0)
            for square, part in zip(common, with_common, strict=True)
            if part.overlap is not None
        ]
        if overlaps:
            errors["background_overlap"] = reduce(operator.add, overlaps) / total
    return errors


def divided(
    frame: Frame,
    value: xr.Variable,
    divisor: xr.Variable,
    stderr: xr.Variable | None,
    species: str | None,
) -> dict[str, xr.Variable]:
    """Divide signals a by a reference b; ``""`` names the quotients, NaN where b is not above 0."""
    above = divisor.where(divisor > 0)
    ratio: xr.Variable = value / above
    columns = {"": ratio}
    if frame.limit is not None:
        columns[vocabulary.LIMIT] = limits_over(frame, divisor, species)
    return columns | _errors_of_two(frame, 1.0 / above, ratio / above, stderr, species)


def of_both(
    frame: Frame, below: Reference, species: str, factor: Any = 1.0, error: Any = None
) -> dict[str, xr.Variable]:
    """Return ``x = k a / (k a + b)`` with a factor k, and its errors."""
    a, b = factor * frame.value, below.value
    total = (a + b).where(a + b > 0)
    columns = {"": a / total}
    if frame.limit is not None:
        limit = factor * limits_over(frame, b, species)
        columns[vocabulary.LIMIT] = limit / (1.0 + limit)
    square = total**2
    slopes = factor * b / square, a / square
    shared = [] if error is None else [error * frame.value * b / square]
    return columns | _errors_of_two(frame, *slopes, below.stderr, species, shared)


def _errors_of_two(
    frame: Frame,
    slope: Any,
    slope_of_reference: Any,
    stderr: Any,
    species: str | None,
    shared: Sequence[Any] = (),
) -> dict[str, xr.Variable]:
    """Return the errors of results of each signal and of a reference with a standard error."""
    background = background_columns(frame)
    parts = [Part(slope, frame.stderr, *background_of(background))]
    if species is not None:
        of_reference = {
            end: at_samples_of_all(frame, column, species) for end, column in background.items()
        }
        common, overlap = background_of(of_reference)
        if not (common is None or frame.lazy or anywhere(common > 0)):
            common = None
        if frame.stderr is None or stderr is None:  # its single samples add nothing
            stderr = overlap = None
        parts.append(Part(slope_of_reference, stderr, common, overlap))
    return background | propagated(parts, shared)


def background_of(columns: Mapping[str, xr.Variable]) -> tuple[Any, Any]:
    """Return the error of a subtracted background, and the overlap with it; None without one."""
    return columns.get("background_stderr"), columns.get("background_overlap")


def with_common(columns: Mapping[str, xr.Variable], error: Any) -> dict[str, xr.Variable]:
    """Return the error of a subtracted background with another that all samples have in common."""
    before, overlap = background_of(columns)
    if before is None:
        return {"background_stderr": error}
    total = (before.fillna(0.0) ** 2 + error.fillna(0.0) ** 2) ** 0.5
    columns = {"background_stderr": total}
    if overlap is not None:
        columns["background_overlap"] = overlap * (before / total.where(total > 0)) ** 2
    return columns


def row_of(column: Any, row: int) -> Any:
    """Return a column of one species; None if there is none."""
    return None if column is None else column.isel(species=row, missing_dims="ignore")


def at_samples_of_all(frame: Frame, column: xr.Variable, species: str) -> xr.Variable:
    """Return a column of one species at the samples of all."""
    row = frame.species(species).index(species)
    at_its_samples: xr.Variable = row_of(column, row)
    if frame.dim not in at_its_samples.dims:
        return at_its_samples
    every = column.set_dims(frame.value.sizes).transpose(*frame.value.dims)
    every = every.fillna(0.0).where(frame.value.notnull())
    return at_samples_of(replace(frame, value=every, stderr=None), species).value


def limits_over(frame: Frame, divisor: xr.Variable, species: str | None) -> xr.Variable:
    """Return the limits of quotients, also where the signal has no value."""
    limit: Any = frame.limit
    if species is not None and frame.dim in divisor.dims:
        divisor = divisor.fillna(at_samples_of(frame.filled(), species).value)
    limits: xr.Variable = limit / divisor.where(divisor > 0)
    return limits


class TwoSignals(NamedTuple):
    """Two signals at the samples of the first, with their errors; without species."""

    a: xr.Variable
    b: xr.Variable
    stderr: tuple[Any, Any]
    #: Of subtracted backgrounds.
    common: tuple[Any, Any]
    dim: str
    #: The error of a sum of no counts, in the samples without any.
    none: Any = None

    def ratio(self, inside: xr.Variable) -> tuple[xr.Variable, xr.Variable]:
        """Return the ratio of the sums over some samples, and its standard error."""

        def total(column: Any) -> Any:
            return None if column is None else column.where(inside).sum(self.dim)

        below: Any = total(self.b)
        below = below.where(below > 0)
        ratio: Any = (total(self.a) / below).where(inside.any(self.dim))
        squares: list[Any] = [None if s is None else total(s**2) ** 0.5 for s in self.stderr]
        if squares[0] is None:
            scatter = total((self.a - ratio * self.b) ** 2) ** 0.5
            squares[0] = scatter.where((inside.sum(self.dim) > 1) & (ratio != 0))
        elif self.none is not None:
            none = self.none.where(inside).max(self.dim).fillna(0.0)
            squares[0] = squares[0].where(squares[0] > 0, none)
        common = [total(column) for column in self.common]
        slopes = 1.0 / below, ratio / below
        parts = [Part(*args) for args in zip(slopes, squares, common, strict=True)]
        errors = propagated(parts)
        shared: Any = errors.get("background_stderr", xr.Variable((), 0.0))
        return ratio, (errors["stderr"] ** 2 + shared.fillna(0.0) ** 2) ** 0.5


def two_signals(frame: Frame, species: str) -> TwoSignals:
    """Return the first of two species of a frame, and the second at its samples, for sums."""
    of, below = partial(row_of, row=0), at_samples_of(frame, species)
    stderr, none = frame.stderr_of_sums, None
    if stderr is not None and frame.counts is not None:
        none = 2.0 * stderr.where(frame.counts == 0)  # the upper end of their interval
        stderr = stderr.where(frame.counts != 0, 0.0)  # as in any sum, zeros add no variance
    common = background_columns(frame).get("background_stderr")
    common_signals = None if common is None else at_samples_of_all(frame, common, species)
    return TwoSignals(
        *(of(frame.value), of(below.value)),
        (of(stderr), of(below.of_sums)),
        (of(common), of(common_signals)),
        frame.dim,
        of(none),
    )


def background_columns(frame: Frame) -> dict[str, xr.Variable]:
    """Return what says of a subtracted background how well it is known; nothing without one."""
    data: Any = frame.origin
    names = {end: f"{frame.name}_{end}" for end in vocabulary.OF_BACKGROUND}
    columns = {end: data.variables[name] for end, name in names.items() if name in data.variables}
    return columns if "background_stderr" in columns else {}
