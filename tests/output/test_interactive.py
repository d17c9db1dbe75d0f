"""The interactive plot, in a real browser: what it shows, and what mouse and keys do."""

import base64
import hashlib
import json
import re
import warnings

import artists
import numpy as np
import pytest
from browser import browser  # noqa: F401 - a fixture
from error_parts import raises, warns
from waits import wait_until

import sims_analysis as sims
from sims_analysis.output.pages.interactive import Explorer
from sims_analysis.text.typeset import SYMBOLS

pytest.importorskip("bokeh")


@pytest.fixture
def page(browser, tmp_path):  # noqa: F811
    ds = artists.profiles(
        B=artists.gaussian(), P=artists.gaussian(1e17), Ga=([2e5] * 50, "counts/s")
    )
    path = sims.explore(ds).save(tmp_path / "page.html")
    browser.open(path.as_uri())
    yield browser, ds
    assert browser.errors() == []


RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def answers(browser):  # noqa: F811
    rows = browser.run(
        "return [...document.querySelectorAll('#dose tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return {name: (dose, status) for name, dose, status, _ in rows}


def number(text):
    return float(text.translate(RAISED).replace("×10", "e"))


def doses(browser):  # noqa: F811
    return {name: number(dose) for name, (dose, _) in answers(browser).items()}


def stated(ds, start, stop):
    dose = sims.integrated_dose(ds[["concentration"]].sel(species=["B", "P"]),
                                start=f"{start} nm", stop=f"{stop} nm")  # fmt: skip
    return {str(s): float(f"{float(dose.sel(species=s)):.3e}") for s in ("B", "P")}


def carried_text(page):
    return re.search(r'id="sims-data">(.*?)</script>', page).group(1)


def plots(browser, part):  # noqa: F811
    """Say something of each plot that has been drawn, by name."""
    return dict(
        browser.run(
            f"return [...plots].map(([name, {{plot, curves, crossings}}]) => [name, {part}])"
        )
    )


def set_window(browser, start, stop):  # noqa: F811
    for name, value in (("start", start), ("stop", stop)):
        box = browser.driver.find_element("id", name)
        box.send_keys("\ue009a", "\ue000", "\ue017", f"{value}\t")  # over what was all selected


def test_the_page_needs_nothing_else():
    text = sims.explore(artists.profiles(B=artists.gaussian())).page
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", text)
    assert len(text) < 1.6e6
    assert 'content="width=device-width' in text  # a telephone would show it as wide as a desk


def test_a_name_cannot_end_the_script():
    text = sims.explore(artists.profiles(**{"</script><b>": artists.gaussian()})).page
    assert "</script><b>" not in text


@pytest.mark.slow
def test_dose_by_typing(page):
    browser, ds = page  # noqa: F811
    assert {status for _, status in answers(browser).values()} == {"ok"}
    set_window(browser, 11.5, 60)
    assert doses(browser) == stated(ds, 11.5, 60)
    # An arrow key moves the end by one.
    browser.driver.find_element("id", "stop").send_keys("\ue013\t")
    assert doses(browser) == stated(ds, 11.5, 61)
    # No number: what is shown is still the window of the doses.
    set_window(browser, 11.5, "")
    assert browser.driver.find_element("id", "stop").get_property("value") == "61"
    assert doses(browser) == stated(ds, 11.5, 61)


@pytest.mark.slow
def test_dose_of_profiles_on_their_own_axes_with_zeros_and_gaps(browser, tmp_path):  # noqa: F811
    z = np.array([3.0, 4, 7, 8, 15, 16, 40, 41, 43, 80])
    made = [
        sims.DepthProfile(
            species_name=name, depths=z + shift, depth_units="nm", concentrations=values,
            concentration_units="atoms/cm^3",
        )
        for name, shift, values in (
            ("B", 0.0, [0.0, 1e18, 5e18, np.nan, 0.0, 0.0, 3e17, -1e15, np.nan, 2e16]),
            ("P", 0.7, 1e19 * np.exp(-z / 9)),
        )
    ]  # fmt: skip
    with pytest.warns(sims.errors.ProfileWarning):
        ds = sims.to_dataset(made)
    browser.open(sims.explore(ds, depth_units="um").save(tmp_path / "page.html").as_uri())
    for start, stop in ((0.0045, 0.0413), (0.016, 0.04), (0.001, 0.2), (0.079, 0.0799)):
        set_window(browser, start, stop)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dose = sims.integrated_dose(ds, start=f"{start} um", stop=f"{stop} um")
        for name, (text, status) in answers(browser).items():
            one = dose.sel(species=name)
            assert number(text) == pytest.approx(float(one), rel=6e-4)
            assert status.split(":")[0] == str(one["status"].values)
    set_window(browser, 0.1, 0.2)
    assert answers(browser)["B"] == ("–", "not measured there")


VISIBLE = "curves.map(([line]) => line.visible)"


@pytest.mark.slow
def test_all_and_no_species(page):
    browser, _ = page  # noqa: F811
    every, none = (browser.driver.find_element("id", name) for name in ("all", "none"))
    none.send_keys("\n")
    assert plots(browser, VISIBLE) == {"log": [False] * 3}
    assert not browser.run("return [...document.querySelectorAll('#species :checked')].length")
    every.click()
    assert plots(browser, VISIBLE) == {"log": [True] * 3}


@pytest.mark.slow
def test_many_species_are_found_by_name_and_leave_the_plot_in_view(browser, tmp_path):  # noqa: F811
    flat = {symbol: np.full(50, 1e17) for symbol in SYMBOLS[:90]}
    wide = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)
    try:
        path = sims.explore(artists.profiles(**flat), title="Ninety").save(tmp_path / "page.html")
        browser.open(path.as_uri())
        top = "return document.getElementById('sims-plot').getBoundingClientRect().top"
        assert browser.run(top) < 300
        assert browser.run("return document.documentElement.scrollWidth") == 375
        shown = (
            "return [...document.querySelectorAll('#species label')]"
            ".filter((label) => label.getClientRects().length).map((label) => label.textContent)"
        )
        assert len(browser.run(shown)) == 90
        browser.driver.find_element("id", "none").click()
        browser.driver.find_element("id", "find").send_keys("li")
        assert browser.run(shown) == ["Li"]
        browser.driver.find_element("id", "all").click()
        (visible,) = plots(browser, VISIBLE).values()
        assert [name for name, on in zip(flat, visible, strict=True) if on] == ["Li"]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.errors() == []


