"""Pages: the answers in words, their own policy, and the archive behind a key."""

import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from browser import browser  # noqa: F401 - a fixture

import sims_analysis as sims
from sims_analysis.examples.opening import ARCHIVE
from sims_analysis.output.pages import add_pages, index_page, pages, report_page
from sims_analysis.output.pages.archive import entry_page, summaries_of
from sims_analysis.output.report import analyse, to_text
from sims_analysis.output.report_files import write_files, write_index
from sims_analysis.profiles.metadata import EntrySummary
from sims_analysis.text.rounding import rounded

pytest.importorskip("bokeh")


def words(page):
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


@pytest.mark.slow
def test_an_entry_says_what_the_report_says():
    page = words(pages(sims.Archive(ARCHIVE), "boron-implant"))
    for text in (
        "(5.0313 ± 0.0010)×10¹⁴",
        "161.95 ± 0.10",
        "junction at 1×10¹⁸ atoms/cm³ (nm)",
        "never reached: the profile never reaches the level, or has no junction",
        "181.9 ± 0.3",
        "p→n",
    ):
        assert text in page.replace("1.000×", "1×")
    assert sims.open_example("boron-implant").attrs["sha256"] in page
    assert "junction_depth(data, level=&#39;1e18 atoms/cm^3&#39;" in page  # what was asked


def test_an_entry_says_its_origin_its_steps_and_its_questions():
    report = analyse(sims.rescale_depth(sims.open_example("boron-implant"), factor=1.5))
    page = report_page(report)
    origin = page[page.index("Origin") :]
    record = sims.provenance(report.data) | {"asked": report.calls}
    assert {"data_id", "sha256", "source", "retrieved", "calls", "steps"} <= {*record}
    assert len(record["calls"]) > 1
    assert len(record["asked"]) > 1
    del record["steps"]  # the calls say them
    for key, value in record.items():
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            assert f"{key.replace('_', ' ')} {' '.join(text.split())}" in html.unescape(
                words(origin)
            )
    assert " steps " not in words(origin)


def test_an_entry_says_what_its_payload_is_warned_of():
    one = sims.DepthProfile(
        species_name="B", depths=[1, 0], depth_units="nm", concentrations=[1e18, 1e17],
        concentration_units="atoms/cm^3",
    )  # fmt: skip
    page = entry_page(sims.SIMSResult(data_id="w1", depth_profiles=[one]))
    assert "depths were not in increasing order; sorted" in words(page)


def test_an_entry_says_what_its_doses_rest_on():
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )
    ds = ds.assign_coords(sensitivity_factor_uncertainty=("species", [0.1, 0.1]))
    options = {"start": "5 nm", "stop": "600 nm", "background": "1e14 atoms/cm^3"}
    report = analyse(ds, surface="15 nm", **options)
    page = words(report_page(report))
    with pytest.warns(sims.errors.DoseWarning):
        budget = sims.dose_budget(ds, surface_depth="15 nm", **options).sel(species="B")
    parts = ("random_stderr", "systematic_stderr", "background_dose", "surface_dose")
    for name in parts:
        assert rounded(float(budget[name])).text() in page
    assert f"{100 * float(budget['coverage']):.4g} %" in page
    assert f"{100 * float(budget['rule_difference']):.2g} %" in page
    assert "truncated: the record, or the window, ends inside" in page
    plain = words(pages(sims.Archive(ARCHIVE), "boron-implant"))
    assert "Doses between 5 nm and 600 nm; parts and errors" in page
    assert "Doses between the first sample and the last sample; parts" in plain
    assert "not stated none" in plain
    assert "depth (nm) polarity status" in plain
    assert "100 % ok" in plain


def test_the_list_is_searched_by_every_word():
    archive = sims.Archive(ARCHIVE)
    assert all(f'href="entries/{name}"' in pages(archive) for name in archive.ids())
    found = pages(archive, search="GAN stack")
    assert re.findall(r'href="entries/([^"]*)"', found) == ["gan-mg-stack"]
    assert "no entries found for “<b>”" in pages(archive, search="<b>").replace(
        "&lt;", "<"
    ).replace("&gt;", ">")
    assert "<b>" not in pages(archive, search="<b>")


def test_names_cannot_break_a_list():
    about = EntrySummary(data_id='<i>"x"', title="<b>", species=('"><script>',), date="<u>")
    page = index_page({'"><script>alert(1)</script>': about})
    assert "<script>alert" not in page
    for tag in ("<i>", "<b>", "<u>", '"><script>'):
        assert tag not in page


