"""Texts and parts of errors and warnings, as approved in ``approved_messages.txt``."""

import numpy as np
import pytest
import xarray as xr
from approved import OF_TESTS, approved, difference, messages, takes_approved

import sims_analysis as sims
from sims_analysis.units.definitions import read_unit, unit_of_kind

APPROVED = "of every room"
PAYLOAD = (
    '[{"data_id": "w1", "species_name": "B", "depths": [0, 1], "depth_units": "nm",'
    ' "concentrations": [1, 2], "concentration_units": "atoms/cm^3"}]'
)


def files(folder):
    """Write the files that calls and commands read."""
    z = np.arange(10.0, 210.0, 2.0)
    profile = zip(z, 1e19 * np.exp(-(((z - 100.0) / 30.0) ** 2)) + 1e15, strict=True)
    rows = [(0.0, 1e20), (1.0, 1e17), *profile]
    table = "".join(f"{z:g},{c:g}\n" for z, c in rows)
    texts = {
        "profile.csv": "Depth (nm),B (atoms/cm3)\n" + table,
        "bare.csv": "Depth,B\n" + table,
        "twice.csv": "Depth (nm),B (c/s),B (c/s)\n1,2,3\n2,3,3\n3,5,3\n",
        "spectrum.csv": "Mass,Counts\n1,2\n2,3\n3,5\n",
        "ids.txt": "# none\n",
        "boron.json": PAYLOAD,
        "phosphorus.json": PAYLOAD.replace('"B"', '"P"'),
    }
    (folder / "notes.txt").write_bytes(b"\xff\xfe no text")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def names():
    """Return what calls may use."""
    implant, time = sims.open_example("boron-implant"), sims.open_example("sputter-time")
    depth = np.arange(0.0, 100.0, 5.0)
    value = 1e19 * np.exp(-(((depth - 40.0) / 15.0) ** 2)) + 1e14
    boron = xr.Dataset(
        {"concentration": (("species", "depth"), [value, 2 * value], {"units": "atoms/cm^3"})},
        {"species": ["B", "P"], "depth": ("depth", depth, {"units": "nm"})},
    )
    with_gap = boron.isel(depth=[*range(7), *range(12, 20)])
    return {"sims": sims, "xr": xr, "np": np, "implant": implant, "time": time, "boron": boron,
            "with_gap": with_gap, "read_unit": read_unit, "unit_of_kind": unit_of_kind}  # fmt: skip


NAMES = names()


def outcome(call):
    return messages(call, NAMES)


@pytest.fixture(autouse=True)
def _in_a_folder_and_without_keys(tmp_path, monkeypatch):
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("AS_API_KEY", "ATOMSCALE_API_KEY", "AS_API_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_messages_are_as_approved(tmp_path):
    assert not (changed := difference(APPROVED, outcome)), changed
    made = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert made == {"lab"}, "a command that is refused makes nothing"


def test_texts_of_tests_are_of_tests_that_there_are():
    tests = [line[2:] for line in approved(OF_TESTS) if line.startswith("# ")]
    assert tests
    assert all(map(takes_approved, tests))
