"""The sheet resistance that a doping profile should have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.analysis.metallurgical import junctions_below_limit, open_dopants, read_dopants
from sims_analysis.electrical.mobility import CHARGE, MOBILITIES
from sims_analysis.errors import FitWarning, ProfileError
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import (
    GapPolicy,
    anywhere_along,
    material_support,
    resolve,
    support_of_window,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, first_flagged, warn_of_empty_window, warn_of_status
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import Fields, anywhere, is_nan, may_hold, replaced_where, words
from sims_analysis.frame.window import NO_LIMITS, Window, read_window
from sims_analysis.kernels.levels import find, locate
from sims_analysis.kernels.rows import Dense, changed, ends
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.kernels.segments import interpolated, record_weights
from sims_analysis.kernels.transient import RULES as TRANSIENT
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.kernels.truncation import cut_off
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import argument_error, check_choice
from sims_analysis.units import NM_PER_CM, ParameterLike, QuantityLike

#: The part of a layer that may be due to a transient.
_NOTABLE = 0.01
#: Standard errors of its dose from which a layer between two junctions is one.
_SIGNIFICANT = 3.0
#: By the sign of the carriers, 0, 1 or -1.
_TYPES = ("", "n", "p")
#: What is found of a measurement; by each mobility, the sheet conductance in siemens.
_FOUND = Fields(
    dict.fromkeys(("conductance", "stderr", *MOBILITIES, "depth", "dose", "polarity", "status"), ())
)


@dataclass(frozen=True)
class _Question:
    """What is computed of each measurement; depths in nm, concentrations in atom/cm^3."""

    #: Of each species: the type (+1 a donor, -1 an acceptor), and what of it can be active.
    sign: Array
    limit: Array
    #: Elements whose mobility is used, for electrons and for holes.
    elements: tuple[str, str]
    mobility: str
    background: float

    @property
    def only(self) -> float:
        """The only type of doping; 0 if there are both, and can be a junction."""
        types = {*self.sign.tolist(), np.sign(self.background)} - {0.0}
        return 0.0 if len(types) > 1 else float(types.pop())

    def active(self, values: Array) -> Array:
        """Return what is active; noise about 0 keeps its sign: without, it would be carriers."""
        active: Array = np.minimum(values, self.limit[:, None])
        return active

    def net(self, values: Array) -> Array:
        """Return the net doping at each depth."""
        net: Array = self.sign @ self.active(values) + self.background
        return net

    def conductivity(self, values: Array, mobility: str, signs: Array) -> Array:
        """Return mobility times carriers of a sign, at each depth.

        Less than 0 where noise has others: their absolute values would make carriers of noise.
        """
        total = np.abs(self.active(values)).sum(axis=0) + abs(self.background)
        electrons, holes = (MOBILITIES[mobility](total, element) for element in self.elements)
        sigma: Array = np.where(signs > 0, electrons, holes) * (signs * self.net(values))
        return sigma

    def slopes(self, values: Array, signs: Array) -> Array:
        """Return the derivatives of the conductivity over the values of each species."""
        base, slopes = self.conductivity(values, self.mobility, signs), np.empty_like(values)
        for i, value in enumerate(values):
            step = 1e-5 * np.maximum(np.abs(value), 1e-12 * np.abs(value).max() + 1.0)
            moved = values.copy()
            moved[i] += step
            slopes[i] = (self.conductivity(moved, self.mobility, signs) - base) / step
        return slopes


@recorded
def sheet_resistance(
    data: xr.Dataset | xr.DataArray,
    *,
    donors: Iterable[str] = (),
    acceptors: Iterable[str] = (),
    mobility: Literal["masetti", "arora", "f723"] = "masetti",
    active_limit: QuantityLike | Mapping[str, QuantityLike] | None = None,
    background: QuantityLike | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Estimate the sheet resistance of the layer above the first junction, in silicon at 300 K.

    Not to be trusted as a measurement: every atom below the active limit counts as active and
    ionized, and mobilities are those of bulk silicon. Where the maximum has fewer than 100 counts,
    scatter makes them too high: `stop` where the profile has fallen to a tenth of its maximum.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations over species and depth; one measurement or a batch, on any axes.
    donors, acceptors : list of str
        Species.
    mobility : {"masetti", "arora", "f723"}
        The mobility model; the results of the others are returned as well.
    active_limit : str, Quantity or mapping, optional
        The highest concentration that is electrically active, for all species or for each:
        ``{"B": "1e20 atoms/cm^3"}``. Without it, every atom is.
    background : str or Quantity, optional
        Constant net doping of the wafer: ``"2e15 atoms/cm^3"`` counts as donors, negative as
        acceptors.
    start, stop : str, Quantity or DataArray, optional
        Limits of the layer, in place of the first sample and the first junction. A surface
        transient is left out by `start`.
    variable, gaps
        As for :func:`integrated_dose`.

    Returns
    -------
    Dataset
        Over the measurements:

        - ``sheet_resistance`` (``ohm``, per square)
        - ``sheet_resistance_stderr`` (``ohm``): the random part, where the data carry standard
          errors; that of backgrounds that were subtracted, each common to its species, is in it
        - ``sheet_resistance_masetti``, ``sheet_resistance_arora``, ``sheet_resistance_f723``
          (``ohm``): by each mobility
        - ``model_spread`` (``1``): half of the range of these over the answer
        - ``layer_depth`` (``nm``): where the layer ends
        - ``carrier_dose`` (``atom/cm^2``): the net active dopants in it
        - ``polarity``: ``"n"`` or ``"p"``
        - ``status``: ``ok``; with a number, what the layer rests on, such as ``gap``, or
          ``truncated`` where the record begins or ends inside the profile; without one,
          ``never_reached`` (both types of doping, and no junction), ``below_limit`` (the junction
          may lie where a file says ``<5E15``), ``truncated`` (`stop` is below the last sample),
          ``no_data``, or ``below_detection`` (the conductance is within its standard error)

    Raises
    ------
    SpeciesError, ProfileError, UnitsError
        If a species is not in the data, or both donor and acceptor; if none is named; or if the
        data hold no concentrations over depth.

    Warns
    -----
    FitWarning
        By the status; and where 1 % of the answer is due to a surface transient.

    Notes
    -----
    ``R = 1 / (q integral of mu(N_D + N_A) |N_D - N_A| dz)``, by the trapezoid rule on the depths
    of all species together, each interpolated in its logarithm. Electrons take the parameters of
    the donor with the larger dose (arsenic, otherwise phosphorus), holes those of boron.

    References
    ----------
    G. Masetti, M. Severi, S. Solmi, IEEE Trans. Electron Devices 30 (1983) 764; N. D. Arora, J. R.
    Hauser, D. J. Roulston, IEEE Trans. Electron Devices 29 (1982) 292; ASTM F723 (SEMI MF723).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> found = sims.sheet_resistance(ds, donors=["P"], acceptors=["B"], start="15 nm")
    >>> print(f"{found['sheet_resistance'].item():.0f} ohm, {found['polarity'].item()} type")
    229 ohm, p type
    """
    check_choice("mobility", mobility, MOBILITIES)
    signs = _signs(donors, acceptors)
    opened = partial(
        open_frame,
        question="a sheet resistance",
        kinds=("concentration",),
        variable=variable,
        axes=("depth",),
        gaps=gaps,
    )
    profiles, names = open_dopants(data, signs, opened)
    if profiles.stderr is not None:  # those of sums: grid values share samples
        profiles = replace(profiles, stderr=profiles.stderr / profiles.fraction**0.5)
    window = read_window(profiles, start, stop)
    if any("species" in limit.dims for limit in window):
        raise ProfileError(
            "start and stop: one for all species, not one for each", argument="start"
        )
    stated = "0 atoms/cm^3" if background is None else background
    net = units.read_number(stated, ("concentration",), "background")
    if not np.isfinite(net):
        raise argument_error("background", background, "expected a finite number")
    question = _Question(
        sign=np.array([signs[name] for name in names]),
        limit=_limits(profiles, active_limit),
        elements=("As" if _is_arsenic(profiles, signs, names) else "P", "B"),
        mobility=mobility,
        background=net,
    )

    def measure(frame: Frame, limits: Window = window) -> dict[str, xr.Variable]:
        row = partial(_row, question)
        return _FOUND.variables(frame.each(row, *limits, size=_FOUND.size, group="species"))

    def conductance_of(frame: Frame, limits: Window = window) -> xr.Variable:
        return measure(frame, limits)["conductance"]

    part = measure(profiles)
    stderr = add_background_error(profiles, part["stderr"], conductance_of, group="species")
    part["status"] = part["status"].fillna(Status.NO_DATA).astype(np.uint8)
    part |= _with_junctions_below_limit(profiles, part, window[1], question)
    part["status"] = _resolved(profiles, part, stderr, window, conductance_of)
    answer = _dataset(profiles, part, stderr, mobility)
    answer.attrs["mobility"] = f"{mobility}, electrons as of {question.elements[0]}, holes as of B"
    if not profiles.lazy:
        warn_of_empty_window(profiles, window, part["status"] == Status.NO_DATA, FitWarning)
        # Those that rest on samples below a limit have warned.
        answered: Any = part["conductance"].notnull()
        answered &= (part["status"] == Status.BELOW_LIMIT) | (part["status"] == Status.TRUNCATED)
        status = answer["status"].where(~answered, "ok")
        ends = "never_reached", "truncated", "below_limit"
        more = dict.fromkeys(ends, "; say where the layer ends by stop=")
        fine = ("ok", "no_data", "gap", "saturated")
        warn_of_status(profiles, status, "no sheet resistance:", fine, more)
        if start is None:
            carries: Any = xr.Variable("species", question.sign) == part["polarity"]
            _warn_of_transient(
                profiles, part, carries, lambda end: conductance_of(profiles, (end, window[1]))
            )
    return units.quantify(answer) if profiles.quantified else answer