def test_a_page_is_headed_by_its_measurements():
    ds = artists.profiles(B=artists.gaussian()).assign_attrs(data_id="W7 <centre>")
    page = sims.explore(ds).page
    assert "<title>W7 &lt;centre&gt;</title>" in page
    assert "<h1>W7 &lt;centre&gt;</h1>" in page
    assert "<h1>before, after</h1>" in sims.explore({"before": ds, "after": ds}).page
    assert "<h1>Anneal</h1>" in sims.explore([ds, ds], title="Anneal").page


@pytest.mark.slow
def test_a_print_names_the_curves_and_shows_whole_tables(page):
    browser, _ = page  # noqa: F811
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = browser.run(
            "return ['#species svg', '#species label', '#species input', 'fieldset'].map("
            "(s) => document.querySelector(s).getClientRects().length > 0)"
        )
        assert shown == [True, True, False, False]
        style = "return getComputedStyle(document.querySelector('.scroll')).overflowX"
        assert browser.run(style) == "visible"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def carried(page):
    return json.loads(carried_text(page))


def test_one_species_twice_has_two_names():
    ds = artists.profiles(B=artists.gaussian())
    ds["intensity"] = (ds["concentration"] / 1e15).assign_attrs(units="count/s")
    curves = carried(sims.explore(ds).page)["curves"]
    assert [curve["name"] for curve in curves] == ["B, concentration", "B, intensity"]
    assert [curve["axis"] for curve in curves] == [0, 1]
    assert carried(sims.explore(ds, level="3e16 atoms/cm^3").page)["level"] == 3e16
    (curve,) = carried(sims.explore(ds["concentration"].isel(species=0, drop=True)).page)["curves"]
    assert curve["name"] == "Concentration"


