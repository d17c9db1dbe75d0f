"""Readers and models of other packages: the template of the site, and plugins that are broken."""

import dataclasses
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis import shapes
from sims_analysis.readers import registry as formats
from sims_analysis.shapes import find_model

ROOT = Path(__file__).parents[1]
PAGE = ROOT / ".docs" / "howto" / "a_plugin.md"
LOTUS = "Lotus SIMS;W7\nDepth;B\n0;1.5e17\n10;3.1e18\n20;2e16\n"


def blocks(kind):
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def package(tmp_path):
    """The template as a person copies it: a folder of three files."""
    folder = tmp_path / "sims-lotus"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(blocks("toml")[0])
    (folder / "sims_lotus.py").write_text(blocks("python")[0])
    (folder / "test_lotus.py").write_text(blocks("python")[1])
    return folder


def run(*command, cwd, path):
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", *command],
        capture_output=True, text=True, check=False, cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
    )  # fmt: skip


@pytest.mark.slow
def test_the_template_is_built_installed_and_found(package, tmp_path):
    for name in ("pip", "hatchling"):
        pytest.importorskip(name, reason=f"{name} builds the template")
    site = tmp_path / "site"
    built = run("-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index",
                "--target", str(site), str(package), cwd=tmp_path, path=[])  # fmt: skip
    assert built.returncode == 0, built.stderr
    (package / "w7.txt").write_text(LOTUS)
    (package / "test_installed.py").write_text("""
import numpy as np, xarray as xr, sims_analysis as sims

def test_installed():
    assert sims.read("w7.txt").provenance["format"] == "lotus"
    assert list(sims.read_formats())[0] == "lotus"
    assert "lorentzian" in sims.list_models().index
    z = np.arange(0.0, 300.0)
    c = xr.DataArray(1e22 / np.pi * 12 / ((z - 100) ** 2 + 144), dims="depth",
        coords={"depth": ("depth", z, {"units": "nm"})}, attrs={"units": "atom/cm^3"})
    found = sims.fit(c, model="lorentzian")
    assert (found["status"].item(), round(found["position"].item(), 6)) == ("ok", 100.0)
    assert f"{found['dose'].item():.3e}" == "1.000e+15"
""")
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package, path=[site, ROOT])
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


# --- plugins in this process ----------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install entry points: what `pip` writes of them, in a folder on the path."""

    def install(group, name="lotus", value="sims_lotus:LotusReader", module=None, **objects):
        about = tmp_path / "site" / "sims_lotus-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sims-lotus\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
        made = types.ModuleType("sims_lotus")
        vars(made).update(objects)
        monkeypatch.setitem(sys.modules, "sims_lotus", made if module is None else module)
        monkeypatch.syspath_prepend(tmp_path / "site")
        formats.readers.cache_clear()
        shapes.models.cache_clear()

    yield install
    monkeypatch.undo()
    formats.readers.cache_clear()
    shapes.models.cache_clear()


def template():
    namespace = {}
    exec(blocks("python")[0], namespace)  # noqa: S102 - our own page
    return namespace


class Named:
    """A reader of which one thing is wrong."""

    def __init__(self, **wrong):
        vars(self).update(
            {"name": "lotus", "description": "Lotus", "recognises": lambda _: False,
             "read": lambda _: sims.Content()} | wrong
        )  # fmt: skip


READERS = {
    "no module": {},
    "no name": {"LotusReader": Named(name=None)},
    "no text": {"LotusReader": Named(description=" ")},
    "no function": {"LotusReader": Named(read=None)},
    "taken": {"LotusReader": Named(name="srim")},
    "fails": {"LotusReader": type("Bad", (), {"__init__": lambda _: 1 / 0})},
}


@pytest.mark.parametrize("what", READERS)
def test_a_broken_reader_is_named_and_left_out(what, installed, tmp_path, approved):
    installed("sims_analysis.readers", **READERS[what])
    with warns(sims.SimsWarning, "broken_plugin", text=approved):
        known = sims.read_formats()
    assert list(known) == [one.name for one in formats.FORMATS]
    table = b"Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n"
    assert sims.read(table)["11B"].depths.tolist() == [0, 5]


def test_a_reader_that_fails_to_recognise_costs_nobody_a_file(installed):
    def recognises(source):
        raise KeyError(source.lines[99])

    installed("sims_analysis.readers", LotusReader=Named(recognises=recognises))
    table = b"Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n"
    with warns(sims.SimsWarning, "broken_plugin"):
        assert sims.read(table)["11B"].depths.tolist() == [0, 5]


