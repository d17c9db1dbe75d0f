"""What was there before the instrument blurred it: profiles restored as far as their counts say."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import FitWarning, ProfileError
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.background import read_background, warn_of_limits, warn_of_window
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import (
    Evidence,
    GapPolicy,
    at_samples,
    evidence_coords,
    resolve,
    support_of_window,
    union,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, warn_of_empty_window, warn_of_status
from sims_analysis.frame.opening import ACHIEVED, FRACTION, RESTORED, open_frame
from sims_analysis.frame.run import Fields, words
from sims_analysis.frame.window import Window, read_window
from sims_analysis.kernels.rows import changed
from sims_analysis.kernels.samples import Array, Samples, in_order
from sims_analysis.outcomes import Flag, Status
from sims_analysis.restoring import minimization
from sims_analysis.restoring.assessment import MAX_DEVIANCE, assess, largest_deviance
from sims_analysis.restoring.inverse_problem import (
    SOURCES,
    InverseProblem,
    NotRestoredError,
    inverse_problem,
)
from sims_analysis.restoring.minimization import Minimum, Unknowns
from sims_analysis.restoring.resolution_function import (
    Resolution,
    ResolutionFunction,
    read_resolution,
)
from sims_analysis.shapes.model import Parameter
from sims_analysis.text.arguments import argument_error, check_bool, format_argument, is_number
from sims_analysis.units import ParameterLike, QuantityLike

Smoothness = Literal["auto", "steps"] | float

_ERRORS = (
    "68 %, of what samples without noise would be restored to; no band holds against the truth, "
    "of which nothing narrower than the achieved resolution is restored"
)
_BELOW_LIMIT = (
    "restored from the others, the profile is too high near these, and not known below the limit"
)
#: The numbers of a profile, and its columns, as long as the samples.
_NUMBERS = (
    *("status", "source_of_errors", "smoothness", "n_samples", "largest_deviance"),
    *("window_dose", "window_dose_stderr", "carried_dose", "fraction"),
    *("doubtful_maxima", "doubtful_maximum"),
)
_COLUMNS = ("value", "stderr", "refolded", "achieved_resolution")
#: Where no profile on cells of the samples is blurred to what was measured, one on cells of so many
#: parts of these may be: of layers thinner than a cell that lie across two, given enough counts.
#: Samples must be apart by this part of the function's width.
_FINER, _COARSE = 2, 1 / 15
#: Strengths that are tried, of curvature and of steps.
_CURVATURES, _STEPS = 10.0 ** np.arange(-2.5, 2.6, 0.25), 10.0 ** np.arange(-0.5, 2.1, 0.25)
_DOSE = Parameter("window_dose", "area", "integral over depth")


@recorded
def deconvolve(
    data: xr.Dataset | xr.DataArray,
    resolution: QuantityLike | Mapping[str, QuantityLike] | xr.Dataset,
    *,
    variable: str | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | tuple[QuantityLike, QuantityLike] | None = None,
    smoothness: Smoothness = "auto",
    gaps: GapPolicy = "flag",
    averaging_kernels: bool = False,
) -> xr.Dataset:
    """Restore profiles that a depth resolution function has blurred, as far as counts allow.

    Not to be trusted below ``achieved_resolution``, or by too narrow a function, which always fits.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, in any unit.
    resolution : str, Quantity, mapping or Dataset
        The standard deviation of a Gaussian, ``"2 nm"``; the widths of a resolution function,
        ``{"lambda_growth": "1 nm", "lambda_decay": "2 nm", "sigma": "1.5 nm"}`` or
        ``{"mixing_length": ..., "roughness": ..., "information_depth": ...}``, also one for each
        profile; or a fit of ``"delta_drf"``, ``"delta_mri"`` or ``"gaussian"`` to a delta layer.
    variable, gaps
        As for :func:`integrated_dose`; by default that in which the species was measured.
    start, stop : str, Quantity or DataArray, optional
        The window. Start below a surface transient: no blur has made it.
    background : str, Quantity, DataArray or pair, optional
        What lies under the profile and is not blurred: a value, or a window to be averaged.
    smoothness : {"auto", "steps"} or float
        ``"auto"``: pieces of exponentials, as smooth as the samples are evidence for; ``"steps"``:
        plateaus, for layers and superlattices; a number is the strength of the first.
    averaging_kernels : bool
        Also return the averaging kernels, as many numbers as samples for each sample.

    Returns
    -------
    Dataset
        At the depths of the data, NaN outside of the window:

        - ``<variable>``, ``<variable>_stderr``: the mean over the cell of each sample, 0 where
          nothing was counted within the achieved resolution; its error, see below
        - ``achieved_resolution`` (``nm``): full width at half maximum of the averaging kernel;
          features narrower than that may be artefacts
        - ``refolded``: what the restored profile would be measured as, background included
        - ``averaging_kernel`` over ``(depth, depth_)``: by how much a value rises with a true one

        Over the profiles:

        - ``status``: ``ok``, or in a word why there is no profile, or what speaks against it
        - ``source_of_errors``: ``counts``, ``standard errors``, or ``scatter``
        - ``smoothness`` (``1``): the strength that was chosen
        - ``largest_deviance`` (``1``): between 2 to 12 neighbouring counts and refolded ones
        - ``window_dose``, ``window_dose_stderr``: the integral, and its error
        - ``carried_dose``: by how much that integral exceeds the one of the samples
        - ``doubtful_maxima``: number of maxima next to a valley that the samples do not need;
          ``doubtful_maximum`` (``nm``): the first of them; ``n_samples``, in the window

    Raises
    ------
    ProfileError, UnitsError
        If the widths belong to no resolution function, or the data are restored already.

    Warns
    -----
    FitWarning
        If a profile is not ``ok``, has doubtful maxima, or samples that a file gives as ``<5E15``.

    See Also
    --------
    convolve : The other way round.

    Notes
    -----
    Minimized is half of the Poisson deviance of ``mu_i = b_i + sum_j A_ij exp(u_j)``, plus
    ``0.6 sum ln[1 + (s w^2 u'')^2]`` (w the function's width, s the smoothness), or for steps
    ``s sum |u_j+1 - u_j|``. The errors are those of what data without noise would be restored to,
    not against the truth: *Depth resolution*, on the site, says what is covered.

    References
    ----------
    C. D. Rodgers, Inverse Methods for Atmospheric Sounding, 2000; D. P. Chu, M. G. Dowsett, Phys.
    Rev. B 56 (1997) 15167; D. J. C. MacKay, Neural Comput. 4 (1992) 415 (evidence).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B", depth=slice(20, 200))
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> sharper = sims.deconvolve(ds, resolution="6 nm")
    >>> shape = sims.moments(sharper, threshold=0.5)
    >>> sharper["status"].item(), f"{shape['straggle'].item():.1f} nm"
    ('ok', '17.0 nm')
    """
    how: Any = {"variable": variable, "axes": ("depth",), "gaps": gaps}
    frame = open_frame(data, question="a restored profile", **how)
    if frame.achieved is not None:
        raise ProfileError(
            f"{frame.name} is restored already (it has achieved_resolution); give what was "
            "measured, with the function of all that has blurred it",
            code="already_changed",
        )
    check_bool("averaging_kernels", averaging_kernels)
    strength = _strength(smoothness)
    function = read_resolution(frame, resolution)
    window = read_window(frame, start, stop)
    subtracted = read_background(frame, background)
    if subtracted.window is not None:
        warn_of_window(frame, subtracted.window)
    level = subtracted.level(frame)
    for name, read in (("start", window[0]), ("stop", window[1]), ("background", level)):
        refuse_cases(frame, read, name)
    for width in function.widths:
        refuse_cases(frame, width, "resolution")
    n = frame.value.sizes[frame.dim]
    square = {"averaging_kernel": (n, n)} if averaging_kernels else {}
    fields = Fields({**dict.fromkeys(_NUMBERS, ()), **dict.fromkeys(_COLUMNS, (n,)), **square})
    rows = frame.each(
        partial(_row, fields, function.name, strength, frame.kind),
        *window,
        level,
        frame.fraction,
        *function.widths,
        size=fields.size,
        ancillary=("common", "overlap", "lower", "upper"),
    )
    answer = _dataset(frame, rows, fields, window)
    answer.attrs |= {
        "resolution": _described(function),
        "smoothness": format_argument(smoothness),
        "background": "none" if background is None else format_argument(background),
        "errors": _ERRORS,
        "history": data.attrs.get("history", ""),
    }
    answer = with_history(answer, f"deconvolve(resolution={format_argument(resolution)})")
    if not frame.lazy:
        empty = (answer["status"] == "no_data").variable
        warn_of_empty_window(frame, window, empty, FitWarning)
        warn_of_limits(frame, window, FitWarning, _BELOW_LIMIT)
        _warn(frame, answer)
    return answer


def _strength(smoothness: Any) -> str | float:
    if isinstance(smoothness, str) and smoothness in ("auto", "steps"):
        return smoothness
    if is_number(smoothness) and np.isfinite(smoothness) and smoothness > 0:
        return float(smoothness)
    raise argument_error("smoothness", smoothness, "expected 'auto', 'steps' or a number above 0")


def _row(fields: Fields, name: str, strength: str | float, kind: str, *arguments: Any) -> Array:
    """Return one profile restored, NaN outside of its window."""
    samples, (start, stop, background, fraction, *widths) = Samples(*arguments[:8]), arguments[8:]
    settings = {"background": background, "fraction": fraction}
    function = ResolutionFunction(name, tuple(widths))
    order = in_order(samples.z, samples.c, start, stop)

    def at(parts: int, about: float = np.nan) -> tuple[Array, dict[str, Any]]:
        problem = inverse_problem(samples, order, settings, function, kind, parts)
        prior = minimization.curvature(problem.x, problem.fwhm)
        if strength == "steps":
            prior = minimization.steps(problem.x)
        unknowns = Unknowns(problem.response, problem.misfit, prior, problem.offset)
        best = _minimum(problem, unknowns, strength, about)
        result = assess(problem, unknowns, best, kernels="averaging_kernel" in fields.shapes)
        more = {"n_samples": problem.z.size, "source_of_errors": SOURCES.index(problem.source)}
        return problem.here, more | result

    try:
        place, result = at(1)
        coarse = float(np.median(np.diff(samples.z[order]))) > _COARSE * function.fwhm
        too_wide = result["status"] == "resolution_too_wide"
        if too_wide and coarse and result["largest_deviance"] < MAX_DEVIANCE:
            with suppress(NotRestoredError):
                finer = at(_FINER, result["smoothness"])
                if finer[1]["status"] != "resolution_too_wide":
                    place, result = finer
    except NotRestoredError as end:
        place, result = order, {"status": str(end), "n_samples": order.size, "source_of_errors": 0}
    for column, shape in fields.shapes.items():
        if shape and column in result:
            values = np.full(shape, np.nan)
            values[np.ix_(*[place] * len(shape))] = result[column]
            result[column] = values
    return fields.row({**result, "status": Status[result["status"].upper()]})


def _minimum(
    problem: InverseProblem, unknowns: Unknowns, smoothness: str | float, about: float
) -> Minimum:
    def far_off(minimum: Minimum) -> bool:
        # A descent that has not ended may have some way to go yet.
        most = MAX_DEVIANCE if minimum.converged else 2 * MAX_DEVIANCE
        return largest_deviance(problem, minimum.m) > most

    if isinstance(smoothness, str):
        strengths = _STEPS if smoothness == "steps" else _CURVATURES
        # On finer cells, the strength is about what it is on these.
        strengths = strengths[~(np.abs(np.log10(strengths / about)) > 1)]
        best = minimization.by_evidence(unknowns, strengths, _start(problem), far_off)
    else:
        strengths = np.append(_CURVATURES[smoothness > _CURVATURES], smoothness)
        best = minimization.of_strength(unknowns, strengths, _start(problem))
    if not (np.isfinite(best.u).all() and (best.converged or far_off(best))):
        raise NotRestoredError("not_converged")
    return best


def _start(problem: InverseProblem) -> Array:
    """Begin at the samples, averaged over the function's width."""
    count = float(np.median(problem.misfit.value_per_count))
    counts, number = problem.counts_about(0.5 * problem.fwhm)
    mean = count * counts / number - problem.offset
    begin: Array = np.interp(problem.x, problem.z, np.log(np.maximum(mean, 0.05 * count)))
    return begin


def _described(resolution: Resolution) -> str:
    """Describe the function; only by name if profiles have widths of their own."""
    if any(width.ndim for width in resolution.widths):
        return f"{resolution.name}, of each profile"
    function = ResolutionFunction(resolution.name, tuple(map(float, resolution.widths)))
    return f"{function.described()}, {function.fwhm:.3g} nm wide at half maximum"


def _dataset(frame: Frame, rows: xr.Variable, fields_: Fields, window: Window) -> xr.Dataset:

    def part(name: str, *dims: str) -> xr.Variable:
        return xr.Variable((*rows.dims[:-1], *dims), fields_.of(rows.data, name))

    numbers, name, term = {key: part(key) for key in _NUMBERS}, frame.name, frame.term
    value, stderr, refolded, achieved = (part(key, frame.dim) for key in _COLUMNS)
    stderr.attrs = vocabulary.ancillary_attrs(term, "stderr", frame.units)
    variables = {
        name: frame.with_attrs(value, term, units_=frame.units),
        f"{name}_stderr": frame.as_the_data(stderr),
        "refolded": frame.with_attrs(refolded, "refolded", units_=frame.units),
    }
    dose_units, times = _DOSE.units(frame.kind), _DOSE.factor(frame.kind)
    for key in ("window_dose", "window_dose_stderr", "carried_dose"):
        variables[key] = frame.with_attrs(numbers[key] * times, key, units_=dose_units)
    for key in ("n_samples", "doubtful_maxima"):
        numbers[key] = numbers[key].fillna(0).astype(np.int64)
    names = "smoothness", "largest_deviance", "n_samples", "doubtful_maxima", "doubtful_maximum"
    variables |= {key: frame.with_attrs(numbers[key], key) for key in names}
    if "averaging_kernel" in fields_.shapes:
        kernels = part("averaging_kernel", frame.dim, f"{frame.dim}_")
        variables["averaging_kernel"] = frame.with_attrs(kernels, "averaging_kernel")
    codes = numbers["status"].fillna(Status.NO_DATA).astype(np.uint8)
    support = support_of_window(frame, window)
    codes = resolve(frame, codes, support, window, category=None)
    variables["status"] = frame.status(codes, "restored_status")
    of = "source_of_errors"
    variables[of] = words(numbers[of], SOURCES, **vocabulary.attrs(of))
    fraction = numbers["fraction"].fillna(1.0)
    fraction.attrs = dict(RESTORED)
    achieved = frame.with_attrs(achieved, ACHIEVED)
    coords = {**frame.along, FRACTION: fraction, ACHIEVED: achieved}
    coords |= _evidence(frame, value, achieved)
    return frame.dataset(variables, coords=coords)


def _evidence(frame: Frame, restored: xr.Variable, achieved: xr.Variable) -> dict[str, xr.Variable]:
    """Return the evidence on restored samples: all that lies within the achieved resolution."""
    depth, width = (v.copy(data=units.magnitude_of(v)) for v in (frame.depth, achieved))
    width = width.fillna(0.0)
    flag = xr.where(restored.notnull(), np.int16(Flag.RESTORED), np.int16(0))
    of = union(Evidence(flag), at_samples(frame, depth - width, depth + width))
    if of.limit is not None:  # of what samples with a value bring, too
        of = changed(of, limit=of.limit.where(~(restored > of.limit), restored))
    return evidence_coords(frame.name, of, frame.units, quantified=frame.quantified)


def _warn(frame: Frame, answer: xr.Dataset) -> None:
    """Name the first profile that is not ok, and the first with maxima that it need not have."""
    stated = answer.attrs["smoothness"]
    other = "" if stated == "'auto'" else f"; or smoothness={stated} does not suit it: try 'auto'"
    more = {"resolution_too_wide": other}
    warn_of_status(frame, answer["status"], "the restored profile is not ok:", more=more)
    first = first_flagged(frame, (answer["doubtful_maxima"] > 0).variable)
    if first is not None:
        n = int(first.of(answer["doubtful_maxima"].variable))
        at = first.of(units.dequantify(answer)["doubtful_maximum"].variable)
        subject = f"the maximum at {at:g} nm" if n == 1 else f"{n} maxima, the first at {at:g} nm,"
        first.warn(
            f"{subject} may be no layer: without the valley next to it, the profile "
            "is nearly as likely for these counts",
            FitWarning,
        )