def test_the_list_is_searched_by_sample_species_and_date(tmp_path):
    archive = sims.Archive(tmp_path)
    for name, symbol in (("w1", "B"), ("w2", "As")):
        one = sims.DepthProfile(
            species_name=symbol, depths=[0, 1], depth_units="nm", concentrations=[1e18, 1e17],
            concentration_units="atoms/cm^3", data_id=name,
            last_updated=f"2026-0{name[1]}-01T08:00:00Z",
            species_metadata={"sample": f"{symbol} anneal <1>"},
        )  # fmt: skip
        archive.add(sims.SIMSResult(data_id=name, depth_profiles=[one]))

    def listed(search):
        return re.findall(r'href="entries/([^"]*)"', pages(archive, search=search))

    assert listed("ANNEAL") == ["w1", "w2"]
    assert listed("as anneal") == ["w2"]
    assert listed("2026-01") == ["w1"]
    assert listed("w1 as") == []
    # Each apart, so that one from right to left does not reorder the others.
    assert "<bdi>As anneal &lt;1&gt;</bdi>" in pages(archive)
    assert "<h1><bdi>w2</bdi>: <bdi>As anneal &lt;1&gt;</bdi></h1>" in pages(archive, "w2")


def test_a_list_knows_of_a_new_version_and_of_damage(tmp_path):
    archive = sims.Archive(tmp_path)
    one = sims.DepthProfile(
        species_name="B", depths=[0, 1], depth_units="nm", concentrations=[1e18, 1e17],
        concentration_units="atoms/cm^3", data_id="w1",
    )  # fmt: skip
    archive.add(sims.SIMSResult(data_id="w1", depth_profiles=[one]))
    (about,) = summaries_of(archive.contents(["b"])[0]).values()
    assert about.species == ["B"]
    other = sims.SIMSResult(data_id="w1", depth_profiles=[replace(one, species_name="Ge")])
    archive.add(other, replace=True)
    (about,) = summaries_of(archive.contents()[0]).values()
    assert about.species == ["Ge"]
    for payload in tmp_path.rglob("*.json"):
        payload.write_bytes(payload.read_bytes().replace(b"Ge", b"Si"))
    assert archive.contents(["w1"])[1] == 1
    assert archive.contents(["Ge"]) == ([], 0)


def test_a_long_list_is_cut_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sims_analysis.output.pages.archive.SHOWN", 2)
    page = pages(sims.Archive(ARCHIVE))
    count = len(sims.Archive(ARCHIVE))
    assert page.count("<tr data-words") == 2
    assert f"{count} entries, of which the first 2 are shown" in page
    assert pages(sims.Archive(ARCHIVE), search="boron").count("<tr data-words") <= 2


@pytest.mark.parametrize(
    ("count", "shown", "search", "message"),
    [
        (0, 0, "", "no entries"),
        (1, 1, "", "1 entry"),
        (2, 2, "B & <P>", "2 entries found for “B &amp; &lt;P&gt;”"),
        (3, 2, "", "3 entries, of which the first 2 are shown: search for more words"),
    ],
)
def test_a_list_says_how_many_there_are(count, shown, search, message):
    entries = {f"{i}.html": EntrySummary(data_id=f"w{i}") for i in range(shown)}
    page = index_page(entries, search=search, count=count)
    assert f'<p id="count" class="note" role="status">{message}</p>' in page
    assert f'<p id="count" class="note" role="status">{shown or "no"} entr' in index_page(entries)


def test_a_list_is_searched_by_a_server_or_by_itself():
    entries = {"w1.html": EntrySummary(data_id="w1", title='"S"', species=("B",))}
    served, alone = (index_page(entries, form=form, search='a"b') for form in (True, False))
    box = '<label>Search <input type="search" name="search" value="a&#34;b"></label>'
    assert f'<form role="search">{box} <button>Search</button></form>' in served
    assert box in alone
    assert "<form" not in alone
    assert alone.count("<script>") == 1
    assert "script-src 'sha256-" in alone
    assert 'data-words="w1 &#34;S&#34; B "' in alone
    assert "<table" not in index_page({})


