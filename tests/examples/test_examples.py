"""The examples are what their script makes, say that they are synthetic, and tell the truth."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from error_parts import raises
from scipy import optimize

import sims_analysis as sims
from sims_analysis.examples import synthetic
from sims_analysis.examples.opening import ARCHIVE
from sims_analysis.units import read_quantity

NAMES = synthetic.NAMES
#: Deviations allowed, in standard errors of the counting statistics: one in 15,000 by chance.
SIGMAS = 4.0
_KINDS = ("concentration", "areal_density", "depth", "sputter_rate", "sputter_time", "count_rate")


def stated(text):
    return read_quantity(text, _KINDS, "truth")[0]


def metadata(ds, species):
    return json.loads(str(ds.sel(species=species)["species_metadata"].values))


def truth(ds, species):
    return metadata(ds, species)["truth"]


def measured(ds, species, variable="concentration"):
    one = ds[variable].sel(species=species)
    one = one.dropna(one.dims[0])
    return one[one.dims[0]].values, one.values


def counting_error(ds, species):
    """Standard error of every sample, from the value of one count."""
    z, c = measured(ds, species)
    per_count = stated(metadata(ds, species)["value_per_count"])
    return z, c, np.sqrt(np.maximum(c * per_count, per_count**2))


def counted(ds, *species):
    """Add the standard errors of counting."""
    return sims.with_counting_statistics(
        ds, value_per_count={name: metadata(ds, name)["value_per_count"] for name in species}
    )


# ---- made by the script


@pytest.mark.parametrize("name", NAMES)
def test_the_archive_holds_what_the_script_makes(name):
    made = synthetic.numbers(name)
    profiles = sims.Archive(ARCHIVE).get(name).depth_profiles
    assert list(made) == [one.species_name for one in profiles]
    for one in profiles:
        depths, values = made[one.species_name]
        np.testing.assert_array_equal(one.depths, depths)
        np.testing.assert_array_equal(one.concentrations, values)


def meeting(a, b, start, stop):
    """Depth at which two concentrations are equal."""
    return optimize.brentq(lambda z: math.log(a(z) / b(z)), start, stop)


def agrees(known, key, number):
    """Whether a stated number is this one, to its six digits."""
    return stated(known[key]) == pytest.approx(number, rel=5e-6)


@pytest.mark.parametrize(
    ("name", "species", "profile", "deepest"),
    [
        ("boron-implant", "B", synthetic.BORON, 1000.0),
        ("sputter-time", "As", synthetic.ARSENIC, 500.0),
        ("gan-mg-stack", "Mg", synthetic.magnesium, 1200.0),
    ],
)
def test_the_stated_truth_is_that_of_the_closed_forms(name, species, profile, deepest):
    known = truth(sims.open_example(name), species)
    z = np.linspace(0.0, deepest, 100_001)
    c = profile(z)
    area = np.trapezoid(c, z)
    assert agrees(known, "dose", area * 1e-7)
    level = stated(known["junction_level"])
    start = z[c > 10 * level].max()
    assert agrees(known, "junction_depth", meeting(profile, lambda _: level, start, start + 150))
    if "straggle" in known:
        mean = np.trapezoid(c * z, z) / area
        assert agrees(known, "projected_range", mean)
        assert agrees(known, "straggle", math.sqrt(np.trapezoid(c * (z - mean) ** 2, z) / area))


def test_the_stated_metallurgical_junctions_are_those_of_the_closed_forms():
    boron, stack = sims.open_example("boron-implant"), sims.open_example("gan-mg-stack")
    implanted = meeting(synthetic.BORON, lambda _: synthetic.PHOSPHORUS, 74.0, 400.0)
    grown = meeting(synthetic.magnesium, synthetic.silicon, 180.0, 350.0)
    for ds, depth, names in ((boron, implanted, "BP"), (stack, grown, ("Mg", "Si"))):
        for name in names:
            assert agrees(truth(ds, name), "metallurgical_junction", depth)


def test_the_archive_is_sound_and_holds_nothing_else():
    archive = sims.Archive(ARCHIVE)
    assert archive.verify() == {}
    assert archive.ids() == sorted([*NAMES, "gan-mg", "zno-li"])
    assert all(len(archive.versions(name)) == 1 for name in archive)


@pytest.mark.parametrize("mean", [0.3, 4.0, 900.0, 5e5])
def test_the_noise_is_poisson(mean):
    n = 4000
    counts = synthetic.poisson(np.full(n, mean), seed=7)
    assert counts.min() >= 0
    assert abs(counts.mean() - mean) < SIGMAS * math.sqrt(mean / n)
    # Var(s^2) of a Poisson variable: (m + 2 m^2) / n.
    assert abs(counts.var() - mean) < SIGMAS * math.sqrt((mean + 2 * mean**2) / n)


# ---- labelled, and as described


@pytest.mark.parametrize("name", NAMES)
def test_says_that_it_is_synthetic_wherever_it_shows(name):
    ds = sims.open_example(name)
    assert ds.attrs["source"].startswith("synthetic")
    for text in ds["species_metadata"].values:
        about = json.loads(str(text))
        assert about["synthetic"] is True
        assert about["sample"].startswith("synthetic")
        assert "not a measurement" in about["note"]
        assert about["truth"]
    entry = sims.Archive(ARCHIVE).catalogue(name)
    assert entry["tags"] == ["synthetic"]
    assert entry["sample_name"].startswith("synthetic")


def test_species_and_kinds():
    boron = sims.open_example("boron-implant")
    assert boron["species"].values.tolist() == ["B", "P"]
    stack = sims.open_example("gan-mg-stack")
    assert set(stack.data_vars) == {"concentration", "atomic_fraction", "intensity"}
    assert stack["intensity"].attrs["units"] == "count/s"
    axes = [measured(stack, s, v)[0] for s, v in _VARIABLES.items()]
    assert all(axis.size == 300 for axis in axes)
    assert stack.sizes["depth"] == 1200, "no two species share a depth"
    assert set(sims.open_example("sputter-time").dims) == {"species", "sputter_time"}


_VARIABLES = {
    "Al": "atomic_fraction",
    "Ga->": "intensity",
    "Mg": "concentration",
    "Si": "concentration",
}


def test_zeros_are_there_and_stay():
    assert (sims.open_example("boron-implant")["concentration"].sel(species="B") == 0).any()
    assert (sims.open_example("gan-mg-stack")["concentration"].sel(species="Mg") == 0).any()


def test_an_unknown_name_lists_the_names(approved):
    with raises(sims.errors.ArchiveError, argument="name", text=approved):
        sims.open_example("arsenic")


# ---- the truth, within the noise


def dose_error(ds, species, start, stop):
    dose = sims.integrated_dose(
        counted(ds, species).sel(species=species), start=f"{start} nm", stop=f"{stop} nm"
    )
    return float(dose["stderr"])


@pytest.mark.parametrize(
    ("name", "species", "stop"), [("boron-implant", "B", 400.0), ("gan-mg-stack", "Mg", 900.0)]
)
def test_dose(name, species, stop):
    ds = sims.open_example(name)
    known = truth(ds, species)
    dose = sims.integrated_dose(
        ds, stop=f"{stop} nm", background=known["background"], surface="hold"
    ).sel(species=species)
    # The spike falls by 1/e in a step or so: the trapezoid over its first samples is not exact.
    expected = stated(known["dose"]) + stated(known["surface_dose"])
    sigma = dose_error(ds, species, 10.0, stop) + 0.1 * stated(known["surface_dose"])
    assert abs(float(dose) - expected) < SIGMAS * sigma


def test_dose_below_the_surface_to_the_counting_error():
    ds = sims.open_example("boron-implant")
    start, stop = 25.0, 400.0
    z = np.linspace(start, stop, 100_001)
    expected = np.trapezoid(synthetic.BORON(z) + synthetic.spike(z, 3e19, 2.5), z) * 1e-7
    dose = sims.integrated_dose(
        ds, start=f"{start} nm", stop=f"{stop} nm", background="2e14 atoms/cm^3"
    ).sel(species="B")
    sigma = dose_error(ds, "B", start, stop)
    assert sigma < 5e-4 * expected
    assert abs(float(dose) - expected) < SIGMAS * sigma


@pytest.mark.parametrize(("name", "species"), [("boron-implant", "B"), ("gan-mg-stack", "Mg")])
def test_junction_depth(name, species):
    ds = sims.open_example(name)
    known = truth(ds, species)
    level = known["junction_level"]
    xj = sims.junction_depth(counted(ds, species), level=level, after="20 nm").sel(species=species)
    assert xj["status"] == "ok"
    sigma = float(xj["stderr"])
    assert 0 < sigma < 1
    assert abs(float(xj) - stated(known["junction_depth"])) < SIGMAS * sigma


def test_what_has_no_junction_has_none():
    ds = sims.open_example("boron-implant")
    xj = sims.junction_depth(ds, level="1e18 atoms/cm^3", after="15 nm").sel(species="P")
    assert xj["status"] == "never_reached"
    assert math.isnan(float(xj))


@pytest.mark.parametrize(
    ("name", "donor", "acceptor"), [("boron-implant", "P", "B"), ("gan-mg-stack", "Si", "Mg")]
)
def test_metallurgical_junction(name, donor, acceptor):
    ds = counted(sims.open_example(name), donor, acceptor)
    found = sims.metallurgical_junctions(ds, donors=[donor], acceptors=[acceptor])
    known = truth(ds, acceptor)
    assert found["polarity"].values.tolist() == ["p->n"]
    sigma = float(found["stderr"][0])
    assert 0 < sigma < 2
    assert abs(float(found["depth"][0]) - stated(known["metallurgical_junction"])) < SIGMAS * sigma


@pytest.mark.parametrize(("name", "species"), [("boron-implant", "B"), ("gan-mg-stack", "Mg")])
def test_decay_length(name, species):
    ds = counted(sims.open_example(name), species)
    known = truth(ds, species)
    ds["concentration"] = ds["concentration"] - stated(known["background"])
    ds["concentration"].attrs["units"] = "atom/cm^3"
    start, stop = known["decay_length_window"]
    fit = sims.decay_length(ds.sel(species=species), start=start, stop=stop)
    assert fit["status"] == "ok"
    sigma = float(fit["stderr"])
    assert sigma < 0.05 * stated(known["decay_length"])
    assert abs(float(fit["decay_length"]) - stated(known["decay_length"])) < SIGMAS * sigma


def test_range_and_straggle():
    ds = sims.open_example("boron-implant")
    known = truth(ds, "B")
    shape = sims.moments(
        ds.sel(species="B"), start="15 nm", stop="400 nm", background=known["background"]
    )
    z, c, sigma = counting_error(ds, "B")
    inside = (z >= 15) & (z <= 400)
    z, c, sigma = z[inside], c[inside] - stated(known["background"]), sigma[inside]
    # The same window cut out of the truth, and the errors that counting makes.
    fine = np.linspace(z[0], z[-1], 100_001)
    exact = synthetic.BORON(fine) + synthetic.spike(fine, 3e19, 2.5)
    mean = np.sum(fine * exact) / np.sum(exact)
    straggle = math.sqrt(np.sum((fine - mean) ** 2 * exact) / np.sum(exact))
    noise = math.sqrt(np.sum(((z - mean) * sigma) ** 2)) / np.sum(c)
    noise_of_square = math.sqrt(np.sum((((z - mean) ** 2 - straggle**2) * sigma) ** 2)) / np.sum(c)
    assert noise < 0.02
    assert abs(float(shape["projected_range"]) - mean) < SIGMAS * noise
    assert abs(float(shape["straggle"]) - straggle) < SIGMAS * noise_of_square / (2 * straggle)
    # What the window leaves out near the surface moves the stated values by less than this.
    assert abs(float(shape["projected_range"]) - stated(known["projected_range"])) < 1.0
    assert abs(float(shape["straggle"]) - stated(known["straggle"])) < 1.0


def test_the_time_axis_leads_to_the_dose_with_the_stated_rate_and_sensitivity():
    ds = sims.open_example("sputter-time")
    known = truth(ds, "As")
    arsenic, silicon = sims.to_profiles(ds)
    rate, rsf = stated(known["sputter_rate"]), stated(known["relative_sensitivity_factor"])
    assert rate * stated(known["sputter_time"]) == pytest.approx(stated(known["crater_depth"]))
    matrix = silicon.concentrations[silicon.depths > 40].mean()
    calibrated = replace(
        arsenic,
        depths=arsenic.depths * rate,
        depth_units="nm",
        concentrations=arsenic.concentrations * rsf / matrix,
        concentration_units="atoms/cm^3",
    )
    concentration = sims.to_dataset([calibrated])
    background = f"{rsf / matrix} atoms/cm^3"
    dose = sims.integrated_dose(concentration, background=background, surface="hold")
    counts = arsenic.concentrations.sum() * stated(metadata(ds, "As")["dwell_time"])
    expected = stated(known["dose"]) + stated(known["surface_dose"])
    sigma = expected / math.sqrt(counts) + 0.1 * stated(known["surface_dose"])
    assert abs(dose.item() - expected) < SIGMAS * sigma
    xj = sims.junction_depth(concentration, level=known["junction_level"], after="peak")
    level_counts = stated(known["junction_level"]) / (rsf / matrix) * 0.5
    sigma_xj = float(xj["decay_length"].item()) / math.sqrt(level_counts)
    assert abs(xj.item() - stated(known["junction_depth"])) < SIGMAS * sigma_xj
