"""Metallurgical junctions: depths at which donors and acceptors balance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np
import xarray as xr

from sims_analysis.analysis.crossings import (
    map_all,
    status_of_crossings,
    stderr_of_crossings,
)
from sims_analysis.conventions.canonical import species_of
from sims_analysis.errors import ProfileError, about
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import replaced_where, words
from sims_analysis.kernels import metallurgical as kernels
from sims_analysis.kernels.edges import Locate
from sims_analysis.text.arguments import (
    argument_error,
    check_bool,
    check_choice,
    format_argument,
    is_number,
    read_names,
)
from sims_analysis.units import ParameterLike

Dopants = Iterable[str] | Mapping[str, float]

#: Words of the kernels' polarities: 0, 1 and, at the end, -1.
_POLARITY = ("", "n->p", "p->n")


@recorded
def metallurgical_junctions(
    data: xr.Dataset | xr.DataArray,
    *,
    donors: Dopants = (),
    acceptors: Dopants = (),
    background: ParameterLike | None = None,
    max_count: int | None = None,
    locate: Locate = "auto",
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    strict: bool = False,
) -> xr.Dataset:
    """Find every depth at which the concentrations of donors and acceptors balance.

    Not to be trusted as the electrical junction: by default, every atom counts as active.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations over ``species`` and depth, on a shared axis or with one axis per species.
    donors, acceptors : list of str, or mapping of str to float
        Species; a mapping gives the active fraction of each, ``{"As": 0.9}``.
    background : str, Quantity or DataArray, optional
        Constant net doping: ``"2e15 atoms/cm^3"`` counts as donors, ``"-2e15 atoms/cm^3"`` as
        acceptors; one for all, or one for each measurement.
    max_count, locate, variable, gaps
        As for :func:`crossings`; of any of the species.
    strict : bool
        Raise where there is no junction.

    Returns
    -------
    Dataset
        Over ``junction``, in order of depth (and over measurements):

        - ``depth``, ``stderr`` (``nm``): NaN where the data carry no standard errors
        - ``concentration`` (``atom/cm^3``): of the acceptors, equal to that of the donors there
        - ``polarity``: ``"n->p"`` or ``"p->n"`` with depth
        - ``status``: as for :func:`crossings`, by the samples of any species; without a junction
          ``never_reached`` (one type of doping wherever all species were measured) or the reason
        - ``count``, a coordinate: number of junctions found, including those beyond `max_count`

    Raises
    ------
    SpeciesError, UnitsError, ProfileError
        If a species is not in the data, or on both sides; these hold no concentration; one side is
        empty; or a fraction is not in (0, 1].
    JunctionError
        With `strict`, where there is no junction.

    Notes
    -----
    With ``l = ln(N_A / N_D)`` at two neighbouring depths, the junction is at
    ``t = l0 / (l0 - l1)``; where a sum is not positive, net doping is linear. Different axes of the
    species are merged, each interpolated in its logarithm. Standard errors locate junctions as for
    :func:`crossings`.

    References
    ----------
    S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., Wiley 2007, chapter 2.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> first = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"]).isel(junction=0)
    >>> print(f"{first['depth'].item():.1f} nm, {first['polarity'].item()}")
    181.9 nm, p->n
    """
    active = read_dopants(donors, acceptors)
    if background is None and min(active.values()) * max(active.values()) > 0:
        side = "donors" if min(active.values()) > 0 else "acceptors"
        text = f"there are no {side}, and no background to balance the others"
        raise ProfileError(text, argument=side)
    options: Any = {"kinds": ("concentration",), "question": "a metallurgical junction"}
    opener = partial(open_frame, variable=variable, gaps=gaps, **options)
    frame, names = open_dopants(data, active, opener)
    fractions = np.array([active[name] for name in names])
    net = _net_doping(frame, background)
    check_bool("strict", strict)
    check_choice("locate", locate, get_args(Locate))
    settings: Any = {"group": "species", "fractions": fractions, "locate": locate}
    settings |= {"dim": "junction", "max_count": max_count}
    below = junctions_below_limit(frame, net, fractions)
    junctions = map_all(frame, kernels.metallurgical, net, below, **settings)
    stderr = _stderr(frame, junctions, fractions)
    status = status_of_crossings(frame, junctions, "metallurgical junction", strict=strict)
    term = "metallurgical_junction"
    junctions.number.attrs["long_name"] = "Number of junctions"
    return frame.dataset(
        {
            "depth": frame.with_attrs(junctions.depth, term),
            "stderr": frame.with_attrs(stderr, f"{term}_stderr"),
            "concentration": frame.with_attrs(
                junctions.value,
                "concentration",
                long_name="Concentration at the junction",
                description="of acceptors, equal to donors",
            ),
            "polarity": words(junctions.direction, _POLARITY, long_name="Polarity with depth"),
            "status": frame.status(status),
        },
        coords={"count": junctions.number},
    )


def _stderr(frame: Frame, junctions: Any, fractions: Any) -> xr.Variable:
    """Return standard errors: backgrounds that were subtracted from the species move net doping."""
    part = xr.Variable("species", abs(fractions))
    common = scale = None
    if frame.common is not None:
        common = ((part * frame.common.mean(frame.dim)) ** 2).sum("species") ** 0.5
    if frame.repeatability is not None:  # of two species, each is as high as the other there
        scale = junctions.value * (frame.repeatability**2).sum("species") ** 0.5
    return stderr_of_crossings(frame, junctions, common, scale, part=part)


def _net_doping(frame: Frame, background: ParameterLike | None) -> xr.Variable:
    if background is None:
        return xr.Variable((), 0.0)
    stated = frame.parameter(background, ("concentration",), "background")
    if "species" in stated.dims:
        raise ProfileError(
            "background is the net doping of the sample: give one value, not one for each species",
            argument="background",
        )
    endless: Any = np.isinf(stated)
    return replaced_where(endless, stated)


def junctions_below_limit(frame: Frame, net: xr.Variable, fractions: Any) -> xr.Variable:
    """Flag the measurements of which a junction may lie at samples that a file gives as <5E15.

    Doping of both types is possible, with such samples at 0 or at their limit; or there is no depth
    at which all species have a value.
    """
    if frame.limit is None:
        return xr.Variable((), False)
    below = frame.value.isnull() & frame.limit.notnull()

    options: Any = {"group": "species", "fractions": fractions}
    possible: Any = True
    for sign in (1, -1):
        part = xr.Variable("species", sign * fractions)
        filled = frame.value.where(~below, frame.limit.where(part > 0, 0.0))
        most = replace(frame, value=filled).map(kernels.net_doping, net, sign=sign, **options).value
        possible = possible & (most >= 0)
    possible = possible | frame.map(kernels.net_doping, net, sign=1, **options).value.isnull()
    flags: xr.Variable = possible & below.any(("species", frame.dim))
    return flags


@about(argument="donors")
def read_dopants(donors: Dopants, acceptors: Dopants) -> dict[str, float]:
    """Return the active fraction of each species; those of donors are negative."""
    donor, acceptor = _fractions(donors, "donors"), _fractions(acceptors, "acceptors")
    shared = set(donor) & set(acceptor)
    if shared:
        raise ProfileError(f"{', '.join(map(repr, sorted(shared)))}: both donor and acceptor")
    if not (donor or acceptor):
        raise ProfileError("name the donors and the acceptors: donors=['P'], acceptors=['B']")
    return {**{name: -part for name, part in donor.items()}, **acceptor}


def _fractions(dopants: Dopants, name: str) -> dict[str, float]:
    if isinstance(dopants, str):
        raise argument_error(name, dopants, f"expected a list of species, [{dopants!r}]")
    if not isinstance(dopants, Mapping):
        listed: Any = dopants
        dopants = dict.fromkeys(read_names(name, listed) if np.size(listed) else [], 1.0)
    for species, fraction in dopants.items():
        if not (is_number(fraction) and 0 < fraction <= 1):
            raise ProfileError(
                f"{name}[{species!r}]={format_argument(fraction)}; an active fraction is a number "
                "above 0, at most 1, such as 0.9",
                argument=name,
            )
    return {str(species): float(fraction) for species, fraction in dopants.items()}


def open_dopants(
    data: Any, dopants: Collection[str], opener: Callable[[Any], Frame]
) -> tuple[Frame, list[str]]:
    """Open the data of these species; also return their names in the order of the data."""
    frame = opener(data)
    present = species_of(data, *dopants, name="donors and acceptors")
    if "species" not in frame.lead:
        data = data.expand_dims("species")
        frame = opener(data)
    positions = [i for i, name in enumerate(present) if name in dopants]
    if len(positions) < len(present):
        frame = opener(data.isel(species=positions))
    return frame, [present[i] for i in positions]