def _with_junctions_below_limit(
    profiles: Frame, part: Mapping[str, xr.Variable], stop: xr.Variable, question: _Question
) -> dict[str, xr.Variable]:
    """Mark where no junction is found, but one may lie at samples below their limit."""
    status, polarity = part["status"], part["polarity"]
    absent = (status == Status.NO_DATA) | (status == Status.NEVER_REACHED)
    if not question.only:
        active = profiles.value.clip(max=xr.Variable("species", question.limit))
        background = xr.Variable((), question.background)
        capped = replace(profiles, value=active)
        possible = junctions_below_limit(capped, background, -question.sign)
        below = absent & possible & stop.isnull()
        status = replaced_where(below, status, Status.BELOW_LIMIT)
    return {"status": status, "polarity": replaced_where(absent, polarity, 0.0)}


def _resolved(
    profiles: Frame,
    part: Mapping[str, xr.Variable],
    stderr: xr.Variable,
    window: Window,
    conductance: Callable[[Frame], xr.Variable],
) -> xr.Variable:
    """Return the statuses, with those of layers that rest on what was not measured."""
    layer, answer = (window[0], part["depth"]), part["conductance"]
    stated = may_hold(~is_nan(window[1]))
    of_each = support_of_window(profiles, layer, "curve" if stated else "record")
    support = material_support(
        profiles,
        changed(of_each, flags=anywhere_along(of_each.flags.astype(np.int16), "species")),
        xr.ones_like(answer),
        stderr / answer,
        lambda other: conductance(other) / answer,
    )
    begins, at_end = profiles.map(cut_off)
    last = replace(profiles, lower=None, upper=None).map(ends).last  # not the edge of its cell
    # A layer without a junction ends where the record does.
    cut = begins & is_nan(window[0]) | at_end & is_nan(window[1]) & (part["depth"] >= last)
    doubt = Doubt(cut.any("species"), Status.TRUNCATED, _CUT, {"remedy": _ACCEPT})
    options: Any = {"what": "the layer is interpolated across it", "category": FitWarning}
    return resolve(profiles, part["status"], support, layer, doubts=[doubt], **options)


