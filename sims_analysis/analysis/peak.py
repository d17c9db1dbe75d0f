"""The maximum of a profile, and its full width at half maximum."""

from __future__ import annotations

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.frame.background import add_background_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, bridges, resolve, rests_on
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import anywhere
from sims_analysis.frame.window import (
    read_window,
    warn_of_empty_window,
    warn_of_transient,
)
from sims_analysis.kernels import peak as kernels
from sims_analysis.outcomes import Flag, Status
from sims_analysis.units import ParameterLike

__all__ = ["peak"]

#: Widths that are less by this part than the extent of samples above half of the maximum are told.
_NARROWED = 0.1


@recorded
def peak(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Find the maximum of each profile, and its full width at half maximum.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth, or sputter time.
    start, stop : str, Quantity or DataArray, optional
        Window of depths (or times) to search: a `start` below the surface transient finds the
        implant instead of the transient.
    variable : str, optional
        The variable of a Dataset; by default concentration, otherwise the first.
    gaps : {"flag", "bridge"}
        Whether a maximum beside a gap, where nothing was measured, or with one between the
        half-maximum depths, has the status ``gap``, or is ``ok``. See :func:`integrated_dose` for
        what a gap is.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth:

        - ``depth`` (``nm``): of the highest sample; over sputter time ``sputter_time`` (``s``)
        - ``<variable>``: the value there, under the name of the variable and in its unit.
          ``<variable>_stderr``, if the data carry errors: half of the 68 % interval about it that
          holds the maximum of the profile
        - ``fwhm`` (``nm``, or ``s``): between the nearest depths on either side at which the
          profile crosses half of it
        - ``status``: ``ok``; ``truncated`` where the profile does not cross half of its maximum on
          both sides within the window, so that the width is NaN (for instance if the maximum is the
          first or the last sample); ``gap``; ``saturated`` where samples in the window were cut off
          by the detector; ``no_data`` with NaN where there is no sample

    Raises
    ------
    UnitsError
        If the data have no variable with a known unit, or neither a depth nor a sputter time.

    Warns
    -----
    ProfileWarning
        Where the status is ``gap`` or ``saturated``; where the maximum is the first sample of the
        window and there is a deeper maximum: a surface transient with the implant below it; where
        noise or a neighbour may have made the width more than 10 % too narrow; and where a measured
        profile has no sample in the window. Not for Dask data, which are not computed.

    Notes
    -----
    Noise has chosen the highest sample: it lies above the profile, by more than two of its own
    errors on a plateau of forty samples. ``ln C = A + B z + D z^2 / 2`` is therefore fitted, by
    maximum likelihood of the counts, to the samples around it: to 0.65 of those that are needed to
    see the profile fall on either side, by three standard errors of the means. The parabola's
    maximum is m with the error s, and ``<variable>_stderr`` is the half-width h of the interval
    about the value c with ``P(|N(m - c, s)| < h) = 0.683``. It holds the maximum of the profile, of
    10 to 1,000 counts (500 trials each), in 67 to 77 % of cases for joined half-Gaussians and other
    smooth peaks, in 60 to 69 % for flat plateaus, in 50 to 61 % for rounded ones, and in 70 to 94 %
    for peaks a few samples wide, with a kink, or at the surface (the error of the highest sample
    alone: 0 to 80 %). Beside a steep edge,
    where one neighbour is below a third of it, what may be hidden between samples is in it by the
    parabola of C through the three.

    Depth and width have no standard errors: :func:`moments` has a projected range and straggle with
    theirs, and a fit all of them. Noise takes the highest sample for the maximum and crosses half
    of it before the profile does: at 1,000 counts widths are 3 to 6 % too narrow in the middle, at
    100 counts 8 to 27 %, at 30 counts 33 to 91 %, at 10 counts up to 99 % (peaks 40 to 110 nm wide,
    steps of 0.5 to 2 nm). The warning then says over how much there are samples above half of the
    maximum less its error, each within half of the extent so far: 0.98 to 1.2 times the true width
    from 50 counts, 1.0 to 1.6 times below that, in the middle. At most 4 % of the widths that are
    more than 15 % too narrow are not told.

    References
    ----------
    ISO 18115-1, Surface chemical analysis - Vocabulary, for the full width at half maximum.
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of the counts.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> top = sims.peak(ds, start="20 nm").sel(species="B")
    >>> print(f"{top['concentration'].item():.2e} atom/cm^3 at {top['depth'].item():.0f} nm")
    7.01e+19 atom/cm^3 at 75 nm
    """
    frame = open_frame(data, question="a peak", variable=variable, axes=vocabulary.AXES)
    window = read_window(frame, start, stop)
    bridge = bridges(gaps)
    asked = *window, frame.fraction, subtracted_level(frame)
    found, rests = frame.ask(kernels.peak, *asked, errors="fit")
    warn_of_empty_window(frame, window, among=found.status == Status.NO_DATA)
    cut = found.status == Status.TRUNCATED
    if anywhere(cut):
        warn_of_transient(frame, *window, cut)
    # The maximum is one of all samples of the window.
    everywhere = rests_on(frame, window, "samples").flags & Flag.SATURATED
    rests = rests._replace(flags=rests.flags | everywhere)
    what = "the maximum may lie in it, or be a higher one"
    status = resolve(frame, found.status, rests, window, what=what, bridge=bridge)
    narrow = first_flagged(frame, found.narrowed > _NARROWED)
    if narrow is not None:
        warn(
            f"{narrow.label}: samples beside the width, {narrow.of(found.fwhm):.3g} "
            f"{frame.axis_units}, are above half of the maximum, too, over "
            f"{narrow.of(found.fwhm * (1 + found.narrowed)):.3g} {frame.axis_units}: noise or a "
            "neighbour cut it short; a fit uses all samples",
            ProfileWarning,
        )
    name = frame.term
    results = {
        frame.axis: frame.of_axis(found.depth, "peak_depth"),
        name: frame.with_attrs(found.value, name, units_=frame.units),
        "fwhm": frame.of_axis(found.fwhm, "fwhm"),
        "status": frame.status(status),
    }
    if frame.stderr is not None:
        stderr = add_background_error(
            frame, found.stderr, lambda f: f.map(kernels.peak, *window).value
        )
        results[f"{name}_stderr"] = frame.with_attrs(
            stderr, name, units_=frame.units, long_name="Standard error of the maximum"
        )
    return frame.dataset(results)