def test_a_wafer_is_no_formula():
    (curve,) = carried(sims.explore({"W1<": artists.profiles(B2=artists.gaussian())}).page)[
        "curves"
    ]
    assert curve["html"] == "B<sub>2</sub>, W1&lt;"


@pytest.mark.slow
def test_a_sample_between_zeros_is_a_point_on_the_log_axis(browser, tmp_path):  # noqa: F811
    values = np.zeros(20)
    values[[3, 9, 10]] = 1e17
    page = sims.explore(artists.profiles(B=values))
    assert len(carried(page.page)["curves"][0]["off"]) == 17
    browser.open(page.save(tmp_path / "page.html").as_uri())
    assert "17 samples" in browser.run("return document.getElementById('hidden').textContent")
    browser.driver.find_element("css selector", "input[value=linear]").click()
    points = (
        "curves[0].filter((part) => part.glyph?.size?.value === 3)"
        ".map((part) => part.data_source.data.y)"
    )
    assert plots(browser, points) == {"log": [[1e17]], "linear": []}
    assert not browser.driver.find_element("id", "hidden").is_displayed()
    assert browser.errors() == []


def test_depths_that_profiles_share_are_carried_once():
    found = carried(sims.explore(sims.open_example("boron-implant")).page)
    assert [curve["depths"] for curve in found["curves"]] == [0, 0]
    assert len(found["depths"]) == 1
    assert len(carried(sims.explore(sims.open_example("gan-mg-stack")).page)["depths"]) > 1


def test_measurements_of_a_species_differ_by_dashes_and_have_its_colour():
    ds = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e17))
    curves = carried(sims.explore({"W1": ds, "W2": ds}).page)["curves"]
    assert [one["name"] for one in curves] == ["B, W1", "B, W2", "P, W1", "P, W2"]
    first, second, *others = [(one["colour"], one["dash"]) for one in curves]
    assert first[0] == second[0] != others[0][0] == others[1][0]
    assert first[1] == others[0][1] == [] != second[1] == others[1][1]


def test_more_curves_than_colours_differ_by_dashes():
    flat = {symbol: np.full(50, 1e17) for symbol in SYMBOLS[:30]}
    page = sims.explore(artists.profiles(**flat)).page
    looks = [(curve["colour"], tuple(curve["dash"])) for curve in carried(page)["curves"]]
    assert len(set(looks)) == 30


@pytest.mark.slow
def test_dose_by_dragging_an_edge_of_the_window(page):
    from selenium.webdriver import ActionChains

    browser, ds = page  # noqa: F811
    edge = (
        "const plot = Bokeh.index.roots ? Bokeh.index.roots[0] : Object.values(Bokeh.index)[0];"
        "const host = plot.el.getBoundingClientRect(); const box = plot.frame.bbox;"
        "const x = plot.frame.x_scale.compute(plot.model.center.find("
        "(m) => m.name === 'log-window').right);"
        "return [host.x + x, host.y + (box.top + box.bottom) / 2, box.width]"
    )
    before = doses(browser)

    def dragged():
        """Drag the edge: a page that has not been painted yet does not take it up."""
        x, y, width = browser.settled(edge)
        actions = ActionChains(browser.driver)
        mouse = actions.w3c_actions.pointer_action
        mouse.move_to_location(round(x), round(y))
        mouse.pointer_down()
        for step in range(1, 6):
            mouse.move_to_location(round(x + 0.04 * width * step), round(y))
        mouse.pointer_up()
        actions.perform()
        browser.settled("return ends")
        return doses(browser) != before

    wait_until(dragged)
    start, stop = browser.settled("return ['start', 'stop'].map((id) => +element(id).value)")
    assert stop == pytest.approx(49 + 0.2 * 98, abs=2)
    assert doses(browser) == pytest.approx(stated(ds, start, stop), rel=2e-3)


