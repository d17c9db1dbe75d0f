"""The table of a result in a notebook."""

from __future__ import annotations

import re

import numpy as np
import pytest
from instrument_files import cameca_rpc
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.profiles.html import profile_html
from sims_analysis.profiles.profile import DepthProfile


def html(depths, values):
    return profile_html(profile_of(depths, values))


def test_a_result_shows_the_metadata_of_its_file():
    z = np.linspace(0.01, 1, 20)
    result = sims.read(cameca_rpc({"10B": (None, z, 1e18 * np.exp(-z), "C")}))
    shown = result._repr_html_()
    for key in ("sample", "measured"):
        assert f"{key}: {getattr(result.metadata, key)}" in shown
    assert f"<code>{result.data_id}</code>" in shown
    assert "20</td>" in shown
    empty = sims.SIMSResult(data_id="w7", depth_profiles=[])._repr_html_()
    assert "no SIMS data" in empty
    assert "<table" not in empty


def rows(shown):
    """The texts of the cells of each row."""
    found = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)
    ]
    return [row for row in found if row]


def test_a_table_lists_what_was_measured():
    shown = html([10, 0, 20.00001], [1e18, None, 3.14159e17])
    assert rows(shown) == [["B", "2 of 3", "0 to 20 nm", "3.142e+17 to 1e+18 atoms/cm^3"]]
    assert re.findall(r"<th [^>]*>(.*?)</th>", shown) == [
        "species", "samples", "depth or time", "values",
    ]  # fmt: skip
    assert rows(html([0, 1], [1, 2]))[0][1] == "2"
    assert rows(html([0, 1], [None, None])) == [["B", "0 of 2", "0 to 1 nm", "nothing measured"]]


def test_names_and_units_are_text_and_no_html():
    profile = DepthProfile(
        species_name="<b>", depths=[0, 1], depth_units="<i>", concentrations=[1, 2],
        concentration_units="a&b",
    )  # fmt: skip
    (row,) = rows(profile._repr_html_())
    assert row == ["&lt;b&gt;", "2", "0 to 1 &lt;i&gt;", "1 to 2 a&amp;b"]


def test_a_result_has_a_row_for_each_profile_and_its_origin():
    one = {"depth_units": "nm", "concentration_units": "at%", "depths": [0, 1]}
    profiles = [
        DepthProfile(species_name=name, concentrations=[1, 2], **one) for name in ("11B", "P")
    ]
    source = {"source": "https://host/?a&b", "retrieved": "2026-01-01", "sha256": "ab"}
    shown = sims.SIMSResult(data_id="<w7>", depth_profiles=profiles, provenance=source)
    heading, _ = shown._repr_html_().split("<table>")
    assert heading == (
        "<div><div><b>SIMSResult</b> <code>&lt;w7&gt;</code> &middot; "
        "source: https://host/?a&amp;b &middot; retrieved: 2026-01-01</div>"
    )
    assert [row[0] for row in rows(shown._repr_html_())] == ["<sup>11</sup>B", "P"]


@pytest.mark.parametrize("key", ["instrument", "sample", "measured"])
def test_a_result_shows_its_metadata(key):
    profile = DepthProfile(
        species_name="B", depths=[0, 1], depth_units="nm", concentrations=[1, 2],
        concentration_units="at%", extra={"measurement": {key: "<7>", "comment": "no"}},
    )  # fmt: skip
    shown = sims.SIMSResult(data_id="w7", depth_profiles=[profile])._repr_html_()
    assert f"<code>w7</code> &middot; {key}: &lt;7&gt;</div>" in shown
    assert "comment" not in shown
