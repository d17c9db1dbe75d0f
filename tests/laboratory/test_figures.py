"""Charts and maps: what is drawn, read from the artists; positions that survive."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from kept_standards import measured

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError

MM = {"units": "mm"}


def wafer(count=9, **coords):
    turn = 2 * np.pi * np.arange(count) / count
    x, y = 100 * np.cos(turn), 100 * np.sin(turn)
    values = 5e14 * (1 + 0.01 * np.cos(turn))
    made = {"x": ("measurement", x, MM), "y": ("measurement", y, MM), **coords}
    attrs = {"units": "atom/cm^2", "long_name": "Dose"}
    return xr.DataArray(values, dims="measurement", coords=made, attrs=attrs)


def chart(kind="individuals", off=6e14, **options):
    numbers = 5e14 * (1 + 0.01 * np.tile([1, -1, 0.5, -0.5], 10))
    numbers[30] = off
    time = np.datetime64("2026-01-01", "ns") + np.arange(40) * np.timedelta64(1, "D")
    coords = {"time": ("measurement", time), "stderr": ("measurement", np.full(40, 1e12))}
    values = xr.DataArray(numbers, dims="measurement", coords=coords, name="dose",
                          attrs={"units": "atom/cm^2", "long_name": "Dose"})  # fmt: skip
    return sims.control_chart(values, kind=kind, baseline=("2026-01-01", "2026-01-20"), **options)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("kind", "off", "drawn"),
    [
        ("individuals", 6e14, "value"),
        ("ewma", 6e14, "average"),
        ("cusum", 6e14, "upper_sum"),
        ("cusum", 4e14, "lower_sum"),
    ],
)
def test_a_chart_shows_limits_and_what_is_flagged(kind, off, drawn, tmp_path):
    made = chart(kind, off)
    ax = sims.plot_control_chart(made, title="Monitor $1", width="single")
    lines = [np.ma.filled(line.get_ydata(), np.nan) for line in ax.lines]
    for name in (drawn, "lower", "centre", "upper"):
        assert any(np.allclose(y, made[name].values / 1e14, equal_nan=True) for y in lines)
    own = [line for line, y in zip(ax.lines, lines, strict=True)
           if np.allclose(y, made[drawn].values / 1e14, equal_nan=True)]  # fmt: skip
    assert [line.get_linestyle() for line in own] == ["-", "None"], "joined, and each a point"
    flagged = made["status"].values != "ok"
    marked = next(y for y in lines if np.array_equal(~np.isnan(y), flagged))
    assert marked[30] == pytest.approx(made[drawn].values[30] / 1e14)
    explained = [text.get_text() for text in ax.get_legend().get_texts()]
    assert explained == ["beyond limits"]
    assert ax.get_ylabel().endswith("atoms/cm²)")
    assert len(ax.patches) == 1  # the baseline
    assert len(ax.containers) == (kind == "individuals")  # bars of errors, of the values alone
    path = sims.save_figure(ax, tmp_path / "chart.svg")
    assert sims.provenance(path)["question"]["function"] == "control_chart"


def test_the_unit_has_a_line_of_its_own_where_an_axis_is_low():
    made = chart()
    made["value"].attrs["long_name"] = 9 * "Dose of boron, "
    label = sims.plot_control_chart(made).get_ylabel()
    assert label.endswith(", \n(10$\\mathregular{^{14}}$ atoms/cm²)")


def test_each_status_has_a_marker():
    made = chart(rules="western_electric")
    words = ["ok"] * 20 + ["beyond_limits", "run", "run", "two_of_three"] + ["ok"] * 16
    ax = sims.plot_control_chart(
        made.assign(status=("measurement", words)), title="a", width="single"
    )
    flagged = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert list(flagged) == ["beyond limits", "two of three", "run"]
    assert len({line.get_marker() for line in flagged.values()}) == 3
    assert np.flatnonzero(~np.isnan(flagged["run"].get_ydata())).tolist() == [21, 22]
    ax.figure.draw_without_rendering()
    above, title = ax.get_legend().get_window_extent(), ax.title.get_window_extent()
    assert above.y0 > ax.bbox.y1 - 0.01
    assert title.y1 <= ax.figure.bbox.y1


def test_without_times_there_are_numbers_and_a_chart_is_a_chart():
    plain = sims.control_chart(xr.DataArray([1.0, 2.0, 3.0], dims="run", attrs={"units": "nm"}))
    ax = sims.plot_control_chart(plain)
    assert ax.get_xlabel() == "Measurement"
    assert not ax.patches
    with raises(ProfileError, "other_result", argument="chart"):
        sims.plot_control_chart(plain["value"])


def test_the_outline_has_its_notch_where_it_is_said_to_be():
    rim = sims.plot_wafer_map(wafer(), notch=90).lines[0].get_xydata()
    far = np.hypot(*rim.T)
    assert rim[far.argmin()] == pytest.approx([0.0, far.min()])
    assert np.median(far) == pytest.approx(far.max())


def test_a_map_shows_every_point_and_says_how_uniform_they_are(tmp_path):
    ax = sims.plot_wafer_map(wafer(), title="W7")
    (points,) = ax.collections
    places = np.column_stack([wafer()["x"], wafer()["y"]])
    assert np.asarray(points.get_offsets()) == pytest.approx(places)
    assert np.asarray(points.get_array()) == pytest.approx(wafer().values / 1e14)
    found = sims.uniformity(wafer())
    text = f"half range {100 * found['half_range'].item():.2g} %"
    assert ax.get_xlabel().startswith(text)
    assert "5.050" in [text.get_text() for text in ax.texts]
    origin = sims.provenance(sims.save_figure(ax, tmp_path / "map.svg"))
    assert origin["results"][0]["value"] == wafer()[0]
    counted = wafer(stderr=("measurement", np.full(9, 5e12)))
    assert sims.plot_wafer_map(counted).get_xlabel().endswith("beyond errors of counting")


def test_the_edge_does_not_count_and_colours_end_at_the_hull():
    values = wafer()
    values["x"][0], values[0] = 147.1, 9e14
    ax = sims.plot_wafer_map(values, edge_exclusion="3 mm", interpolate=True)
    assert ax.get_xlabel().startswith("half range 0.85 %")  # of cos 40 to cos 160 degrees
    assert [147.1] in [line.get_xdata().tolist() for line in ax.lines]  # drawn, not counted
    (mesh,) = ax.collections
    assert mesh.get_array().size == 8  # the points inside
    values["x"][0] = 147.0
    label = sims.plot_wafer_map(values, edge_exclusion="3 mm").get_xlabel()
    assert label.startswith("half range 37 %")
    with raises(ProfileError, argument="interpolate"):
        sims.plot_wafer_map(wafer(2), interpolate=True)


def test_places_are_given_or_known_and_on_the_wafer(approved):
    values = wafer().drop_vars(["x", "y"])
    with raises(ProfileError, argument="x"):
        sims.plot_wafer_map(values)
    x, y = (xr.DataArray(one.values / 1000, dims="measurement", attrs={"units": "m"})
            for one in (wafer()["x"], wafer()["y"]))  # fmt: skip
    for places in ([1.0] * 9, x[:5]):
        with raises(ProfileError, argument="x"):
            sims.plot_wafer_map(values, x=places, y=y)
    ax = sims.plot_wafer_map(values, x=x, y=y)
    assert np.asarray(ax.collections[0].get_offsets())[0] == pytest.approx([100.0, 0.0])
    with raises(ProfileError, argument="diameter", text=approved):
        sims.plot_wafer_map(wafer(), diameter="150 mm")
    with raises(UnitsError, "missing_unit"):
        sims.plot_wafer_map(values, x=x, y=y.drop_attrs())
    with raises(ProfileError, argument="diameter", text=approved):
        sims.plot_wafer_map(values, x=x.where(x < 0.09).assign_attrs(x.attrs), y=y)


def test_a_map_of_several_wafers_is_warned_of(approved):
    lot = xr.concat([wafer(), 1.1 * wafer()], "measurement")
    with warns(ProfileWarning, "not_shown", text=approved):
        sims.plot_wafer_map(lot)


@pytest.mark.slow
def test_places_survive_profiles_archive_and_netcdf(tmp_path):
    archive = sims.Archive(tmp_path / "lab")
    for i in range(4):
        place = {"x": ((), 10.25 * i, MM), "y": ((), -5e-3, {"units": "m"})}
        ds = measured(f"2026-03-0{i + 1}", data_id=f"p{i}").assign_coords(place)
        result = sims.SIMSResult(data_id=f"p{i}", depth_profiles=sims.to_profiles(ds))
        archive.put(result.data_id, result.to_json(), url="file:p")
    batch = sims.stack([archive.get(name).to_dataset() for name in archive.ids()])
    sims.save(batch, tmp_path / "lot.nc")
    mean = sims.mean_value(sims.load(tmp_path / "lot.nc")).sel(species="11B")
    assert mean["x"].values.tolist() == [0.0, 10.25, 20.5, 30.75]
    assert mean["y"].values == pytest.approx([-5.0] * 4)
    assert mean["x"].attrs["units"] == "mm"
    assert mean["measured"].dt.day.values.tolist() == [1, 2, 3, 4]
    assert len(sims.plot_wafer_map(mean).collections[0].get_offsets()) == 4
    single = sims.unstack(batch)[2]
    assert sims.SIMSResult(data_id="p2", depth_profiles=sims.to_profiles(single)).to_json() == (
        archive.payload("p2")
    )


def test_numbers_of_a_map_do_not_cover_each_other_and_have_a_ground():
    near = wafer()
    near["x"][1], near["y"][1] = near["x"][0] + 1.0, near["y"][0]
    ax = sims.plot_wafer_map(near)
    shown = [text for text in ax.texts if text.get_visible()]
    assert len(shown) == len(ax.texts) - 1
    assert all(text.get_bbox_patch() is not None for text in shown)


@pytest.mark.few(3, 7)
@pytest.mark.parametrize("days", [1, 6, 10, 35, 90, 125, 370])
def test_dates_have_room_below_a_narrow_chart(days):
    time = np.datetime64("2026-01-01", "ns") + np.arange(9) * np.timedelta64(days, "D")
    values = xr.DataArray(np.arange(9.0), dims="measurement", attrs={"units": "nm"},
                          coords={"time": ("measurement", time)})  # fmt: skip
    ax = sims.plot_control_chart(sims.control_chart(values), width="60 mm")
    low, high = ax.get_xlim()
    shown = [one for one in ax.get_xticks() if low <= one <= high]
    assert 1 <= len(shown) <= 5
