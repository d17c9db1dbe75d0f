"""The interactive plot, in a real browser: what it shows, and what mouse and keys do."""

import re

import drawn
import pytest
from browser import browser  # noqa: F401 - a fixture

import sims_analysis as sims

pytest.importorskip("bokeh")


@pytest.fixture
def page(browser, tmp_path):  # noqa: F811
    ds = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e17), Ga=([2e5] * 50, "counts/s"))
    path = sims.explore(ds).save(tmp_path / "page.html")
    browser.open(path.as_uri())
    yield browser, ds
    assert browser.errors() == []


def doses(browser):  # noqa: F811
    rows = browser.run("return document.querySelector('#dose tbody').innerText").splitlines()
    return dict(row.split("\t") for row in rows)


def stated(ds, start, stop):
    dose = sims.integrated_dose(ds[["concentration"]].sel(species=["B", "P"]),
                                start=f"{start} nm", stop=f"{stop} nm")  # fmt: skip
    return {str(s): f"{float(dose.sel(species=s)):.3e}" for s in ("B", "P")}


def test_the_page_needs_nothing_else():
    text = sims.explore(drawn.profiles(B=drawn.gaussian())).page
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", text)
    assert len(text) < 1.5e6


def test_a_name_cannot_end_the_script():
    text = sims.explore(drawn.profiles(**{"</script><b>": drawn.gaussian()})).page
    assert "</script><b>" not in text


@pytest.mark.slow
def test_dose_by_typing(page):
    browser, ds = page  # noqa: F811
    box = browser.driver.find_element("id", "start")
    box.clear()
    box.send_keys("11.5\t")
    box = browser.driver.find_element("id", "stop")
    box.clear()
    box.send_keys("60\n")
    assert {k: float(v) for k, v in doses(browser).items()} == {
        k: float(v) for k, v in stated(ds, 11.5, 60).items()
    }


@pytest.mark.slow
def test_dose_by_dragging_an_edge_of_the_window(page):
    from selenium.webdriver import ActionChains

    browser, ds = page  # noqa: F811
    frame = browser.run(
        "const view = Bokeh.index.roots ? Bokeh.index.roots[0] : Object.values(Bokeh.index)[0];"
        "const plot = view.child_views[0];"
        "const host = plot.el.getBoundingClientRect(); const box = plot.frame.bbox;"
        "const x = plot.frame.x_scale.compute(plot.model.center.find("
        "(m) => m.name === 'log-window').right);"
        "return [host.x + x, host.y + (box.top + box.bottom) / 2, box.width]"
    )
    x, y, width = frame
    before = doses(browser)
    actions = ActionChains(browser.driver)
    actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    actions.w3c_actions.pointer_action.pointer_down()
    for step in range(1, 6):
        actions.w3c_actions.pointer_action.move_to_location(
            round(x + 0.04 * width * step), round(y)
        )
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()
    start, stop = (
        float(browser.run(f"return document.getElementById('{i}').value"))
        for i in ("start", "stop")
    )
    assert stop == pytest.approx(49 + 0.2 * 98, abs=2)
    assert doses(browser) != before
    found = {k: float(v) for k, v in doses(browser).items()}
    assert found == pytest.approx(
        {k: float(v) for k, v in stated(ds, start, stop).items()}, rel=2e-3
    )


@pytest.mark.slow
def test_species_and_scale_by_keyboard(page):
    browser, _ = page  # noqa: F811
    tick = browser.driver.find_elements("css selector", "#species input")[1]
    tick.send_keys(" ")
    seen = "return Bokeh.documents[0].get_model_by_name('log').renderers.map((r) => r.visible)"
    assert browser.run(seen) == [True, False, True]
    radio = browser.driver.find_element("css selector", "input[value=linear]")
    radio.send_keys(" ")
    shown = "return ['log', 'linear'].map((n) => Bokeh.documents[0].get_model_by_name(n).visible)"
    assert browser.run(shown) == [False, True]


@pytest.mark.slow
def test_hover_tells_depth_and_value(page):
    from selenium.webdriver import ActionChains

    browser, _ = page  # noqa: F811
    x, y = browser.run(
        "const view = Bokeh.index.roots ? Bokeh.index.roots[0] : Object.values(Bokeh.index)[0];"
        "const plot = view.child_views[0]; const host = plot.el.getBoundingClientRect();"
        "return [host.x + plot.frame.x_scale.compute(30),"
        " host.y + plot.frame.y_scale.compute(1.0001e19)]"
    )
    actions = ActionChains(browser.driver)
    actions.w3c_actions.pointer_action.move_to_location(round(x) - 3, round(y) + 1)
    actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    actions.perform()
    text = browser.run(
        "const all = []; const walk = (n) => { if (n.shadowRoot) walk(n.shadowRoot);"
        "for (const c of n.children) { if (c.className?.includes?.('tooltip') ||"
        " c.shadowRoot && c.constructor.name) all.push(c.shadowRoot?.textContent ?? c.textContent);"
        " walk(c); } }; walk(document.body); return all.join(' ')"
    )
    assert "1.000e+19" in text
    assert "30.0 nm" in text