_CUT = "the record begins or ends inside the profile, and the layer is cut off there"
_ACCEPT = "start= and stop= accept the layer between two depths"


def _warn_of_transient(
    profiles: Frame,
    part: Mapping[str, xr.Variable],
    carries: xr.Variable,
    below: Callable[[xr.Variable], xr.Variable],
) -> None:
    """Warn of the first layer that begins in a surface transient, which carries a part of it.

    Or all of it, if that of a species that `carries` the current reaches deeper than the layer.
    """
    transient: Any = profiles.map(surface_transient, *NO_LIMITS, errors="fit")
    depth, end = part["depth"], transient.end.where(transient.end < TRANSIENT.deepest)
    end = end.where((end < depth) | carries).max("species")
    if not anywhere(end.notnull()):
        return
    share = (1 - below(end) / part["conductance"]).where(~(end >= depth), 1.0)
    first = first_flagged(profiles, share > _NOTABLE)
    if first is not None:
        at = f'start="{first.of(end):g} nm"'
        first.warn(
            f"the record begins in a surface transient, and {first.of(share):.0%} "
            f"of the sheet conductance lies above {first.of(end):g} nm, where a profile is lowest "
            f'before its maximum; {at} leaves it out, start="0 nm" accepts it',
            FitWarning,
            code="surface_transient",
        )


