"""How sharp is this interface: from the data alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.errors import FitWarning
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve, support_of_window
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import warn_of_empty_window, warn_of_status, warn_where
from sims_analysis.frame.opening import interpolated, open_frame
from sims_analysis.frame.run import Fields, replaced_where
from sims_analysis.frame.window import Window, read_pair, read_window
from sims_analysis.interfaces.step import measure_step
from sims_analysis.kernels.rows import Array, changed
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.text.arguments import argument_error
from sims_analysis.units import ParameterLike

#: Where noise leaves open whether plateaus slope.
_MAY_SLOPE = (
    "the noise hides whether the plateaus slope, and position and width are off if they do; state "
    "the plateaus next to the step with left= and right="
)

#: What statuses say of a step.
_EXPLANATIONS = {
    "truncated": "a plateau ends, or is too short, before the step is complete; start= and stop=, "
    "or left= and right=, choose others if they were measured",
    "undetermined": "no sample lies on the step: its width is less than their distance",
    "wrong_shape": "the record leaves both plateaus, or has another edge; start= and stop= choose "
    "one step",
}

#: What is found of a step; its depths first, and their errors.
_FOUND = Fields(
    dict.fromkeys(
        (
            *("position", "width", "stderr", "width_stderr"),
            *("left_level", "right_level", "left_slope", "right_slope", "unsure", "status"),
        ),
        (),
    )
)


@recorded
def interface(
    data: xr.Dataset | xr.DataArray,
    *,
    low: float | str = 0.16,
    high: float | str = 0.84,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    left: tuple[ParameterLike, ParameterLike] | None = None,
    right: tuple[ParameterLike, ParameterLike] | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Measure position and width of the step between two plateaus, without a model.

    Not to be trusted on plateaus that ripple no faster than once over their length, or, below 100
    counts, slope and are no longer than the edge is wide: state `left` and `right`. With a model:
    ``fit(data, model="edge")``.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth or sputter time (answers are in seconds then), in any unit, on any axes.
    low, high : float or str
        Parts of the step between which the width is taken.
    start, stop : str, Quantity or DataArray, optional
        The window in which the interface lies.
    left, right : (start, stop), optional
        Depth windows of the plateaus towards the surface and below; by default what is level, or
        a line, from the step to the ends of the window.
    variable : str, optional
        In a Dataset, by default the one in which the species was measured, concentrations first.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a step across a gap between samples, which is ``gap`` otherwise.

    Returns
    -------
    Dataset
        Over the profiles:

        - ``position`` (``nm``): the depth of half of the step
        - ``width`` (``nm``): from `low` to `high`
        - ``position_stderr``, ``width_stderr`` (``nm``)
        - ``left_level``, ``right_level``: in the unit of the data; of a plateau that slopes, where
          its line passes the position
        - ``left_slope``, ``right_slope``: in the unit of the data per nm, 0 where a plateau is
          surely level
        - ``status``: ``ok``, ``no_data``, ``featureless`` (nowhere do means over a tenth of the
          record differ by five of their standard errors), ``truncated`` (a plateau ends before the
          step is complete, or is so short that the end of the step moves it), ``undetermined`` (no
          sample lies between the two parts: there is a position, known to the distance of the
          samples, and no width), ``wrong_shape`` (the record leaves both plateaus, or has another
          edge: choose a window), or what the step rests on, such as ``gap`` or ``saturated``

    Raises
    ------
    ProfileError
        If `low` and `high` are not parts in this order, or a window is the wrong way round.

    Warns
    -----
    FitWarning
        Where there is no interface to be measured, and where noise may hide that plateaus slope.

    Notes
    -----
    The samples between the plateaus are made monotone by least squares (isotonic regression), so
    that noise crosses each part once, and interpolated linearly. From 16 % to 84 % of an error
    function are 1.989 standard deviations (ISO 18115: the depth resolution). *Depth resolution*,
    on the site, says what plateaus are, and where errors come from.

    References
    ----------
    ASTM E1438, Guide for measuring widths of interfaces in sputter depth profiling using SIMS; ISO
    18115-1, Surface chemical analysis - Vocabulary: depth resolution, 16 % to 84 %.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> import sims_analysis as sims
    >>> from scipy.special import ndtr
    >>> z = xr.DataArray(np.arange(0.0, 100.0), dims="depth", attrs={"units": "nm"})
    >>> step = xr.DataArray(1e20 * ndtr((z - 50) / 4), dims="depth", coords={"depth": z},
    ...                     attrs={"units": "atom/cm^3"})
    >>> found = sims.interface(step)
    >>> print(f"{found['position'].item():.2f} {found['width'].item():.2f}")
    50.00 7.96
    """
    low, high = (units.read_fraction(part, name, of="the step")
                 for part, name in ((low, "low"), (high, "high")))  # fmt: skip
    if not low < 0.5 < high:
        raise argument_error("low", low, f"expected low < 0.5 < high, found {high=}")
    axes = vocabulary.AXES
    profiles = open_frame(data, question="an interface", variable=variable, axes=axes, gaps=gaps)
    window = read_window(profiles, start, stop)
    windows = [*window]
    for name, pair in (("left", left), ("right", right)):
        windows += read_pair(profiles, (None, None) if pair is None else pair, name)

    row = partial(_row, parts=(low, high), between=interpolated(profiles))

    def measure(frame: Frame) -> xr.Variable:
        return frame.each(row, profiles.fraction, *windows, size=_FOUND.size)

    rows = measure(profiles)
    part = _FOUND.variables(rows)
    stderr = add_background_error(
        profiles, rows[..., 2:4], lambda other: measure(other)[..., :2], errors=True
    )
    part |= {"stderr": stderr[..., 0], "width_stderr": stderr[..., 1]}
    part["status"] = _resolved(part, profiles, window)
    answer = _dataset(part, profiles)
    answer["width"].attrs["parts"] = f"{low:g} to {high:g}"
    if not profiles.lazy:
        empty = part["status"] == Status.NO_DATA
        warn_of_empty_window(profiles, window, empty, FitWarning)
        warn_of_status(profiles, answer["status"], "the interface is", says=_EXPLANATIONS)
        unsure = (part["unsure"] == 1) & (answer["status"] == "ok").variable
        warn_where(profiles, unsure, _MAY_SLOPE, FitWarning)
    return units.quantify(answer) if profiles.quantified else answer