@pytest.mark.slow
def test_species_and_scale_by_keyboard(page):
    browser, _ = page  # noqa: F811
    tick = browser.driver.find_elements("css selector", "#species input")[1]
    tick.send_keys(" ")
    assert plots(browser, VISIBLE) == {"log": [True, False, True]}
    radio = browser.driver.find_element("css selector", "input[value=linear]")
    radio.send_keys(" ")
    assert plots(browser, "plot.visible") == {"log": False, "linear": True}
    assert plots(browser, VISIBLE)["linear"] == [True, False, True]


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize(("units", "depth"), [("nm", 30), ("um", 0.03)])
def test_hover_shows_depth_and_value(browser, tmp_path, units, depth):  # noqa: F811
    from selenium.webdriver import ActionChains

    ds = artists.profiles(B=artists.gaussian())
    path = sims.explore(ds, depth_units=units).save(tmp_path / "page.html")
    browser.open(path.as_uri())
    x, y = browser.settled(
        "const plot = Bokeh.index.roots ? Bokeh.index.roots[0] : Object.values(Bokeh.index)[0];"
        "const host = plot.el.getBoundingClientRect();"
        f"return [host.x + plot.frame.x_scale.compute({depth}),"
        " host.y + plot.frame.y_scale.compute(1.0001e19)]"
    )
    shown = (
        "const all = []; const walk = (n) => { if (n.shadowRoot) walk(n.shadowRoot);"
        "for (const c of n.children) { if (c.className?.includes?.('tooltip') ||"
        " c.shadowRoot && c.constructor.name) all.push(c.shadowRoot?.textContent ?? c.textContent);"
        " walk(c); } }; walk(document.body); return all.join(' ')"
    )

    def hovered():
        actions = ActionChains(browser.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(x) - 3, round(y) + 1)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.perform()
        return "1.000e+19" in browser.run(shown)

    wait_until(hovered)
    text = browser.run(shown)
    assert f"{depth:g} {units.replace('u', 'µ')}" in text


@pytest.mark.parametrize("units", [{}, {"value_units": "1/m^3", "depth_units": "um"}])
def test_what_a_page_integrates_is_the_dose(units):
    ds = artists.profiles(B=artists.gaussian(), Ga=([2e5] * 50, "counts/s"))
    found = carried(sims.explore(ds, **units).page)
    (boron,) = (curve for curve in found["curves"] if curve["name"] == "B")
    area = np.trapezoid(boron["values"], found["depths"][boron["depths"]])
    dose = sims.integrated_dose(ds["concentration"].sel(species="B"))
    assert boron["dose"] * area == pytest.approx(float(dose), rel=1e-12)
    (gallium,) = (curve for curve in found["curves"] if curve["name"] == "Ga")
    assert gallium["dose"] is None
    assert carried(sims.explore(ds, species="Ga").page)["depth"]["window"] is None


def test_value_axes_show_the_same_number_of_decades():
    wide, narrow = np.geomspace(1.5e15, 8e18, 50), np.geomspace(150, 1.5e4, 50)
    ds = artists.profiles(B=wide, Ga=(narrow, "counts/s"))
    first, second = carried(sims.explore(ds).page)["axes"]
    assert first["label"] == "Concentration (atoms/cm³)"
    assert second["label"] == "Intensity (counts/s)"
    for axis, lowest, highest in ((first, 1.5e15, 8e18), (second, 150, 1.5e4)):
        low, high = axis["log"]
        assert low < lowest
        assert high > highest
        assert np.log10(high) - 0.3 == pytest.approx(round(np.log10(high)))  # for names
    spans = [np.log10(axis["log"][1] / axis["log"][0]) for axis in (first, second)]
    assert spans == pytest.approx([4.5, 4.5])
    assert first["linear"] == pytest.approx([-0.05 * 8e18, 1.05 * 8e18])


