"""A real browser without a screen, to see pages as people do."""

import shutil
import time
from importlib import resources

import pytest


class Browser:
    """Chromium, driven by its own driver."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address):
        self.driver.get(address)
        self.settled("return document.body && document.body.dataset.ready", "yes")

    def settled(self, script, *expected, patience=60.0):
        """What a script returns, once it is as expected, or else no longer changes."""
        end, before = time.monotonic() + patience, None
        while True:
            now = self.run(script)
            if now == (expected[0] if expected else before) and now is not None:
                return now
            assert time.monotonic() < end, f"{script}: {now}, and not {expected}: {self.errors()}"
            before = now
            time.sleep(0.05)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def violations(self):
        """What axe-core finds that keeps people out: rules, and the elements."""
        pytest.importorskip("axe_playwright_python")  # it brings axe-core
        axe = resources.files("axe_playwright_python") / "axe.min.js"
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe.read_text("utf-8")})
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then((r) => done([r.passes.length,"
            " r.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)]))"
        )
        assert found[0] > 10
        return found[1]

    def errors(self):
        """What the page complains of: a script that fails, or that its policy refuses."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium and chromedriver: pages are not seen in a browser here")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1100,1200")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield Browser(opened)
    opened.quit()
