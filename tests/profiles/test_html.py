"""The sparkline of a profile: which way is up, and where there is none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from instrument_files import cameca_rpc

import sims_analysis as sims
from sims_analysis.profiles.html import profile_html
from sims_analysis.profiles.profile import DepthProfile


def html(depths, values):
    return profile_html(
        DepthProfile(
            species_name="B",
            depths=depths,
            depth_units="nm",
            concentrations=values,
            concentration_units="atoms/cm^3",
        )
    )


def lines(shown):
    """The points of each line, in pixels from the upper left corner."""
    found = re.findall(r"<polyline points='([^']+)'", shown)
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in found]


def test_larger_is_higher_and_deeper_is_further_right():
    (line,) = lines(html([0, 10, 20, 30], [1e16, 1e17, 1e18, 1e20]))
    # From 1 to 159 of 160 pixels, from 33 (the decade below) up to 1 (the decade above) of 36.
    assert line == [
        (1.0, 33.0),
        (pytest.approx(1 + 158 / 3, abs=0.05), 25.0),
        (pytest.approx(1 + 316 / 3, abs=0.05), 17.0),
        (159.0, 1.0),
    ]


def test_the_drawing_has_a_size_and_a_scale():
    shown = html([0, 10, 20], [1e16, 1e17, 1e18])
    label = "log scale, 1e16 to 1e18"
    assert (
        f"<svg width='160' height='36' role='img' aria-label='{label}'><title>{label}</title>"
    ) in shown


def test_zeros_part_the_line():
    found = lines(html(range(7), [1, 1, 0, 1, 1, -1, 1]))
    assert [len(line) for line in found] == [2, 2, 2]  # the last is of one sample, a dot
    assert [line[0][0] for line in found[:2]] == [1.0, 80.0]


def test_a_profile_that_begins_below_the_surface_fills_the_width():
    (line,) = lines(html([10, 20, 40], [1e16, 1e17, 1e18]))
    assert [x for x, _ in line] == [1.0, pytest.approx(1 + 158 / 3, abs=0.05), 159.0]


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


def test_the_order_of_the_samples_does_not_matter():
    assert lines(html([30, 0, 20, 10], [4, 1, 3, 2])) == lines(html([0, 10, 20, 30], [1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("values", "label", "heights"),
    [
        ([1e18, 1e18], "1e18 to 1e19", [33.0, 33.0]),
        ([2e18, 5e18], "1e18 to 1e19", [23.4, 10.6]),
        ([1e-3, 1e-2], "1e-3 to 1e-2", [33.0, 1.0]),
    ],
)
def test_the_scale_is_in_whole_decades(values, label, heights):
    shown = html([0, 1], values)
    assert f"log scale, {label}" in shown
    assert [y for _, y in lines(shown)[0]] == heights


@pytest.mark.parametrize(
    ("depths", "values"),
    [([0, 1], [0, 0]), ([0, 1], [-1, 0]), ([0, 1], [None, None]), ([5, 5], [1, 2]), ([5], [1])],
)
def test_where_nothing_can_be_drawn_there_is_none(depths, values):
    assert "<svg" not in html(depths, values)


def test_a_single_positive_sample_is_a_dot():
    (line,) = lines(html([0, 1, 2], [0, 1e18, 0]))
    assert [x for x, _ in line] == [80.0, 80.0]


@pytest.mark.parametrize(("samples", "points"), [(240, 240), (241, 240), (5000, 240)])
def test_no_more_points_than_can_be_seen(samples, points):
    (line,) = lines(html(list(range(samples)), [1.0 + i for i in range(samples)]))
    assert len(line) == points
    assert (line[0][0], line[-1][0]) == (1.0, 159.0)


def rows(shown):
    """The texts of the cells of each row, without the sparkline."""
    found = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)
    ]
    return [row[:4] for row in found if row]


def test_a_table_lists_what_was_measured():
    shown = html([10, 0, 20.00001], [1e18, None, 3.14159e17])
    assert rows(shown) == [["B", "2 of 3", "0 to 20 nm", "3.142e+17 to 1e+18 atoms/cm^3"]]
    assert re.findall(r"<th [^>]*>(.*?)</th>", shown) == [
        "species", "samples", "depth or time", "values", "",
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