def test_what_a_dose_may_rest_on_is_carried_in_the_units_of_the_axis():
    z = np.arange(0.0, 200.0, 0.5)
    counts = np.random.default_rng(1).poisson(1e4 * np.exp(-(((z - 75) / 28) ** 2)) + 3)
    full = counts >= 3000  # all that the detector can count
    made = [
        sims.DepthProfile(
            species_name=name, depths=depths, depth_units="nm", concentrations=values,
            concentration_units="atoms/cm^3",
        )
        for name, depths, values in (
            ("B", z, np.minimum(counts, 3000) * 1e14),
            ("P", [0.0, 1, 2, 3, 30, 31, 32], np.full(7, 1e18)),
        )
    ]  # fmt: skip
    with warns(sims.errors.ProfileWarning, "saturated"):
        ds = sims.to_dataset(made)
    page = sims.explore(ds, depth_units="um").page
    boron, phosphorus = carried(page)["curves"]
    runs = [(kind, start, stop) for kind, start, stop in boron["quality"]]
    assert {kind for kind, *_ in runs} == {"saturated"}
    within = [any(start <= x <= stop for _, start, stop in runs) for x in z / 1000]
    assert within == full.tolist()
    assert phosphorus["quality"] == [["gap", 0.003, 0.030]]


def test_the_window_of_the_dose_begins_where_all_profiles_are():
    def window(*starts, units="atoms/cm^3", axis="nm"):
        made = [
            sims.DepthProfile(
                species_name=f"Q{start}", depths=np.arange(start, 100.0), depth_units=axis,
                concentrations=np.full(100 - start, 1e4), concentration_units=units,
            )
            for start in starts
        ]  # fmt: skip
        return carried(sims.explore(sims.to_dataset(made)).page)["depth"]["window"]

    assert window(0, 4) == [4.0, 49.5]  # half of the axis, which begins at the surface
    assert window(80, 60) == [80.0, 80.0]  # beyond half of the axis, from 60 to 99
    assert window(0, units="counts/s") is None
    assert window(0, axis="s") is None


def test_dashes_are_pixels_of_a_line_a_little_less_than_two_wide():
    flat = {symbol: np.full(50, 1e17) for symbol in SYMBOLS[:30]}
    curves = carried(sims.explore(artists.profiles(**flat)).page)["curves"]
    dashes = [curve["dash"] for curve in curves if curve["dash"]]
    assert dashes
    assert all(isinstance(part, int) and 1 <= part <= 20 for dash in dashes for part in dash)


def test_profiles_over_depth_and_over_time_are_two_plots():
    both = [artists.profiles(B=artists.gaussian()), artists.profiles("s", B=artists.gaussian())]
    with raises(sims.errors.UnitsError, "mixed_axes"):  # fmt: skip
        sims.explore(both)


@pytest.mark.parametrize("count", [4, 5])
def test_a_page_names_four_measurements_at_most(count):
    ds = artists.profiles(B=artists.gaussian())
    page = sims.explore({f"w{i}": ds for i in range(count)}).page
    names = "w0, w1, w2, w3" + (" and 1 more" if count > 4 else "")
    assert f"<h1>{names}</h1>" in page
    assert "<h1>Depth profiles</h1>" in sims.explore(ds.drop_attrs(deep=False)).page


def test_a_notebook_shows_the_page_in_a_frame_of_its_own():
    shown = Explorer('<p class="a">&</p>')._repr_html_()
    assert shown == (
        '<iframe srcdoc="&lt;p class=&quot;a&quot;&gt;&amp;&lt;/p&gt;" style="width:100%;'
        'height:640px;border:0" title="Depth profiles"></iframe>'
    )


def test_a_page_allows_its_own_scripts_and_nothing_else():
    page = sims.explore(artists.profiles(B=artists.gaussian()), title="a & b").page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert f"content=\"default-src 'none'; script-src {allowed}; style-src 'unsafe" in page
    assert len(scripts) == 2
    assert "<title>a &amp; b</title>" in page