def test_a_server_lists_a_thousand_entries_at_most():
    asked = []

    class Large:
        def contents(self, words, most):
            asked.append((words, most))
            return [], 4000

    page = pages(Large(), search="B  As")
    assert "4000 entries found for “B  As”, of which the first 0 " in page
    assert '<form role="search">' in page
    assert asked == [(["B", "As"], 1000)]


def test_an_entry_leads_back_to_the_list_where_there_is_one():
    archive = sims.Archive(ARCHIVE)
    assert '<p><a href="../">All entries</a></p>' in pages(archive, "sputter-time")
    report = analyse(sims.open_example("sputter-time"))
    assert "All entries" not in report_page(report)
    assert '<a href="a&#34;b">All entries</a>' in report_page(report, home='a"b')


def test_a_page_has_the_tables_of_what_was_found_and_no_others():
    def sections(name):
        page = report_page(analyse(sims.open_example(name)))
        where = {"sputter-time": "time (s)"}.get(name, "depth (nm)")
        assert ("Other signals" not in page) or f"at {where}" in words(page)
        return re.findall("<h2>(.*?)</h2>", page)

    measured = ["Peak, dose and junction", "What the doses rest on"]
    assert sections("boron-implant") == [*measured, "Metallurgical junctions", "Origin"]
    assert sections("gan-mg-stack") == [
        *measured, "Metallurgical junctions", "Other signals", "Origin",
    ]  # fmt: skip
    assert sections("sputter-time") == ["Other signals", "Origin"]


def test_a_list_names_what_has_no_page():
    about = EntrySummary(data_id="w1", species=("B",))
    page = index_page({"w1.html": about}, failures={"w<2>": "no unit of its depths"})
    assert "<li><bdi>w&lt;2&gt;</bdi>: <bdi>no unit of its depths</bdi></li>" in page
    assert words(page).endswith("Without a page w&lt;2&gt; : no unit of its depths")
    assert "Without a page" not in index_page({"w1.html": about})


@pytest.mark.slow
def test_a_report_writes_a_page_and_a_list(tmp_path):
    ds = sims.open_example("sputter-time")
    report = analyse(ds)
    files = write_files(report, tmp_path)
    assert tmp_path / "sputter-time.html" in files
    page = (tmp_path / "sputter-time.html").read_text()
    assert "counts, not calibrated to concentration" in words(page)
    assert '<a href="sputter-time.nc">' in page
    index = write_index([report.to_dict() | {"files": [str(f) for f in files]}], tmp_path)
    assert 'href="sputter-time.html"' in index.read_text()
    assert to_text(report)


def client(key=None, archive=None):
    testing = pytest.importorskip("starlette.testclient")
    from sims_analysis.api.server import create_app

    archive = archive or sims.Archive(ARCHIVE)
    app = create_app(archive, key)
    add_pages(app, archive)
    return testing.TestClient(app, base_url="http://127.0.0.1")


@pytest.mark.filterwarnings("ignore")
def test_pages_are_served_beside_the_api_under_the_same_key():
    open_to_all = client()
    assert "boron-implant" in open_to_all.get("/").text
    entry = open_to_all.get("/entries/boron-implant")
    assert entry.status_code == 200
    assert entry.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "default-src 'none'" in entry.text
    absent = open_to_all.get("/entries/none<b>")
    assert absent.status_code == 404
    assert "none&lt;b&gt;" in absent.text
    assert open_to_all.get("/entries/").status_code == 422
    assert "default-src 'none'" in absent.text
    closed = client(key="a-long-enough-key-for-a-test")
    assert closed.get("/").status_code == 401
    assert closed.get("/entries/boron-implant").status_code == 401
    known = {"X-API-KEY": "a-long-enough-key-for-a-test"}
    assert closed.get("/", headers=known).status_code == 200


