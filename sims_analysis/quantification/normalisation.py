"""Signals as parts of a total, relative to a species, or to their maximum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.canonical import ENDS, species_of
from sims_analysis.conventions.provenance import with_history
from sims_analysis.dataset.provenance import provenance
from sims_analysis.errors import ProfileWarning, SpeciesError
from sims_analysis.frame.background import shares_in
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Evidence, anywhere_along, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import elementwise, is_lazy
from sims_analysis.frame.window import Window, read_pair
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Flag
from sims_analysis.quantification.isotopes import with_bias
from sims_analysis.quantification.reference import (
    Part,
    background_columns,
    background_of,
    column,
    known_of_mean,
    mean_in,
    measured_in,
    propagated,
    warn_undefined,
)
from sims_analysis.quantification.shared_parts import warn_of_shared
from sims_analysis.quantification.signals import (
    Signal,
    Weight,
    interpolated,
    of_row,
    own_samples,
    same_samples,
    signal_at,
    weighted_sum,
    with_errors_of_scale,
)
from sims_analysis.text.arguments import read_name
from sims_analysis.units import WindowLike

#: Standard errors by which a single sample lies above its neighbours.
_SIGNIFICANT = 5.0


@correction
def normalise(
    data: xr.Dataset,
    to: str,
    *,
    window: WindowLike | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Divide all signals by their total, by one of them, or each by its maximum.

    Not to be trusted over a maximum with noise: the largest of samples is too high, at a peak by
    about one standard error, on a plateau by two.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    to : str
        ``"total"``: the sum of all species, or the species of this name (the total ion current of
        a time-of-flight instrument, of which the others are parts); a species, such as a matrix
        signal; or ``"maximum"``, each to its own, below a surface transient.
    window : (start, stop), optional
        Depths, or times. Divide each profile by one number, the mean of the total or the species
        (or the maximum) between them, and not sample by sample.
    variable : str, optional
        By default the first with samples (of the species), ``concentration`` first.

    Returns
    -------
    Dataset
        The variable is replaced by ``fraction`` (of a total) or ``ratio`` (to a species or the
        maximum; unit ``1``), data like any other: with peaks, interfaces, layers and fits. Species
        without a sample of it, and other measured variables, are left out.

        - ``fraction_stderr`` (``ratio_stderr``): sample by sample, with the signal a inside of its
          total T, ``sqrt([(T - a) s_a]^2 + a^2 (s_T^2 - s_a^2)) / T^2``; over another species, as
          for :func:`ratio`; by one number M, ``s / M``
        - ``fraction_background_stderr``: what samples have in common: backgrounds, factors of
          concentrations and, by one number with the standard error e, ``x e / M^2``; with the
          ``_overlap`` of samples of the signal itself in the window, so that errors of sums come
          out right
        - counts, and what is known of samples: of a total, of all its parts

        The species that all are divided by is 1, without an error if sample by sample.

    Raises
    ------
    SpeciesError
        If the species is absent.
    UnitsError
        If no variable is measured over species.
    ProfileError
        If the window holds no sample.

    Warns
    -----
    ProfileWarning
        Where ratios are too high, because a species has few counts (not for Dask data), or where
        signals were made of the same measured ones: see :func:`ratio`. Where a maximum is a single
        sample, by five standard errors at least. Where samples are lost, as what they are divided
        by was not measured, or is not above 0.

    Notes
    -----
    Samples of species below their limit of detection count as 0 in a total. Where their limits are
    more than 1 % of it, or of its error, fractions have no value, but a limit.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> sims.normalise(run, to="total")["fraction"].sum("species").max().item()
    1.0
    """
    to = read_name("to", to)
    name = measured_in(data, variable, *({to} & {*species_of(data)}))
    data = _measured(data, name)
    frame = open_samples(data, name, "a normalised signal")
    if to not in ("total", "maximum"):
        frame.species(to, name="to")
    names, total = frame.species(), to == "total"
    if total:
        to = next((species for species in names if species.lower() == "total"), to)
    named = to in names
    if named:
        warn_of_shared(data, name, [(to, species) for species in names if species != to])
    elif total:
        warn_of_shared(data, name, combinations(names, 2))
        _refuse_sums(data, names)
    plain, data = data, with_errors_of_scale(data, name, to if named else None)
    if to == "maximum" and not named:  # they cancel in it
        data = plain.drop_vars(set(plain.coords) - set(data.coords))
    frame = open_samples(data, name, "a normalised signal")
    ends = None if window is None else read_pair(frame, window)
    share = None
    if to == "maximum" and not named:
        divisor, share = _maximum(frame, ends)
    else:
        if not named:
            divisor = _total(frame)
        elif ends is None:
            divisor = interpolated(frame, to, ~frame.of_species(to))
        else:
            divisor = own_samples(frame)
        if ends is not None:
            divisor, share = _mean(frame, divisor, ends, window, to if named else None)
    parts = frame.of_species(to) if named and not total else xr.Variable((), data=True)
    columns = _divided_by(frame, divisor, parts, share)
    if not frame.lazy:
        measured = True if divisor.limit is None else divisor.limit.isnull()
        of = "the total" if total else f"the {to}" if to == "maximum" else to
        kind = "fraction" if total else "ratio"
        warn_undefined(frame, divisor.value, measured, of, kind)
    if share is None and not total and divisor.stderr is not None:
        columns = with_bias(frame, divisor.value, divisor.stderr, columns, ~parts, to)
    result = _renamed(data, frame, "fraction" if total else "ratio", columns)
    over = "" if window is None else f", from {window[0]} to {window[1]}"
    by = f"the {to}" if total or to == "maximum" else to
    return with_history(result, f"{name} / {by}{over}")