def test_a_reader_that_fails_to_read_is_named(installed):
    def read(source):
        return {}["depth"]

    installed("sims_analysis.readers", LotusReader=Named(recognises=lambda _: True, read=read))
    with raises(sims.ReadError, "damaged_file"):
        sims.read(LOTUS.encode())


@pytest.mark.parametrize("form", ["class", "object", "module"])
def test_a_reader_is_a_class_an_object_or_a_module(form, installed):
    reader = template()["LotusReader"]
    module = types.ModuleType("sims_lotus")
    vars(module).update(
        name="lotus", description="Lotus", version=3,
        recognises=reader().recognises, read=reader().read,
    )  # fmt: skip
    value = "sims_lotus" if form == "module" else "sims_lotus:LotusReader"
    thing = {"class": reader, "object": reader(), "module": None}[form]
    installed(
        "sims_analysis.readers", value=value, LotusReader=thing,
        module=module if form == "module" else None,
    )  # fmt: skip
    result = sims.read(LOTUS.encode())
    assert result.provenance["format"] == "lotus"
    assert result.provenance["reader"].startswith("3," if form == "module" else "1,")
    assert result["B"].concentrations.tolist() == [1.5e17, 3.1e18, 2e16]


def test_a_model_is_found_and_a_broken_one_is_left_out(installed):
    installed("sims_analysis.models", value="sims_lotus:MODEL", MODEL=template()["LORENTZIAN"])
    assert find_model("lorentzian").names == ["dose", "position", "half_width"]
    assert "lorentzian" in sims.list_models().index


@pytest.mark.parametrize("thing", ["lorentzian", find_model("gaussian")])
def test_a_broken_model_is_named_and_left_out(thing, installed, approved):
    installed("sims_analysis.models", value="sims_lotus:MODEL", MODEL=thing)
    with warns(sims.SimsWarning, "broken_plugin", text=approved):
        assert "gaussian" in sims.list_models().index


def test_a_reader_of_ones_own_without_installing_it(approved):
    result = sims.read(LOTUS.encode(), format=template()["LotusReader"]())
    assert result["B"].depths.tolist() == [0, 10, 20]
    with raises(TypeError, text=approved):
        sims.read(LOTUS.encode(), format=Named(name=None))


# --- the kit --------------------------------------------------------------------------------------


def lotus(**changes):
    reader = template()["LotusReader"]()
    wrong = {"name": reader.name, "description": reader.description,
             "recognises": reader.recognises, "read": reader.read}  # fmt: skip
    return Named(**(wrong | changes))


def good_signal(**changes):
    z = np.array([0.0, 1.0])
    return sims.Signal(
        **(
            {"name": "B", "depths": z, "depth_units": "nm", "values": z, "units": "at/cm3"}
            | changes
        )
    )


def giving(signal):
    return lambda _: sims.Content(signals=[signal])


#: Readers that are wrong.
WRONG_READERS = {
    "name taken": lotus(name="table"),
    "takes all": lotus(recognises=lambda _: True),
    "no bool": lotus(recognises=lambda _: None),
    "raises": lotus(recognises=lambda s: s.lines[5]),
    "does not know it": lotus(recognises=lambda _: False),
    "by its name": lotus(recognises=lambda s: s.name == "w7.txt"),
    "gives no content": lotus(read=lambda _: []),
    "gives nothing": lotus(read=lambda _: sims.Content()),
    "no array": lotus(read=giving(good_signal(values=[1.0]))),
    "longer": lotus(read=giving(good_signal(values=np.ones(3)))),
    "empty": lotus(read=giving(good_signal(values=np.full(2, np.nan)))),
    "metadata": lotus(read=giving(good_signal(metadata={"mass": 11}))),
    "careless": lotus(read=lambda s: giving(good_signal(units=s.lines[4][:0] + "at/cm3"))(s)),
}


@pytest.mark.parametrize("what", WRONG_READERS)
def test_check_reader_names_what_is_wrong_with_a_reader(what, tmp_path, approved):
    path = tmp_path / "w7.txt"
    path.write_text(LOTUS)
    with raises(AssertionError, text=approved):
        sims.testing.check_reader(WRONG_READERS[what], [path])