@pytest.mark.filterwarnings("ignore")
def test_pages_that_cannot_be_made_say_why_and_no_page_may_be_framed(tmp_path):
    boron = sims.Archive(ARCHIVE).get("boron-implant").depth_profiles[0]
    archive = sims.Archive(tmp_path)
    for name, units in {"boron/implant": "nm", "b&": "nm", "broken": "<no> unit"}.items():
        archive.add(replace(boron, depth_units=units), data_id=name)
    served = client(archive=archive)
    nothing = served.get("/overlay/")
    assert "a data id as a non-empty string" in nothing.text
    absent = served.get("/entries/w%2F1")
    assert "<h1>No such entry</h1><p>w/1</p>" in absent.text
    failed = served.get("/entries/broken")
    assert "<h1>No page</h1><p>" in failed.text
    assert "&lt;no&gt; unit" in failed.text
    paths = ["/entries/boron%2Fimplant", "/?search=B", "/overlay/?id=boron/implant&id=b%26"]
    shown = [served.get(path) for path in paths]
    entry, listed, both = (re.search("<h1>(.*?)</h1>", one.text)[1] for one in shown)
    assert entry.startswith("<bdi>boron/implant</bdi>: ")
    assert (listed, both) == ("Depth profiles", "boron/implant and b&amp;")
    answers = [nothing, absent, failed, *shown]
    assert [one.status_code for one in answers] == [422, 404, 422, 200, 200, 200]
    for answer in answers:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "private, no-cache"
        if answer.status_code != 200:
            assert '<p><a href="../">All entries</a></p>' in answer.text


@pytest.mark.filterwarnings("ignore")
def test_a_served_list_has_small_pictures_and_overlays_what_is_selected():
    served = client()
    listed = served.get("/").text
    assert '<img src="thumbnails/gan-mg" alt=""' in listed
    assert 'name="id" value="gan-mg" form="overlay" aria-label="Select gan-mg"' in listed
    small = served.get("/thumbnails/boron-implant")
    assert small.headers["content-type"] == "image/svg+xml"
    boron, phosphorus = re.findall(r'd="M([^"]*)"', small.text)  # from the first sample on
    points = [tuple(map(float, pair.split())) for pair in re.split("[LM]", boron)]
    assert all(0 <= x <= 96 and 0 <= y <= 60 for x, y in points)
    assert min(points, key=lambda one: one[1])[0] == pytest.approx(96 * 75 / 499, abs=1)
    assert boron.count("M") > 3 > phosphorus.count("M")  # zeros interrupt it
    assert served.get("/thumbnails/none").status_code == 404
    both = served.get("/overlay/?id=boron-implant&id=gan-mg").text
    assert "<h1>boron-implant and gan-mg</h1>" in both
    names = re.findall(r'"name":"([^"]*)"', both)
    assert names == [
        "B, boron-implant", "P, boron-implant", "Ga->, gan-mg", "Mg, gan-mg",
    ]  # fmt: skip
    assert '"stderr":[' in both  # counted, as on the page of the entry
    time = served.get("/overlay/?id=boron-implant&id=sputter-time")
    assert (time.status_code, "show them in two plots" in time.text) == (422, True)


def test_many_requests_for_pages_do_not_delay_those_for_payloads():
    making, most, go = 0, 0, threading.Event()

    class Slow(sims.Archive):
        def contents(self, *asked):
            nonlocal making, most
            making += 1
            most = max(most, making)
            go.wait(10)
            making -= 1
            return super().contents(*asked)

    with client(archive=Slow(ARCHIVE)) as served, ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(served.get, path) for path in ("/", "/?search=B") * 2]
        payload = served.get("/sims/boron-implant").status_code
        go.set()
        assert [w.result().status_code for w in waiting] == [200] * 4
    assert payload == 200
    assert 1 <= most <= 2


@pytest.mark.slow
def test_a_list_without_a_server_is_searched_as_words_are_typed(browser, tmp_path):  # noqa: F811
    entries = {f"{i:03d}.html": EntrySummary(data_id=f"wafer-{i:03d}") for i in range(300)}
    many = tuple(f"Species{i}" for i in range(30))
    entries["007.html"] = EntrySummary(data_id="wafer-007", title="B implant", species=(*many, "P"))
    page = index_page(entries)
    (tmp_path / "index.html").write_text(page)
    browser.open((tmp_path / "index.html").as_uri())
    browser.driver.find_element("css selector", "input[type=search]").send_keys("07 implant")
    rows = "[...document.querySelectorAll('tr[data-words]')]"
    shown = f"return {rows}.filter((row) => !row.hidden).length"
    assert browser.run(shown) == 1
    assert browser.run("return document.getElementById('count').textContent") == "1 of 300 entries"
    box = browser.driver.find_element("css selector", "input[type=search]")
    box.clear()
    box.send_keys("species29")  # it is not among the species that are shown
    assert browser.run(shown) == 1
    browser.run("document.querySelectorAll('tr[data-words]').forEach((l) => { l.hidden = false; })")
    browser.run("dispatchEvent(new Event('pageshow'))")  # as if one came back to the list
    assert browser.run(shown) == 1
    box.send_keys("\ue00c")  # escape
    assert browser.run(shown) == 300
    names = f"return {rows}.map((row) => row.cells[0].textContent)"
    for expected in ("wafer-000", "wafer-299"):
        browser.driver.find_element("css selector", "button.sort").click()
        assert browser.run(names)[0] == expected
    assert browser.errors() == []