def _refuse_sums(data: xr.Dataset, names: Sequence[str]) -> None:
    """Refuse a total of signals of which some are sums of others."""
    for step in provenance(data).get("steps", []):
        signals = step["parameters"]["signals"] if step["function"] == "combine" else {}
        for new, parts in signals.items():
            repeated = [species for species in parts if species in names]
            if new in names and new not in parts and repeated:
                listed = ", ".join(map(repr, repeated))
                raise SpeciesError(
                    f"a total would count {listed} twice: {new!r} was made of it by combine(); "
                    "select what it is of, as in data.sel(species=[...])",
                    code="repeated_species",
                    argument="to",
                )


def _measured(data: xr.Dataset, name: str) -> xr.Dataset:
    """Return a variable of the species that were measured in it, without other such variables."""
    others = [other for other in vocabulary.MEASURED if other != name and other in data.data_vars]
    data = data.drop_vars([other + end for other in others for end in ENDS], errors="ignore")
    if is_lazy(data[name].variable):
        return data
    valid = data[name].variable.notnull()
    limit = data.variables.get(f"{name}_{vocabulary.LIMIT}")
    valid = valid if limit is None else valid | limit.notnull()
    species = valid.any([d for d in valid.dims if d != "species"])
    return data.isel(species=species.values)


def _total(frame: Frame) -> Signal:
    """Return the sum of all signals, at the samples of each; of a batch, of those measured."""
    names = frame.species()
    measured_at = frame.filled().value.notnull().any(frame.dim)

    def measured(signal: Signal, row: int) -> Signal:
        inside = measured_at.isel(species=row)
        value, stderr, counts = (
            None if column is None else column.where(inside, 0.0)
            for column in (signal.value, signal.stderr, signal.counts)
        )
        return changed(signal, value=value, stderr=stderr, counts=counts)

    weights = dict.fromkeys(names, Weight(xr.Variable((), 1.0), None, "1"))
    sums: dict[int, Any] = {}
    of_each = []
    for row, first in enumerate(names):
        like = next((other for other in sums if same_samples(frame, other, row)), row)
        if like == row:
            signals = {
                species: measured(signal_at(frame, first, species), i)
                for i, species in enumerate(names)
            }
            sums[row] = weighted_sum(frame, signals, weights)
        of_each.append(sums[like])

    def column(end: str) -> xr.Variable:
        kept = [d for d in frame.value.dims if d != "species"]
        sizes = {d: frame.value.sizes[d] for d in kept}
        empty = xr.Variable((), np.nan if end != vocabulary.QUALITY else np.int16(0))
        rows = [signal.get(end, empty).set_dims(sizes).transpose(*kept) for signal in of_each]
        joined: xr.Variable = xr.Variable.concat(rows, "species").transpose(*frame.value.dims)
        return joined

    columns = {end: column(end) for signal in of_each for end in signal}
    background = {end: columns[end] for end in vocabulary.OF_BACKGROUND if end in columns}
    evidence = (columns.get(end) for end in vocabulary.EVIDENCE)
    return Signal(columns[""], columns.get("stderr"), None, background, *evidence)


def _mean(
    frame: Frame, signal: Signal, ends: Window, window: Any, species: str | None
) -> tuple[Signal, xr.Variable]:
    """Return the means of a signal over a window, of its own samples, and shares of these."""
    of = replace(
        frame, value=signal.value, stderr=signal.stderr, counts=None, common=None, overlap=None,
        scatter=None, flags=signal.flags, limit=None,
    )  # fmt: skip
    among = xr.Variable((), data=True) if species is None else frame.of_species(species)
    mean = mean_in(of, ends, among, window)
    share = shares_in(of, ends)
    background = {}
    if "background_stderr" in signal.background:
        common = signal.background["background_stderr"]
        background["background_stderr"] = (share * common.fillna(0.0)).sum(frame.dim)
    stderr = mean.stderr.fillna(np.inf).where(mean.n > 0)
    flags = known_of_mean(of, ends)
    mean_signal = Signal(mean.value, stderr, None, background, flags)
    if species is not None:
        mean_signal = of_row(mean_signal, frame.species().index(species))
    return mean_signal, share