def _row(*samples: Any, **how: Any) -> Array:
    return _FOUND.row(vars(measure_step(*samples, **how)))


def _resolved(part: Mapping[str, xr.Variable], profiles: Frame, window: Window) -> xr.Variable:
    """Return the statuses; a gap, and samples below a limit, matter only in the step."""
    position = part["position"]
    reach = part["width"].fillna(1e-9 * abs(position))  # between two samples, a depth alone
    step = position - reach, position + reach
    across = support_of_window(profiles, step)
    everywhere = support_of_window(profiles, window, "samples").flags & ~(GAP | Flag.BELOW_LIMIT)
    for end in window:  # one that lies in a gap is not where the samples begin
        everywhere = everywhere | support_of_window(profiles, (end, end), "point").flags & GAP
    everywhere = everywhere.where(position.notnull(), 0).astype(np.int16)
    support = changed(across, flags=across.flags | everywhere)
    codes = part["status"].fillna(Status.NO_DATA).astype(np.uint8)
    # A step between two samples of a gap is one that nothing determines.
    if not profiles.bridge:
        hole = (codes == Status.UNDETERMINED) & (across.flags != 0)
        codes = replaced_where(hole, codes, Status.OK)
    return resolve(profiles, codes, support, step, category=None)


def _dataset(part: Mapping[str, xr.Variable], profiles: Frame) -> xr.Dataset:
    attrs: dict[str, dict[str, str]] = {}
    for name in ("position", "width"):
        attrs[name] = vocabulary.attrs(f"interface_{name}", profiles.axis_units)
        attrs[f"{name}_stderr"] = attrs[name] | {"long_name": "Standard error, random part"}
    level = "mean over the plateau; of one that slopes, its line at the position"
    slope = "of the plateau; 0 where it is level"
    for name, text, per in (("level", level, ""), ("slope", slope, f" / {profiles.axis_units}")):
        for side, where in (("left", "above"), ("right", "below")):
            names = {"long_name": f"{name.capitalize()} {where}", "units": f"{profiles.units}{per}"}
            attrs[f"{side}_{name}"] = names | {"description": text}
    part = {**part, "position_stderr": part["stderr"]}
    answer = {name: xr.Variable(part[name].dims, part[name].data, of) for name, of in attrs.items()}
    answer["status"] = profiles.status(part["status"])
    return profiles.dataset(answer)