@pytest.mark.slow
def test_the_policy_lets_the_page_work_and_nothing_else(browser, tmp_path):  # noqa: F811
    path = tmp_path / "entry.html"
    page = pages(sims.Archive(ARCHIVE), "boron-implant")
    path.write_text(page)
    browser.open(path.as_uri())
    assert browser.errors() == []
    path.write_text(page.replace("</main>", "<script>document.title = 'foreign'</script></main>"))
    browser.open(path.as_uri())
    assert browser.run("return document.title") != "foreign"
    assert any("Content Security Policy" in error for error in browser.errors())


@pytest.mark.slow
def test_everything_on_a_page_is_reached_by_keyboard_in_its_order(browser, tmp_path):  # noqa: F811
    from selenium.webdriver import ActionChains

    path = tmp_path / "entry.html"
    path.write_text(pages(sims.Archive(ARCHIVE), "gan-mg-stack"), encoding="utf-8")
    browser.open(path.as_uri())
    seen = []
    for _ in range(60):
        ActionChains(browser.driver).send_keys("\ue004").perform()
        seen.append(
            browser.run(
                "const a = document.activeElement;"
                "return a === document.body ? '' :"
                " a.id || a.value || a.ariaLabel || a.textContent || a.tagName"
            )
        )
        if seen[-1] == "":
            break
    wanted = [
        "All entries", "log", "all", "none", "start", "stop", "level",
        "Doses of the window, and junctions", "Peak, dose and junction", "What the doses rest on",
        "Other signals", "Origin",
    ]  # fmt: skip
    assert [name for name in seen if name in wanted] == wanted


@pytest.mark.slow
def test_everybody_can_use_the_pages(browser, tmp_path):  # noqa: F811
    archive = sims.Archive(ARCHIVE)
    every = {
        "list": pages(archive),
        "stack": pages(archive, "gan-mg-stack"),
        "time": pages(archive, "sputter-time"),
        "overlay": pages(archive, "boron-implant", "gan-mg"),
    }
    for name, page in every.items():
        path = tmp_path / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        browser.open(path.as_uri())
        assert browser.violations() == []


@pytest.mark.slow
def test_two_entries_or_more_are_overlaid(browser, tmp_path):  # noqa: F811
    path = tmp_path / "index.html"
    path.write_text(pages(sims.Archive(ARCHIVE)), encoding="utf-8")
    browser.open(path.as_uri())
    boxes = browser.driver.find_elements("css selector", "input[type=checkbox]")
    button = browser.driver.find_element("css selector", "#overlay button")
    states = [button.is_enabled()]
    for box in boxes[:2]:
        box.click()
        states.append(button.is_enabled())
    assert states == [False, False, True]
    address = "return `${form.action}?${new URLSearchParams(new FormData(form))}`"
    asked = browser.run(f"const form = document.querySelector('#overlay'); {address}")
    assert asked.endswith("/overlay/?id=boron-implant&id=gan-mg")


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 375, 1000])
def test_a_page_is_no_wider_than_the_window(browser, tmp_path, width):  # noqa: F811
    path = tmp_path / "entry.html"
    path.write_text(pages(sims.Archive(ARCHIVE), "gan-mg-stack"), encoding="utf-8")
    index = tmp_path / "index.html"
    index.write_text(index_page({"a.html": EntrySummary(data_id="x" * 200, species=("B" * 90,))}))
    long, depths = tmp_path / "long.html", np.arange(50.0)
    profile = sims.DepthProfile(
        species_name="B" * 90, depths=depths, depth_units="nm",
        concentrations=1e18 * np.exp(-depths), concentration_units="atoms/cm^3",
    )  # fmt: skip
    long.write_text(report_page(analyse(sims.to_dataset([profile]))), encoding="utf-8")
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        for page in (path, index, long):
            browser.open(page.as_uri())
            assert browser.run("return document.documentElement.scrollWidth") <= width
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
