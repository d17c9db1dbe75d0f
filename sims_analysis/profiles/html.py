"""HTML of results in a notebook: a table with a row for each profile.

Plain HTML, without scripts or style sheets. Records are typed ``Any``, because the profiles import
this module.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sims_analysis.kernels.rows import Array


_HEADERS = ("species", "samples", "depth or time", "values")


def result_html(result: Any) -> str:
    """Return the HTML of a result: a heading, and a row for each species."""
    about = [f"<b>SIMSResult</b> <code>{html.escape(result.data_id)}</code>"]
    about += [
        f"{html.escape(key)}: {html.escape(str(value))}"
        for key, value in result.provenance.items()
        if key in ("source", "retrieved")
    ]
    about += [
        f"{key}: {html.escape(getattr(result.metadata, key))}"
        for key in ("instrument", "sample", "measured")
        if getattr(result.metadata, key)
    ]
    if not result.depth_profiles:
        about.append("no SIMS data")
    return f"<div><div>{' &middot; '.join(about)}</div>{_table(result.depth_profiles)}</div>"


def profile_html(profile: Any) -> str:
    """Return the HTML of one profile."""
    return f"<div><div><b>DepthProfile</b></div>{_table([profile])}</div>"


def _table(profiles: Sequence[Any]) -> str:
    if not profiles:
        return ""
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in _HEADERS)
    rows = "".join(f"<tr>{''.join(_cells(profile))}</tr>" for profile in profiles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(profile: Any) -> list[str]:
    depths, values = profile.depths, profile.concentrations
    measured = values[~np.isnan(values)]
    count = f"{measured.size}"
    if measured.size < values.size:
        count += f" of {values.size}"
    texts = [
        _typeset.html(profile.species_name),
        count,
        _span(depths, profile.depth_units),
        _span(measured, profile.concentration_units),
    ]
    return [f"<td style='text-align:left'>{text}</td>" for text in texts]


def _span(values: Array, units: str) -> str:
    if not values.size:
        return "nothing measured"
    return f"{values.min():.4g} to {values.max():.4g} {html.escape(units)}"
