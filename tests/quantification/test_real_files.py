"""Real exports of an instrument, quantified by plain numpy next to the library."""

import re

import numpy as np
import pytest
from shared_profiles import FOLDER

import sims_analysis as sims

#: As counted; one has concentrations.
FILES = [
    path
    for path in sorted((FOLDER / "uio_mina_cameca" / "raw").glob("*.dp_rpc_asc"))
    if "C[atom/cm3]" not in path.read_text("latin-1")
]
FACTORS = FOLDER / "formats" / "RSF_ZnO_values.txt"
ABSENT = pytest.param("", marks=pytest.mark.skip(reason="no ../shared/data with real exports"))
MATRIX = "70Zn"


def parsed(path):
    """Give (place, rate) of each species, and what is printed below the data."""
    lines = path.read_text("latin-1").splitlines()
    start = lines.index("*** DATA START ***")
    names = [name for name in lines[start + 3].split("\t") if name]
    rows = [line.split("\t") for line in lines[start + 5 : lines.index("", start + 5)]]
    found = {}
    for j, name in enumerate(names):
        cells = [[float(x) for x in row[3 * j : 3 * j + 3] if x] for row in rows]
        found[name] = np.array([pair for pair in cells if pair]).T
    return found, "\n".join(lines)


def printed(text, header):
    return float(re.search(rf"{re.escape(header)}\s+(\S+)", text)[1])


@pytest.mark.few(2)
@pytest.mark.parametrize("path", FILES or [ABSENT], ids=lambda path: getattr(path, "name", ""))
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.filterwarnings("ignore:.*were multiplied by a factor")  # one record ends inside
@pytest.mark.filterwarnings("ignore:.*ends inside the profile")  # lithium rises to the end
def test_quantified_by_hand(path):
    raw, text = parsed(path)
    ds = sims.read(path).to_dataset()
    tau = printed(text, "EM dead time (ns)") * 1e-9
    high, low = (printed(text, f"{way} threshold (c/s)") for way in ("EM -> FC", "FC -> EM"))
    if ds.sizes.get("depth"):
        true = sims.correct_dead_time(ds, dead_time=f"{tau * 1e9} ns")
        for name, (_, rate) in raw.items():
            found = sims.samples(true, name)["intensity"]
            if found.isnull().all():  # the instrument has made a concentration of it
                continue
            by_hand, cup = [], False
            for one in rate:  # a current from above one threshold to below the other
                cup = one > high or (cup and one >= low)
                by_hand.append(one if cup else one / (1 - one * tau))
            np.testing.assert_allclose(found, by_hand, rtol=1e-14)
    if MATRIX not in raw:
        assert "sputter_time" in ds.dims
        return
    x, matrix = raw[MATRIX]
    for name, (z, rate) in raw.items():
        if name == MATRIX or np.isnan(ds["intensity"].sel(species=name)).all():
            continue
        signal = np.interp(z, x, matrix)
        there = signal >= 0.01 * matrix.max()
        z_nm, by_hand = z[there] * 1e3, rate[there] / signal[there]
        factor = 1e15 / (np.trapezoid(by_hand, z_nm) * 1e-7)
        standard = {"species": name, "dose": "1e15 atoms/cm^2", "matrix": MATRIX}
        rsf = sims.rsf_from_standard(ds, **standard)
        assert rsf.item() == pytest.approx(factor, rel=1e-12)
        found = sims.with_rsf(ds, rsf=rsf, matrix=MATRIX)
        one = sims.samples(found, name)["concentration"]
        np.testing.assert_allclose(one, factor * by_hand, rtol=1e-12)
        assert sims.integrated_dose(found.sel(species=name)).item() == pytest.approx(1e15, 1e-12)


@pytest.mark.parametrize("path", FILES or [ABSENT], ids=lambda path: getattr(path, "name", ""))
def test_the_depth_scale_is_the_one_that_the_instrument_prints(path):
    raw, text = parsed(path)
    rate, crater = printed(text, "Mean SR (nm/min)"), printed(text, "2nd Interface (nm)")
    ds = sims.read(path).to_dataset()
    if "sputter_time" in ds.dims:
        # The whole crater in the time of the last sample, as by default here.
        deep = sims.calibrate_depth(ds, crater_depth=f"{crater} nm")
        found = deep["depth"][-1].item() / deep["sputter_time"][-1].item() * 60
        assert found == pytest.approx(rate, rel=5e-4)
        return
    # At the printed rate, a cycle of the printed waiting and counting times is a step in depth;
    # some are longer, by a calibration of the masses in between.
    times = re.findall(r"\| EM +\| ([\d.]+) +\| ([\d.]+) +\| ([\d.]+)", text)
    cycle = np.array(times, dtype=float).sum()
    name, (place, _) = next(iter(raw.items()))
    last = cycle * np.arange(place.size)
    timed = sims.to_dataset(
        sims.DepthProfile(
            species_name=name, depths=last, depth_units="s",
            concentrations=np.ones(place.size), concentration_units="counts/s",
        )
    )  # fmt: skip
    deep = sims.calibrate_depth(timed, rate=f"{rate} nm/min")["depth"].values
    assert np.median(np.diff(deep)) == pytest.approx(np.median(np.diff(place)) * 1e3, rel=5e-4)


@pytest.mark.few(3)
@pytest.mark.parametrize("path", FILES or [ABSENT], ids=lambda path: getattr(path, "name", ""))
@pytest.mark.filterwarnings("ignore:.*measured by a Faraday cup")
@pytest.mark.filterwarnings("ignore:.*ends inside the profile")  # lithium rises to the end
def test_published_factors_without_a_reference_signal(path):
    table = [line.split() for line in FACTORS.read_text().splitlines() if line[0] != "#"]
    factors = {element: float(number) for element, number in table}
    raw, text = parsed(path)
    ds = sims.read(path).to_dataset()
    known = {n: factors[e] for n in raw if (e := n.lstrip("0123456789")) in factors}
    known = {n: f for n, f in known.items() if ds["intensity"].sel(species=n).notnull().any()}
    if not known or "depth" not in ds.dims:
        pytest.skip("no species with a published factor, or no depths")
    ds = sims.with_counting_statistics(ds)
    rsf = {name: f"{factor} atoms/cm^3 per count/s" for name, factor in known.items()}
    found = sims.with_rsf(ds, rsf=rsf, matrix=None)
    for name, factor in known.items():
        z, rate = raw[name]
        one = sims.samples(found, name)
        np.testing.assert_allclose(one["concentration"], factor * rate, rtol=1e-14)
        dose = sims.integrated_dose(found.sel(species=name))
        assert dose.item() == pytest.approx(np.trapezoid(factor * rate, z * 1e-4), rel=1e-12)
        width = np.diff(z) * 1e-4 / 2
        weight = np.append(width, 0) + np.append(0, width)
        counts = one["concentration_counts"].values
        of_one = np.median(rate[counts > 0] / counts[counts > 0])
        by_hand = factor * of_one * np.sqrt((weight**2 * counts).sum())
        # A part that is a current has no known error, and neither has the sum.
        assert dose["stderr"].item() == pytest.approx(by_hand, rel=1e-4, nan_ok=True)
        assert np.isnan(by_hand) == (rate > printed(text, "EM -> FC threshold (c/s)")).any()