def test_the_kit_passes_the_template_and_wants_files(tmp_path, approved):
    path = tmp_path / "w7.txt"
    path.write_text(LOTUS)
    (result,) = sims.testing.check_reader(template()["LotusReader"](), str(path))
    assert result.data_id == "w7"
    with raises(AssertionError, text=approved):
        sims.testing.check_reader(lotus(), [])


def test_the_kit_checks_a_reader_of_the_package_by_its_name(tmp_path):
    path = tmp_path / "w7.plx"
    path.write_text('"B"\n0.0 1e15\n0.01 2e18\n0.02 1e17\n')
    assert sims.testing.check_reader("sentaurus", path)[0].species == ["B"]


def test_the_kit_passes_a_reader_of_results_that_are_ready(tmp_path):
    path = tmp_path / "w7.txt"
    path.write_text(LOTUS)
    ready = sims.read(LOTUS.encode(), format=template()["LotusReader"]())
    (found,) = sims.testing.check_reader(lotus(read=lambda _: sims.Content(ready=ready)), path)
    assert found.species == ready.species


def test_the_kit_sees_an_answer_that_changes(tmp_path, approved):
    path = tmp_path / "w7.txt"
    path.write_text(LOTUS)
    rng = np.random.default_rng(0)

    def read(source):
        return sims.Content(signals=[good_signal(values=rng.random(2))])

    with raises(AssertionError, text=approved):
        sims.testing.check_reader(lotus(read=read), [path])


TRUTH = {"dose": 1e15, "position": 100, "half_width": 12}


def lorentzian(**changes):
    return dataclasses.replace(template()["LORENTZIAN"], **changes)


def shifting(z, q, z0, w):
    return q / np.pi * w / ((z - z0 - z.size / 1e3) ** 2 + w**2)


def wrong_derivatives(z, q, z0, w):
    return np.ones((3, z.size))


#: Models that are wrong, and truths.
WRONG_MODELS = {
    "no model": ("lorentzian", TRUTH),
    "name": (lorentzian(name="a model"), TRUTH),
    "twice": (
        lorentzian(parameters=[*lorentzian().parameters, lorentzian().parameters[0]]),
        TRUTH,
    ),
    "truth": (lorentzian(), {"dose": 1e15}),
    "bounds": (lorentzian(), TRUTH | {"half_width": -1}),
    "shape": (lorentzian(formula=lambda *_: 1.0), TRUTH),
    "local": (lorentzian(formula=shifting), TRUTH),
    "scale": (
        lorentzian(formula=lambda z, q, z0, w: np.sqrt(q) * w / ((z - z0) ** 2 + w**2)),
        TRUTH,
    ),
    "start": (lorentzian(start=lambda *_: [(1.0, 2.0)]), TRUTH),
    "derivatives": (lorentzian(derivatives=wrong_derivatives), TRUTH),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("what", WRONG_MODELS)
def test_check_model_names_what_is_wrong_with_a_model(what, approved):
    model, truth = WRONG_MODELS[what]
    with raises(AssertionError, text=approved):
        sims.testing.check_model(model, [truth])


def test_profiles_go_from_the_surface_to_where_it_is_stated():
    seen = []

    def formula(z, *p):
        seen.append(z)
        return lorentzian().formula(z, *p)

    def start(z, c):
        assert c.max() == 1.0, "samples are in units of the largest"
        return lorentzian().start(z, c)

    model = lorentzian(formula=formula, start=start)
    sims.testing.check_model(model, [TRUTH], stop="0.25 um")
    with raises(sims.UnitsError, argument="stop"):
        sims.testing.check_model(lorentzian(), [TRUTH], stop="3 s")
    assert (seen[0][0], seen[0][-1], seen[0].size) == (0.0, 250.0, 241)
    # A dose of 1e15 atom/cm^2 is 1e22 nm atom/cm^3.
    assert lorentzian().formula(np.zeros(1), 1e22, 0.0, 12.0) == pytest.approx(1e22 / np.pi / 12)


def test_the_kit_passes_the_template_and_models_of_ours(approved):
    sims.testing.check_model(lorentzian(), [TRUTH])
    gaussian = {"dose": 1e15, "projected_range": 100, "straggle": 30}
    sims.testing.check_model(find_model("gaussian"), [gaussian])
    with raises(AssertionError, text=approved):
        sims.testing.check_model(lorentzian(), [])
