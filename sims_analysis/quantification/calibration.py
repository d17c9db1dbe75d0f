"""Sputter time to depth: by a rate, a crater depth, rates of layers, or known depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import of_known
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.evidence import with_evidence
from sims_analysis.quantification.arguments import over_composition
from sims_analysis.quantification.depth_axis import (
    moved,
    open_axis,
    read_scale_uncertainty,
    with_stretched_dose,
)
from sims_analysis.quantification.scales import MarkerLine, by_line, line_through, read_scale
from sims_analysis.text.arguments import check_bool, type_error
from sims_analysis.units import Data, ParameterLike, QuantityLike


@processing_step()
def calibrate_depth(
    data: Data,
    *,
    rate: ParameterLike | Sequence[tuple[QuantityLike | None, QuantityLike]] | None = None,
    crater_depth: ParameterLike | None = None,
    total_time: ParameterLike | None = None,
    relative_rates: Sequence[tuple[QuantityLike | None, float]] | None = None,
    markers: Sequence[tuple[QuantityLike, QuantityLike]] | xr.Dataset | None = None,
    depths: Sequence[QuantityLike] | xr.DataArray | None = None,
    apply_offset: bool = False,
    depth_uncertainty: float | ParameterLike | None = None,
) -> Data:
    """Turn sputter time into depth: ``z = v t``, the surface at t = 0.

    By layers at known depths (`markers`, `depths`), also an apparent depth into a true one. Not to
    be trusted to a nanometre: in the surface transient, where no marker may lie, the rate changes.

    Parameters
    ----------
    data : Dataset or DataArray
        On a sputter-time axis, or with a fit as `markers` on that of the fit.
    rate : str, Quantity, DataArray or list of (stop_time, rate), optional
        ``"0.5 nm/s"``; a DataArray over ``measurement`` gives each its own, and one along the
        samples that at each (linear between them); one over the element of a :func:`composition`
        follows its atomic fraction. A coordinate ``stderr`` is its error. For layers, in order,
        where each ends and its rate: ``[("120 s", "0.3 nm/s"), (None, "0.5 nm/s")]``, None for the
        rest of the record.
    crater_depth : str, Quantity or DataArray, optional
        Depth of the crater after `total_time`: ``v = crater_depth / total_time``.
    total_time : str, Quantity or DataArray, optional
        By default the time of the last sample; to be stated if sputtering went on after it.
    relative_rates : list of (stop_time, number), optional
        With `crater_depth`, for layers whose rates are known relative to each other:
        ``[("120 s", 1.0), (None, 0.6)]``.
    markers : list of (time, depth) or Dataset, optional
        Known depths, for instance of interfaces: ``[("120 s", "40 nm"), ("300 s", "95 nm")]``, with
        a constant rate between them and from the surface. The last is the end of the record, or a
        rate for the rest of it, ``(None, "0.5 nm/s")``. Or a Dataset: a fit of several layers,
        ``fit(data, model="delta_drf", repeat=5)``, over the axis of the data, at known `depths`.
    depths : sequence of str or Quantity, or DataArray, optional
        With a fit as `markers`: the certified depth of each layer.
    apply_offset : bool
        With a fit as `markers`: shift depths by the offset of the line, too, as mixing does.
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the depth scale (of certified `depths`), relative, such as ``0.05``
        or ``"5 %"``, or in the unit of the rate or the crater depth. That of the line or of the
        rate is added (of one that follows a :func:`composition`, the largest).

    Returns
    -------
    Dataset or DataArray
        Over depth (``nm``), with the values unchanged; ``sputter_time`` is kept as a coordinate.
        ``crater_depth`` and ``depth_scale_uncertainty`` (relative; :func:`dose_budget` reads it)
        are coordinates if known; the attr ``calibration`` of the depth, and the history, say what
        was done. Measurements with rates of their own get their own depth axes, over ``point``.

        With a fit as `markers`, also the coordinates ``sputter_rate`` (``nm/s``; on a depth axis
        ``depth_factor``, ``1``) and ``depth_offset`` (``nm``) with their ``_stderr``;
        ``marker_misfit`` (``1``), chi-square of the line over its degrees of freedom; and
        ``marker_status``: ``ok``; ``two_markers``, which have no misfit; or ``bent``, where
        chance makes the misfit as large in less than 0.5 % of cases.

    Raises
    ------
    ProfileError
        If not one of `rate`, `crater_depth` and `markers` is given, the data have a depth axis, an
        argument ends before the record, or a fit is not ``ok``.
    UnitsError
        If an argument has no unit, or one of another kind.

    Warns
    -----
    ProfileWarning
        Where the composition that a rate follows is not known, or of saturated samples.
    FitWarning
        If the layers of a fit are only two, or do not lie on a straight line.

    Notes
    -----
    Apparent positions p and certified depths d lie on ``p = a + b d`` by generalised least squares
    with the covariance V of the fit, ``(A' V^-1 A)^-1 A' V^-1 p``; the rate is ``1 / b`` and the
    offset ``-a / b``.

    References
    ----------
    ISO 17109, Surface chemical analysis - Depth profiling - Method for sputter rate determination.
    ISO 23812, Surface chemical analysis - Secondary-ion mass spectrometry - Method for depth
    calibration for silicon using multiple delta-layer reference materials (by its abstract).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")
    >>> ds = sims.calibrate_depth(
    ...     ds, crater_depth="210 nm", total_time="500 s", depth_uncertainty=0.05
    ... )
    >>> ds["depth"].attrs["calibration"]
    'z = 0.42 nm/s * t (crater 210 nm in 500 s)'
    """
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise type_error("data", data, "expected a Dataset or a DataArray")
    if sum(argument is not None for argument in (rate, crater_depth, markers)) != 1:
        raise ProfileError(
            "give exactly one of rate, crater_depth and markers", code="conflicting_arguments"
        )
    for name, argument in (("total_time", total_time), ("relative_rates", relative_rates)):
        if argument is not None and crater_depth is None:
            raise ProfileError(
                f"{name} applies only with crater_depth", code="conflicting_arguments"
            )
    fit = markers if isinstance(markers, xr.Dataset) else None
    check_bool("apply_offset", apply_offset)
    if fit is None and (depths is not None or apply_offset):
        text = "depths and apply_offset apply only with a fit as markers"
        raise ProfileError(text, code="conflicting_arguments")
    plain: Any = units.dequantify(data)
    axis = "sputter_time" if fit is None else str(fit.attrs.get("axis", "depth"))
    _refuse_axis(plain, axis)
    plain = with_evidence(plain)
    opened = open_axis(plain, axis)
    line = None if fit is None else line_through(opened.frame, fit, depths)
    if line is None:
        rate = over_composition(plain, rate, "rate", "it is that of its neighbours")
        scale = read_scale(opened, rate, crater_depth, total_time, relative_rates, markers)
    else:
        scale = by_line(line, axis, apply_offset=apply_offset)
    stated = read_scale_uncertainty(opened, depth_uncertainty, scale)
    errors = [error for error in (stated, scale.relative) if error is not None]
    uncertainty = of_known(*errors) if errors else None
    earlier = plain["depth"].attrs.get("calibration") if axis == "depth" else None
    calibration = scale.text if earlier is None else f"{earlier}; then {scale.text}"
    scaled = moved(opened, scale, calibration, uncertainty)
    if line is not None:
        scaled = with_stretched_dose(scaled.assign_coords(_line_coords(line, axis)))
    note = f"{axis.replace('_', ' ')} calibrated to depth, {scale.text}"
    result = with_history(scaled, note)
    calibrated: Data = units.quantify(result) if units.is_quantified(data) else result
    return calibrated


def _refuse_axis(plain: Any, axis: str) -> None:
    if axis == "depth" and "depth" not in plain.coords:
        raise ProfileError(
            "markers: the fit is over depth, and the data have no depth axis", argument="markers"
        )
    if axis != "depth" and "depth" in plain.coords:
        raise ProfileError("the data are already on a depth axis", code="already_changed")
    if axis not in plain.coords:
        raise ProfileError(
            "the data have no sputter-time axis to calibrate: expected a coordinate sputter_time",
            code="missing_axis",
        )


def _line_coords(line: MarkerLine, axis: str) -> dict[str, xr.Variable]:
    """Return coordinates that say how well the line through layers is known."""
    rate = "sputter_rate" if axis == "sputter_time" else "depth_factor"
    names = [rate, f"{rate}_stderr", "depth_offset", "depth_offset_stderr"]
    return {
        name: xr.Variable(variable.dims, variable.data, vocabulary.attrs(name))
        for name, variable in zip([*names, "marker_misfit", "marker_status"], line, strict=True)
    }
