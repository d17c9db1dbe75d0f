"""What was there before the instrument blurred it: profiles restored as far as their counts say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import outcomes, units, vocabulary
from sims_analysis.errors import FitWarning, ProfileError, warn
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.background import read_background, warn_of_limits
from sims_analysis.frame.call import history_after, recorded
from sims_analysis.frame.evidence import (
    GapPolicy,
    Known,
    at_samples,
    bridges,
    carried,
    resolve,
    rests_on,
    union,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import ACHIEVED, FRACTION
from sims_analysis.frame.profiles import (
    RESTORED,
    Fields,
    in_words,
    open_profiles,
    warn_of_status,
)
from sims_analysis.frame.window import Window, read_window, warn_of_empty_window
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.outcomes import Flag, Status
from sims_analysis.restoring.inverse_problem import SOURCES
from sims_analysis.restoring.resolution_function import (
    Resolution,
    ResolutionFunction,
    read_resolution,
)
from sims_analysis.restoring.restoration import NUMBERS, fields, restore
from sims_analysis.shapes.model import Parameter
from sims_analysis.text.arguments import check_bool, format_argument, is_number
from sims_analysis.units import ParameterLike, QuantityLike

__all__ = ["deconvolve"]

Smoothness = Literal["auto", "steps"] | float

_ERRORS = (
    "68 %, of what samples without noise would be restored to; no band holds against the truth, "
    "of which nothing narrower than the achieved resolution is restored"
)
_HIDDEN = (
    "restored from the others, the profile is too high near these, and not known below the limit"
)
_DOSE = Parameter("window_dose", "area", "integral over depth")


@recorded
def deconvolve(
    data: xr.Dataset | xr.DataArray,
    *,
    resolution: QuantityLike | Mapping[str, QuantityLike] | xr.Dataset,
    variable: str | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | tuple[QuantityLike, QuantityLike] | None = None,
    smoothness: Smoothness = "auto",
    gaps: GapPolicy = "flag",
    averaging_kernels: bool = False,
) -> xr.Dataset:
    """Restore profiles that a depth resolution function has blurred, as far as counts allow.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, in any unit; one measurement or a batch, plain or quantified, numpy or
        Dask, on a shared axis or each on its own.
    resolution : str, Quantity, mapping or Dataset
        The standard deviation of a Gaussian, ``"2 nm"``; or the widths of a resolution function,
        ``{"lambda_growth": "1 nm", "lambda_decay": "2 nm", "sigma": "1.5 nm"}`` or
        ``{"mixing_length": ..., "roughness": ..., "information_depth": ...}``, each a value, or
        one for each profile or species; or a fit of ``"delta_drf"``, ``"delta_mri"`` or
        ``"gaussian"`` to a delta layer, of one for all profiles or of one for each.
    variable : str, optional
        Of a Dataset; by default that in which the species was measured, concentrations first.
    start, stop : str, Quantity or DataArray, optional
        The window. *Where there is a surface transient, start below it*: no blur has made it, so
        that nothing is promised about it and what lies within a resolution of it. Not every one
        is told: of 10 counts where the profile has one, the first samples are ``ok`` and six times
        too high.
    background : str, Quantity, DataArray or pair, optional
        What lies under the profile and is not blurred (a detector's, or a memory effect): a value,
        or the window of depths over which it is the mean. What is restored is without it. Its
        error is not in the errors of the answer.
    smoothness : {"auto", "steps"} or float
        What the profile is expected to be. ``"auto"``: pieces of exponentials, whatever their
        slopes, by a strength for which the samples are evidence. ``"steps"``: plateaus; best for
        layers and superlattices, and makes a staircase of an implant. A number is the strength
        of the first, as an answer gives it.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a profile that goes on across a gap, which is ``gap`` otherwise.
    averaging_kernels : bool
        Also return the averaging kernels, as many numbers as samples for each sample.

    Returns
    -------
    Dataset
        Questions are asked of it as of any data. At the depths of the data; NaN where there is no
        sample and outside of the window:

        - ``<variable>``, under its own name: the mean over the cell of each sample, as the data
          state it, or half way to its neighbours. 0 where nothing was counted within the achieved
          resolution: what was below detection stays there
        - ``<variable>_stderr``: see below
        - ``achieved_resolution`` (``nm``), a coordinate: full width at half maximum of the
          averaging kernel, never below a cell, nor at an end of the window, which cuts kernels,
          below that of the first whole one. Features narrower than that may be artefacts
        - ``refolded``: what the restored profile would be measured as, background included
        - ``averaging_kernel`` over ``(depth, depth_)``, if asked for: by how much the value rises
          if the true one at ``depth_`` does; about 1 in all

        Over the profiles:

        - ``status``, ``source_of_errors``: see below
        - ``smoothness`` (``1``): the strength that was chosen
        - ``n_samples``
        - ``largest_deviance`` (``1``): the largest signed root of the deviance between the counts
          of 2 to 12 neighbouring samples and those that are refolded
        - ``window_dose``, ``window_dose_stderr``: the trapezoidal integral over the window, with
          an error that knows how values are correlated
        - ``carried_dose``: that integral minus the one of the samples, what a plateau (or a layer
          cut off) at an end of the window has been carried out of it, net; 0 if all is inside
        - ``doubtful_maxima``: how many maxima have a valley beside them without which the profile
          is nearly as likely
        - ``doubtful_maximum`` (``nm``): the first of them

        The coordinate ``effective_sample_fraction``, below 1, says that errors of neighbours are
        correlated, as on a grid finer than the samples; dose and crossings take account of it. It
        and ``achieved_resolution`` go along into files and profiles (:func:`to_csv`,
        :func:`to_excel`, :func:`to_profiles`); what is over the profiles only :func:`save` keeps.

        ``status``: ``ok``; ``resolution_too_wide`` (no profile that is blurred so much, and as
        smooth, gives what was measured: ``largest_deviance`` is above 4), ``truncated`` (the window
        cuts a rise as steep as the resolution function, such as a layer or a surface transient),
        ``gap`` and ``saturated`` have values. ``too_few_counts`` (nowhere 20 within the width of
        the function), ``too_few_samples`` (fewer than five, or a window narrower than the
        function), ``resolution_unknown``, ``not_converged`` and ``no_data`` have none.

        ``source_of_errors``: ``counts``, as :func:`with_counting_statistics` adds them, or data in
        counts; ``standard errors``, where there are no counts: an error s of a value c is that of
        ``(c / s)^2``; ``scatter``, where there is neither: second differences say what one count
        is worth, if the variance is as the value. Compare ``scatter`` with what is known of the
        measurement: averaged or digitised samples scatter less than they are in error.

    Raises
    ------
    ProfileError
        If the widths belong to no resolution function, or the fit to other profiles; an option is
        unknown; or the data are restored already.
    UnitsError
        If the data are not over depth, or an option has no unit or a wrong one.

    Warns
    -----
    FitWarning
        If a profile is not ``ok``, has doubtful maxima, or has samples that a file gives as
        ``<5E15``: the others alone are restored.

    See Also
    --------
    convolve : The other way round.
    fit : Of ``"delta_drf"``: what the resolution function is.

    Notes
    -----
    Expected counts are ``mu_i = b_i + sum_j A_ij x_j``: A is the resolution function integrated
    over cell j (its mean over sample i, where data are averages over cells, ``depth_bounds``), and
    ``x_j = exp(u_j)`` the profile there, on cells about the samples, finer where samples are
    farther apart than a quarter of the function's width (or a fifteenth, where no profile on these
    gives what was measured), and beyond the window as far as it reaches.
    Minimized is half of the Poisson deviance, plus ``0.6 sum ln[1 + (s w^2 u'')^2]`` with w the
    function's full width at half maximum and s the smoothness: Student's distribution, of 0.2
    degrees of freedom, for changes of the slope of ln x, whose heavy tails let an exponential,
    SIMS' natural edge, cost nothing and a kink little; or ``s sum |u_j+1 - u_j|`` for steps. s is
    that of the largest evidence by Laplace's approximation, of values from 0.003 to 300, each
    approached from both sides, since there are several minima. Kinks in single cells make edges
    lopsided that are smooth; so the answer is the minimum of the parabola that the prior is about
    that one, with each kink spread over half of w. Steps stay as they are.

    *Errors.* At the solution, the inverse of the curvature of what is minimized, in which a kink
    may as well be in a cell half of the function's width away: Laplace's approximation. (The
    scatter of repeated measurements at a fixed strength, ``H^-1 F H^-1`` with F the Fisher
    information of the counts, is smaller: it does not know that noise moves kinks and changes the
    strength.) It is the 68 % band of *what data without noise would be restored to*, at the same
    strength; measured, it holds that in 70 to 77 % of the cells above 10 counts of extended
    profiles, and in 83 to 96 % of those of deltas. Against the truth it holds in 60 %, of layers
    as narrow as the function in fewer (of plateaus restored as steps in more, 63 to 99 %): what is
    narrower than the achieved resolution is not restored, and no count says what it was. The dose
    of such a layer is known, its height is not. Take it from ``window_dose``, with `start` and
    `stop` about the layer: errors of neighbours cancel there, which :func:`integrated_dose` cannot
    know. Its error is 1.2 to 2 times the scatter of doses for an implant, and 5 to 20 times where
    edges are sharp (16 trials each); that of ``window_dose`` covers 63 %.
    Edges that are steeper than the achieved resolution are restored as exponentials: half of a
    sharp one lies 0.2 to 0.35 nm towards its high side (a function 3.9 nm wide), and the foot goes
    too deep: a twentieth of a step was crossed 0.6 to 1.5 nm too deep at 100,000 to 300 counts. The
    errors of depths that are read from the answer (:func:`crossings`, :func:`junction_depth`,
    :func:`metallurgical_junctions`, :func:`layers`, :func:`interface`, :func:`decay_length`) know
    the achieved resolution, a coordinate that stays beside the values: :func:`crossings` says how
    well. Those of moments do not: of implants, one standard error holds the projected range in 75 %
    and the straggle in 57 %, with the right function.
    Errors of the resolution function, of the depth scale and of sensitivity factors come on top.

    *What cannot be told.* A function that is too *narrow* always fits, with a profile that is too
    wide. One that is too wide, or only on one side or about its maximum, is told by edges and
    layers that are steeper than what it makes of any profile, given counts; smooth profiles, such
    as implants, tell nothing. The right one is called too wide in 2 % of cases (of five truths with
    edges and thin layers at 30 to 100,000 counts, at most 10 of 580). Layers that are known to be
    thin are better fitted: ``fit(data, model="delta_drf", repeat=...)``.

    References
    ----------
    C. D. Rodgers, Inverse Methods for Atmospheric Sounding, 2000 (averaging kernels, errors);
    B. Gautier et al., Surf. Interface Anal. 26 (1998) (functions that differ from the true one);
    D. P. Chu, M. G. Dowsett, Phys. Rev. B 56 (1997) 15167, arXiv:cond-mat/9709313; D. J. C.
    MacKay, Neural Comput. 4 (1992) 415 (evidence).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B", depth=slice(20, 200))
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> sharper = sims.deconvolve(ds, resolution="6 nm")
    >>> sharper["status"].item(), sharper["source_of_errors"].item()
    ('ok', 'counts')
    >>> for one in (ds, sharper):
    ...     print(f"{sims.moments(one)['straggle'].item():.1f} nm")
    26.9 nm
    26.5 nm
    >>> print(f"{sharper['achieved_resolution'].sel(depth=81).item():.0f} nm")
    11 nm
    """
    frame = open_profiles(data, question="a restored profile", variable=variable, axes=("depth",))
    if frame.achieved is not None:
        raise ProfileError(
            f"{frame.name} is restored already (it has achieved_resolution); give what was "
            "measured, with the function of all that has blurred it"
        )
    check_bool("averaging_kernels", averaging_kernels)
    strength = _strength(smoothness)
    bridge = bridges(gaps)
    function = read_resolution(frame, resolution)
    window = read_window(frame, start, stop)
    level = read_background(frame, background).level(frame)
    for name, read in (("start", window[0]), ("stop", window[1]), ("background", level)):
        refuse_cases(frame, read, name)
    for width in function.widths:
        refuse_cases(frame, width, "resolution")
    found = fields(frame.value.sizes[frame.dim], kernels=averaging_kernels)
    rows = frame.each(
        partial(_row, function.name, strength, frame.kind, averaging_kernels),
        *window,
        level,
        frame.fraction,
        *function.widths,
        size=found.size,
        beside=("common", "overlap", "lower", "upper"),
    )
    answer = _dataset(frame, rows, found, window, bridge=bridge)
    answer.attrs |= {
        "resolution": _described(function),
        "smoothness": format_argument(smoothness),
        "background": "none" if background is None else format_argument(background),
        "errors": _ERRORS,
        "history": history_after(data, f"deconvolve(resolution={format_argument(resolution)})"),
    }
    if not frame.lazy:
        warn_of_empty_window(frame, window, FitWarning)
        warn_of_limits(frame, window, FitWarning, _HIDDEN)
        _warn(frame, answer)
    return answer


def _strength(smoothness: Any) -> str | float:
    if isinstance(smoothness, str) and smoothness in ("auto", "steps"):
        return smoothness
    if is_number(smoothness) and np.isfinite(smoothness) and smoothness > 0:
        return float(smoothness)
    raise ProfileError(
        f"smoothness={format_argument(smoothness)}; expected 'auto', 'steps' or a number above 0"
    )


def _row(name: str, strength: str | float, kind: str, kernels: bool, *given: Any) -> Array:
    samples, (start, stop, background, fraction, *widths) = Samples(*given[:8]), given[8:]
    settings = {"start": start, "stop": stop, "background": background, "fraction": fraction}
    function = ResolutionFunction(name, tuple(widths))
    return restore(samples, settings, function, strength, kind, kernels=kernels)


def _described(resolution: Resolution) -> str:
    """Say what the function is; of profiles with widths of their own, only its name."""
    if any(width.ndim for width in resolution.widths):
        return f"{resolution.name}, of each profile"
    function = ResolutionFunction(
        resolution.name, tuple(float(width) for width in resolution.widths)
    )
    return f"{function.described()}, {function.fwhm:.3g} nm wide at half maximum"


def _dataset(
    frame: Frame, rows: xr.Variable, fields_: Fields, window: Window, *, bridge: bool
) -> xr.Dataset:
    """Give each number and column its name, unit and words."""

    def part(name: str, *dims: str) -> xr.Variable:
        return xr.Variable((*rows.dims[:-1], *dims), fields_.of(rows.data, name))

    def column(name: str) -> xr.Variable:
        return part(name, frame.dim)

    def beside(values: xr.Variable, end: str) -> xr.Variable:
        attrs = vocabulary.attrs_beside(term, end, frame.units)
        return frame.as_the_data(xr.Variable(values.dims, values.data, attrs))

    numbers, name, term = {one: part(one) for one in NUMBERS}, frame.name, frame.term
    found = {
        name: frame.with_attrs(column("value"), term, units_=frame.units),
        f"{name}_stderr": beside(column("stderr"), "stderr"),
        "refolded": frame.with_attrs(column("refolded"), "refolded", units_=frame.units),
    }
    dose_units, times = _DOSE.units(frame.kind), _DOSE.factor(frame.kind)
    for one in ("window_dose", "window_dose_stderr", "carried_dose"):
        found[one] = frame.with_attrs(numbers[one] * times, one, units_=dose_units)
    for one in ("n_samples", "doubtful_maxima"):
        numbers[one] = numbers[one].fillna(0).astype(np.int64)
    plain = "smoothness", "largest_deviance", "n_samples", "doubtful_maxima", "doubtful_maximum"
    for one in plain:
        found[one] = frame.with_attrs(numbers[one], one)
    if "averaging_kernel" in fields_.shapes:
        kernels = part("averaging_kernel", frame.dim, f"{frame.dim}_")
        found["averaging_kernel"] = frame.with_attrs(kernels, "averaging_kernel")
    codes = numbers["status"].fillna(Status.NO_DATA).astype(np.uint8)
    rests = rests_on(frame, window)
    codes = resolve(frame, codes, rests, window, bridge=bridge, category=None)
    found["status"] = in_words(codes, outcomes.words(), **vocabulary.attrs("restored_status"))
    of = "source_of_errors"
    found[of] = in_words(numbers[of], SOURCES, **vocabulary.attrs(of))
    fraction = numbers["fraction"].fillna(1.0)
    fraction.attrs = dict(RESTORED)
    achieved = frame.with_attrs(column(ACHIEVED), ACHIEVED)
    coords = {**frame.along, FRACTION: fraction, ACHIEVED: achieved}
    coords |= _evidence(frame, column("value").notnull(), achieved)
    return frame.dataset(found, coords=coords)


def _evidence(frame: Frame, restored: xr.Variable, achieved: xr.Variable) -> dict[str, xr.Variable]:
    """Return what is known of restored samples: all that lies within the achieved resolution."""
    width = achieved.fillna(0.0)
    flag = xr.where(restored, np.int16(Flag.RESTORED), np.int16(0))
    of = union(Known(flag), at_samples(frame, frame.depth - width, frame.depth + width))
    return carried(frame.name, of, frame.units, quantified=frame.quantified)


def _warn(frame: Frame, answer: xr.Dataset) -> None:
    """Name the first profile that is not ok, and the first with maxima that it need not have."""
    stated = answer.attrs["smoothness"]
    other = "" if stated == "'auto'" else f"; or smoothness={stated} does not suit it: try 'auto'"
    more = {"resolution_too_wide": other}
    warn_of_status(frame, answer["status"], "the restored profile is not ok:", more=more)
    found = first_flagged(frame, (answer["doubtful_maxima"] > 0).variable)
    if found is not None:
        n = int(found.of(answer["doubtful_maxima"].variable))
        at = found.of(units.dequantify(answer)["doubtful_maximum"].variable)
        which = f"the maximum at {at:g} nm" if n == 1 else f"{n} maxima, the first at {at:g} nm,"
        warn(
            f"{found.label}: {which} may be no layer: without the valley beside it, the profile is "
            "nearly as likely for these counts",
            FitWarning,
        )
