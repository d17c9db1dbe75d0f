"""HTML of results in a notebook: a table with a sparkline of each profile.

Plain HTML and SVG, without scripts, style sheets or a plotting library. Records are typed ``Any``,
because the profiles import this module.
"""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sims_analysis.kernels.rows import Array


_WIDTH, _HEIGHT = 160, 36
#: Most points that a sparkline of this width can show.
_POINTS = 240
_HEADERS = ("species", "samples", "depth or time", "values", "")


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
        _sparkline(depths, values),
    ]
    return [f"<td style='text-align:left'>{text}</td>" for text in texts]


def _span(values: Array, units: str) -> str:
    if not values.size:
        return "nothing measured"
    return f"{values.min():.4g} to {values.max():.4g} {html.escape(units)}"


def _sparkline(depths: Array, values: Array) -> str:
    """Draw a profile on a log scale; zero and negative samples part the line."""
    shown = ~np.isnan(values)
    x, y = depths[shown], values[shown]
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    positive = y > 0
    if not positive.any() or x[0] == x[-1]:
        return ""
    log = np.log10(np.where(positive, y, np.nan))
    low, high = math.floor(np.nanmin(log)), math.ceil(np.nanmax(log))
    high += high == low
    across = (x - x[0]) / (x[-1] - x[0]) * (_WIDTH - 2) + 1
    down = (_HEIGHT - 4) * (1 - (log - low) / (high - low)) + 1
    lines = "".join(
        f"<polyline points='{_points(across[run], down[run])}'/>" for run in _runs(positive)
    )
    label = f"log scale, 1e{low} to 1e{high}"
    return (
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='{label}'>"
        f"<title>{label}</title>"
        "<g fill='none' stroke='currentColor' stroke-linecap='round'>"
        f"{lines}</g></svg>"
    )


def _runs(mask: Any) -> list[slice]:
    """Return the runs of consecutive samples where a mask is true."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _points(across: Array, down: Array) -> str:
    count = min(max(2, across.size), _POINTS)  # a single sample twice: a dot
    kept = np.rint(np.linspace(0, across.size - 1, count)).astype(int)
    return " ".join(f"{a:.1f},{d:.1f}" for a, d in zip(across[kept], down[kept], strict=True))