@pytest.mark.slow
def test_a_level_that_is_typed_or_dragged_has_its_junction(page):
    from selenium.webdriver import ActionChains

    shown, ds = page

    def junctions():
        rows = "[...document.querySelectorAll('#dose tbody tr')]"
        cells = shown.run(f"return {rows}.map((row) => row.cells[3].textContent)")
        return [float(cell) if cell != "–" else None for cell in cells]

    def expected(level):
        depths = sims.junction_depth(ds[["concentration"]].sel(species=["B", "P"]), level=level)
        return [None if np.isnan(d) else pytest.approx(d, abs=0.01) for d in depths.values.tolist()]

    assert junctions() == expected("1e18 atoms/cm^3")
    assert None in junctions()
    box = shown.driver.find_element("id", "level")
    all_deleted = "\ue009a", "\ue000", "\ue017"
    for refused in ("", "-5"):
        box.send_keys(*all_deleted, f"{refused}\n")
        assert box.get_property("value") == "1e+18"
    box.send_keys(*all_deleted, "2e16\n")
    assert junctions() == expected("2e16 atoms/cm^3")
    frame = (
        "const plot = Bokeh.index.roots[0]; const host = plot.el.getBoundingClientRect();"
        "const y = (value) => host.y + plot.frame.y_scale.compute(value);"
        "return [host.x + plot.frame.bbox.width * 0.9, y(level), y(5e16)]"
    )

    def dragged():
        """Drag the line: a page that has not been painted yet does not take it up."""
        x, start, stop = map(round, shown.settled(frame))
        actions = ActionChains(shown.driver)
        mouse = actions.w3c_actions.pointer_action
        mouse.move_to_location(x, start)
        mouse.pointer_down()
        for y in np.linspace(start, stop, 4):
            mouse.move_to_location(x, round(y))
        mouse.pointer_up()
        actions.perform()
        return shown.settled("return level") == pytest.approx(5e16, rel=0.1)

    wait_until(dragged)
    level = float(shown.settled("return element('level').value"))
    assert junctions() == expected(f"{level} atoms/cm^3")
    circles = plots(shown, "crossings.map((one) => one?.data_source.data)")["log"]
    marked = [at["x"][0] if at["x"] else None for at in circles if at]
    assert marked == [depth and pytest.approx(depth, rel=1e-3) for depth in junctions()]
    assert [at["y"] for at in circles if at and at["x"]] == [[pytest.approx(level, rel=1e-3)]] * 2


@pytest.mark.slow
def test_of_many_signals_twelve_are_shown_at_first_and_errors_are_shaded(browser, tmp_path):  # noqa: F811
    data = artists.profiles(**{f"X{i}": (np.full(50, 1.1**i), "counts") for i in range(30)})
    data["intensity_stderr"] = (0.1 * data["intensity"]).assign_attrs(units="count")
    browser.open(sims.explore(data).save(tmp_path / "page.html").as_uri())
    ticked = "return [...document.querySelectorAll('#species input')].map((box) => box.checked)"
    assert browser.run(ticked) == [True] * 12 + [False] * 18
    bands = plots(browser, "curves.map((parts) => parts.find((p) => p.glyph?.type === 'VArea')"
                           "?.data_source.data.y2[0])")  # fmt: skip
    assert bands["log"] == pytest.approx([1.1 * 1.1**i for i in (*range(18, 30), *range(18))])
    assert browser.errors() == []


@pytest.mark.slow
def test_each_quantity_has_its_scale(browser, tmp_path):  # noqa: F811
    data = artists.profiles(B=artists.gaussian(), Al=(np.linspace(0, 0.3, 50), "atomic fraction"))
    page = sims.explore(data, scale={"atomic_fraction": "linear"})
    left, right = carried(page.page)["axes"]
    assert (left["kind"], right["kind"]) == ("log", "linear")
    assert np.log10(left["log"]) == pytest.approx([14.8, 19.3 + 1])  # those of the log axis alone
    browser.open(page.save(tmp_path / "page.html").as_uri())
    scales = (
        "const { plot } = plots.get(arguments[0]); return [plot.y_scale,"
        " ...Object.values(plot.extra_y_scales)].map((scale) => scale.type)"
    )
    assert browser.run(scales, "log") == ["LogScale", "LinearScale"]
    browser.driver.find_element("css selector", "input[value=linear]").click()
    wait_until(lambda: "linear" in plots(browser, "1"))
    assert browser.run(scales, "linear") == ["LinearScale", "LinearScale"]
    assert carried(sims.explore(data, scale="linear").page)["kind"] == "linear"
    with raises(sims.errors.ProfileError, argument="scale"):
        sims.explore(data, scale={"intensity": "linear"})
    assert browser.errors() == []