def _maximum(frame: Frame, ends: Window | None) -> tuple[Signal, xr.Variable]:
    """Return the largest sample of each profile in a window, and where it is."""
    inside: Any = frame.value
    if ends is not None:
        inside = inside.where(~((frame.depth < ends[0]) | (frame.depth > ends[1])))
    elif frame.flags is not None:
        inside = inside.where(frame.flags & Flag.TRANSIENT == 0)
    value = inside.max(frame.dim)
    at_maximum = inside == value

    def of(column: xr.Variable) -> xr.Variable:
        largest: xr.Variable = column.where(at_maximum).max(frame.dim)
        return largest

    stderr = None if frame.stderr is None else of(frame.stderr)
    columns = background_columns(frame)
    background = {end: of(columns[end]) for end in ("background_stderr",) if end in columns}
    flags = None
    if frame.flags is not None:
        flags = anywhere_along(frame.flags.where(at_maximum, 0).astype(np.int16), frame.dim)
    higher = elementwise(np.fmax, *(inside.shift({frame.dim: by}) for by in (1, -1)))
    above = value - of(higher)
    error: Any = 0.0 if stderr is None else stderr.fillna(0.0)
    first = first_flagged(frame, (above > 0.5 * value) & (above > _SIGNIFICANT * error))
    if first is not None:
        highest = frame.shown(first.of(value))
        text = f"the maximum, {highest}, is a single sample: its neighbours are below half of it"
        first.warn(text, ProfileWarning, remedy="window= leaves it out")
    return Signal(value, stderr, None, background, flags), at_maximum / at_maximum.sum(frame.dim)


def _divided_by(
    frame: Frame, divisor: Signal, parts: xr.Variable, share: xr.Variable | None
) -> dict[str, xr.Variable]:
    """Divide all signals by another, of which those flagged are `parts`; by the ends of names.

    With the rest ``R = T - a``, ``a / T`` has the slopes ``R / T^2`` over a and ``-a / T^2`` over
    R. By one number, it is the mean of samples with a `share` in it, and its error common to all.
    """
    above = divisor.value.where(divisor.value > 0)
    value: Any = frame.value / above
    background = background_columns(frame)
    common, overlap = background_of(background)
    of_whole, overlap_of_whole = background_of(divisor.background)
    others = _error_of_rest(of_whole, common, parts)
    slope, of_rest = (1.0 - parts * value) / above, value / above
    if share is None:
        stderr = _error_of_rest(divisor.stderr, frame.stderr, parts)
        part = None
        if overlap is not None and overlap_of_whole is not None:
            products = of_whole**2 * overlap_of_whole, (common**2 * overlap).fillna(0.0)
            part = (products[0] - parts * products[1]) / others.where(others > 0) ** 2
        columns = propagated(
            [Part(slope, frame.stderr, common, overlap), Part(of_rest, stderr, others, part)]
        )
    else:
        errors = [] if divisor.stderr is None else [of_rest * divisor.stderr]
        every = [Part(slope, None, common, overlap), Part(of_rest, None, others)]
        columns = propagated([Part(1.0 / above, frame.stderr), *every], errors)
        if frame.stderr is not None and errors:
            shared = parts * share * of_rest / above * frame.stderr**2
            shared = (shared / columns["background_stderr"] ** 2).fillna(0.0)
            columns["background_overlap"] = columns.get("background_overlap", 0.0) + shared
    columns = {"": value} | {k: v for k, v in background.items() if k not in columns} | columns
    flags = Evidence(frame.flags)
    if divisor.flags is not None:
        every_flag = divisor.flags.set_dims(frame.value.sizes).transpose(*frame.value.dims)
        flags = union(flags, Evidence(every_flag))
    if flags.flags is not None:
        columns[vocabulary.QUALITY] = flags.flags
    if frame.limit is not None:
        columns[vocabulary.LIMIT] = frame.limit / above
    if divisor.limit is not None:  # a part of the total is not known: no more than this
        complete = divisor.limit.isnull()
        limit: Any = columns.get(vocabulary.LIMIT, xr.full_like(value, np.nan))
        columns[vocabulary.LIMIT] = limit.fillna(value.where(~complete))
        columns |= {end: columns[end].where(complete) for end in ("", "stderr") if end in columns}
    return columns


def _error_of_rest(error: Any, error_of_part: Any, parts: xr.Variable) -> Any:
    """Return the error of the rest of a signal without its parts."""
    if error is None or error_of_part is None:
        return error
    return (error**2 - parts * error_of_part.fillna(0.0) ** 2).clip(min=0.0) ** 0.5


def _renamed(
    data: xr.Dataset, frame: Frame, kind: str, variables: Mapping[str, xr.Variable]
) -> xr.Dataset:
    """Return data with ratios in place of the variable that they were made of."""
    term, order = vocabulary.RATIOS[kind], data[frame.name].dims
    if frame.counts is not None:
        variables = {**variables, "counts": frame.counts.where(variables[""].notnull())}
    result = data.drop_vars([frame.name + end for end in ENDS], errors="ignore")
    columns = {
        f"{kind}_{end}".rstrip("_"): column(term, end, "1", values, order)
        for end, values in variables.items()
    }
    result = result.assign(columns)
    return result.set_coords([name for name in columns if name.endswith(vocabulary.EVIDENCE)])