def _signs(donors: Any, acceptors: Any) -> dict[str, float]:
    """Return the charge that each species gives the crystal's carriers."""
    active = read_dopants(donors, acceptors)
    if any(abs(part) != 1 for part in active.values()):
        text = "a sheet resistance takes no active fractions; active_limit= bounds them"
        raise ProfileError(text, argument="donors")
    return {name: -part for name, part in active.items()}


def _limits(profiles: Frame, active_limit: Any) -> Array:
    """Read the highest active concentration of each species; infinite without one."""
    read = profiles.parameter(active_limit, ("concentration",), "active_limit").fillna(np.inf)
    if not {*read.dims} <= {"species"} or not (read > 0).all():
        raise argument_error("active_limit", active_limit, "expected positive limits")
    limits: Array = read.set_dims({"species": profiles.sizes["species"]}).values
    return limits


def _is_arsenic(profiles: Frame, signs: Mapping[str, float], names: list[str]) -> bool:
    """Return whether most donors are arsenic; in lazy data, whether some are."""
    donors = [i for i, name in enumerate(names) if signs[name] > 0]
    arsenic = [i for i in donors if re.match("[^A-Z]*As", names[i])]  # "75As"
    if len(arsenic) in (0, len(donors)) or profiles.lazy:
        return bool(arsenic)
    sums = [float(profiles.value.isel(species=i).sum()) for i in donors]
    return donors[int(np.argmax(sums))] in arsenic


def _row(question: _Question, z: Array, c: Array, s: Array, k: Array, *window: float) -> Array:
    s = np.where(k == 0, 0.0, s)  # in a sum, a sample of no counts adds no variance
    order = [in_order(*columns) for columns in zip(z, c, strict=True)]
    species = [_Species(z[i][at], c[i][at], s[i][at]) for i, at in enumerate(order)]
    word, numbers = _measured(question, species, *window)
    return _FOUND.row({"polarity": 0.0, **numbers, "status": Status[word.upper()]})


class _AtDepths(NamedTuple):
    """Values of a species at depths, and the sample before each and the part of the way beyond."""

    value: Array
    before: Array
    part: Array


class _Species(NamedTuple):
    """The samples of a species in order of depth, with standard errors."""

    z: Array
    c: Array
    s: Array

    def at(self, depths: Array) -> _AtDepths:
        before = np.clip(np.searchsorted(self.z, depths, side="right") - 1, 0, self.z.size - 2)
        part = (depths - self.z[before]) / (self.z[before + 1] - self.z[before])
        value = interpolated(self.c[before], self.c[before + 1], part, log=True)
        return _AtDepths(value, before, part)

    def variance(self, at: _AtDepths, slope: Array) -> float:
        """Return the variance of ``sum(slope * value)``, by the errors of the samples."""
        by_sample = np.zeros(self.c.size)
        low, high = self.c[at.before], self.c[at.before + 1]
        positive = (low > 0) & (high > 0)
        to_low = np.where(positive, at.value / low, 1.0) * (1 - at.part)
        to_high = np.where(positive, at.value / high, 1.0) * at.part
        np.add.at(by_sample, at.before, slope * to_low)
        np.add.at(by_sample, at.before + 1, slope * to_high)
        return float(np.nansum((by_sample * self.s) ** 2))