@pytest.mark.slow
def test_names_of_curves_of_one_height_are_apart(browser, tmp_path):  # noqa: F811
    data = artists.profiles(
        **{s: artists.gaussian(1e19 + i * 1e17) for i, s in enumerate(SYMBOLS[:6])}
    )
    browser.open(sims.explore(data).save(tmp_path / "page.html").as_uri())
    shown = "curves.map((all) => all.find((one) => one.type === 'Label').y_offset)"
    heights = sorted(plots(browser, shown)["log"])
    assert (np.diff(heights) >= 14 - 5).all()  # the curves themselves differ by up to 1 pixel


@pytest.mark.slow
def test_names_say_which_axis_and_stay_inside(browser, tmp_path):  # noqa: F811
    ds = sims.open_example("gan-mg-stack")
    browser.open(sims.explore(ds).save(tmp_path / "page.html").as_uri())
    shown = "curves.map((all) => all.find((one) => one.type === 'Label'))"
    assert plots(browser, f"{shown}.map((one) => one.text)")["log"] == ["Al→", "Ga→", "Mg", "Si"]
    inks = plots(browser, "plot.right.map((axis) => axis.axis_label_text_color)")["log"]
    names = plots(browser, f"{shown}.map((one) => one.text_color)")["log"]
    assert inks[:2] == names[:2]
    browser.open(sims.explore(sims.open_example("zno-li")).save(tmp_path / "zno.html").as_uri())
    # The maximum of lithium is nearer to the frame than its name is high.
    assert plots(browser, f"{shown}[0].y_offset")["log"] == -14


@pytest.mark.slow
def test_curves_have_the_looks_of_a_figure():
    data = artists.profiles(**{f"Al{i}O": (np.full(50, 1.1**i), "counts") for i in range(30)})
    with warns(sims.errors.ProfileWarning, "not_shown", argument="species"):
        ax = sims.plot_profiles(data)
    curves = carried(sims.explore(data).page)["curves"][:12]
    assert [line.get_color() for line in artists.lines(ax)] == [one["colour"] for one in curves]
    pair = {
        "W1": artists.profiles(B=artists.gaussian()),
        "W2": artists.profiles(B=artists.gaussian(1e18)),
    }
    shown = [line.get_color() for line in artists.lines(sims.plot_profiles(pair))]
    assert [one["colour"] for one in carried(sims.explore(pair).page)["curves"]] == shown


def test_axes_show_zero_and_what_is_below_it():
    def linear(values):
        (axis,) = carried(sims.explore(artists.profiles(B=values)).page)["axes"]
        return axis["linear"]

    assert linear(np.linspace(2e17, 1e18, 50)) == pytest.approx([-5e16, 1.05e18])
    assert linear(np.linspace(-1e17, 1e18, 50)) == pytest.approx([-1.55e17, 1.055e18])
    assert linear(np.zeros(50)) == [-0.5, 0.5]


def test_a_single_sample_has_an_axis():
    profile = sims.DepthProfile(
        species_name="B", depths=[5.0], depth_units="nm", concentrations=[1e18],
        concentration_units="atoms/cm^3",
    )  # fmt: skip
    depth = carried(sims.explore(sims.to_dataset([profile])).page)["depth"]
    assert depth["range"] == [4.5, 5.5]
    assert depth["window"] == [5.0, 5.0]


def test_what_is_no_title_no_data_or_no_path_is_refused(tmp_path, approved):
    data = artists.profiles(B=artists.gaussian())
    with raises(TypeError, text=approved):
        sims.explore(data, title=3)
    with raises(TypeError, text=approved):
        sims.explore({"a": data, "b": 3})
    with raises(TypeError, text=approved):
        sims.explore(data).save("")
