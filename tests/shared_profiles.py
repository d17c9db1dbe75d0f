"""Real measurements, read from a folder next to the checkout; never copied into the repository."""

from pathlib import Path

import pytest

import sims_analysis as sims

FOLDER = Path(__file__).parents[2] / "shared" / "data"
NAMES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.api.json"))


def parametrize(*names: str):
    """Run a test once for each measurement; skip it, saying so, where there are none."""
    chosen = [name for name in NAMES if not names or any(part in name for part in names)]
    absent = pytest.param("", marks=pytest.mark.skip(reason="no ../shared/data with real profiles"))
    return pytest.mark.parametrize("name", chosen or [absent])


def read(name: str) -> bytes:
    """Give the payload of a measurement; skip the calling test where it is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no ../shared/data/{name}: real profiles are not part of the repository")
    return path.read_bytes()


def delivered(name: str):
    """Give a measurement, of the API or an instrument's file, as a Dataset."""
    read(name)
    return sims.read(FOLDER / name).to_dataset()