def _measured(
    question: _Question, species: Sequence[_Species], start: float, stop: float
) -> tuple[str, dict[str, float]]:
    """Return the status of one measurement, and what is known of its layer."""
    if min(s.z.size for s in species) < 2:
        return "no_data", {}
    first = np.fmax(max(s.z[0] for s in species), start)
    last = min(s.z[-1] for s in species)
    depths = np.unique(np.concatenate([*(s.z for s in species), [first]]))
    depths = depths[(depths >= first) & (depths <= last)]
    if depths.size < 2:
        return "no_data", {}
    changes, types = _types(depths, species, question)
    of_all = {"polarity": float(types[0])} if types.size == 1 else {}
    if np.isnan(stop):
        turned = changes[np.flatnonzero(np.diff(types))]
        if not (turned.size or question.only):
            return "never_reached", of_all
        stop = float(turned[0]) if turned.size else last
    if stop > last:
        return "truncated", of_all
    if stop <= first:
        return "no_data", {}
    depths = np.append(depths[depths < stop], stop)
    at = [s.at(depths) for s in species]
    values = np.stack([s.value for s in at])
    weight = record_weights(depths) / NM_PER_CM
    signs = types[np.searchsorted(changes, depths)]  # a change belongs to what is above it
    net = question.net(values)
    numbers = {
        name: CHARGE * float(weight @ question.conductivity(values, name, signs))
        for name in MOBILITIES
    }
    conductance, stderr = numbers[question.mobility], np.nan
    if any(np.isfinite(s.s).any() for s in species):
        slopes = CHARGE * weight * question.slopes(values, signs)
        variances = (s.variance(*args) for s, *args in zip(species, at, slopes, strict=True))
        stderr = float(np.sqrt(sum(variances)))
    if conductance < np.fmax(stderr, 0.0):
        return "below_detection", of_all
    return "ok", numbers | {
        "conductance": conductance,
        "stderr": stderr,
        "depth": stop,
        "dose": float(weight @ (signs * net)),
        "polarity": float(np.sign(weight @ net)),
    }


def _types(depths: Array, species: Sequence[_Species], question: _Question) -> tuple[Array, Array]:
    """Return where the type changes, and the signs of the carriers before, between and after.

    Layers that noise has made belong to their neighbours.
    """
    if question.only:
        return np.empty(0), np.array([question.only])
    values = np.stack([s.at(depths).value for s in species])
    active = question.active(values).clip(0.0)
    donors = question.sign.clip(0) @ active + max(question.background, 0.0)
    acceptors = (-question.sign).clip(0) @ active + max(-question.background, 0.0)
    sides = Dense(depths, acceptors[None]), donors[None]
    crossed = find(*sides)
    changes = locate(*sides, crossed).depth if crossed.row.size else np.empty(0)
    net, weight = donors - acceptors, record_weights(depths)
    layer, count = np.searchsorted(changes, depths), changes.size + 1
    integral = np.bincount(layer, weight * net, count)
    sure = np.arange(count)
    variance = sum(np.interp(depths, s.z, s.s) ** 2 for s in species)
    if np.isfinite(variance).all():
        error = np.sqrt(np.bincount(layer, weight**2 * variance, count))
        sure = np.flatnonzero(np.abs(integral) > _SIGNIFICANT * error)
    if not sure.size:
        return np.empty(0), np.zeros(1)
    # The middle one of an odd number of changes between two layers is theirs.
    nearest = sure[np.searchsorted((sure[:-1] + sure[1:] + 1) // 2, np.arange(count), "right")]
    return changes, np.sign(integral[nearest])


def _dataset(
    profiles: Frame, part: Mapping[str, xr.Variable], stderr: xr.Variable, mobility: str
) -> xr.Dataset:
    answer, term, dress = 1 / part["conductance"], "sheet_resistance", profiles.with_attrs
    columns = xr.Variable.concat([1 / part[name] for name in MOBILITIES], "__row__")
    spread = (columns.max("__row__") - columns.min("__row__")) / 2 / answer
    variables = {
        term: dress(answer, term, mobility=mobility),
        f"{term}_stderr": dress(stderr / part["conductance"] ** 2, f"{term}_stderr"),
    }
    for name, value in zip(MOBILITIES, columns.transpose("__row__", ...), strict=True):
        variables[f"{term}_{name}"] = dress(value, term, mobility=name)
    about = {"long_name": "Spread of the mobility models", "description": "half range / answer"}
    spread.attrs = {"units": "1", **about}
    variables["model_spread"] = profiles.as_the_data(spread)
    variables["layer_depth"] = dress(part["depth"], "depth", description="where the layer ends")
    in_layer = "net active dopants of the layer"
    variables["carrier_dose"] = dress(part["dose"], "dose", description=in_layer)
    variables["polarity"] = words(part["polarity"], _TYPES, long_name="Type of the layer")
    variables["status"] = profiles.status(part["status"])
    return profiles.dataset(variables)
