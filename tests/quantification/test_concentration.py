"""Fractions to concentrations, by a density that is stated or has a source."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.quantification.hosts import HOSTS, host_of_formula


def fractions(unit="at%", name="atomic_fraction", **rows):
    return xr.Dataset(
        {name: (("species", "depth"), np.array(list(rows.values()), float), {"units": unit})},
        coords={"species": list(rows), "depth": ("depth", [0.0, 1.0], {"units": "nm"})},
    )


def test_atomic_fraction_to_concentration():
    ds = fractions(Ge=[20.0, 10.0])
    found = sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_allclose(found["concentration"].values, [[1e22, 5e21]], rtol=1e-15)
    assert "atomic_fraction" not in found
    assert found["concentration"].attrs["units"] == "atom/cm^3"
    assert found.attrs["atomic_density"] == "5e+22 atom/cm^3 (stated)"
    silicon = sims.to_concentration(fractions("ppm", B=[1.0, 2.0]), atomic_density="Si")
    np.testing.assert_allclose(silicon["concentration"].values, [[4.99397e16, 9.98794e16]], 1e-5)
    assert "(Si)" in silicon.attrs["history"]


def test_silicon_agrees_with_codata():
    from scipy import constants

    lattice = constants.value("lattice parameter of silicon")
    assert HOSTS["Si"].atomic_density == pytest.approx(8 / (lattice * 100) ** 3, rel=1e-7)


def test_stderr_is_converted_too():
    ds = fractions(Ge=[20.0, 10.0])
    ds["atomic_fraction_stderr"] = (("species", "depth"), [[2.0, 0.5]], {"units": "at%"})
    found = sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_allclose(found["concentration_stderr"].values, [[1e21, 2.5e20]])
    assert found["concentration_stderr"].attrs["units"] == "atom/cm^3"


def test_mass_fraction_needs_masses():
    ds = fractions("wt%", "mass_fraction", B=[1.0, 2.0])
    with raises(UnitsError, argument="masses"):
        sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3", masses={"B": 10.81})
    found = sims.to_concentration(ds, atomic_density="Si", masses={"B": 10.81})
    exact = 0.01 * HOSTS["Si"].atomic_density * 28.085 / 10.81
    np.testing.assert_allclose(found["concentration"].values, [[exact, 2 * exact]])
    one = sims.to_concentration(ds.sel(species="B"), atomic_density="Si", masses={"B": 10.81})
    np.testing.assert_allclose(one["concentration"].values, [exact, 2 * exact])


def test_species_in_concentrations_stay_as_they_are(approved):
    ds = sims.open_example("gan-mg-stack")
    found = sims.to_concentration(ds, atomic_density="GaN")
    before = ds["concentration"].notnull()
    assert (
        found["concentration"].values[before.values] == ds["concentration"].values[before.values]
    ).all()
    added = ds["atomic_fraction"].notnull()
    np.testing.assert_allclose(
        found["concentration"].values[added.values],
        ds["atomic_fraction"].values[added.values] * HOSTS["GaN"].atomic_density,
    )
    both = fractions(B=[1.0, 2.0]).assign(
        concentration=(("species", "depth"), [[1.0, 2.0]], {"units": "atom/cm^3"})
    )
    with raises(ProfileError, "repeated_species", species="B"):
        sims.to_concentration(both, atomic_density="Si")


def test_a_host_by_formula_and_mass_density():
    """By hand: 0.3 x 26.982 + 0.7 x 69.723 + 14.007 u in two atoms."""
    mean = (0.3 * 26.982 + 0.7 * 69.723 + 14.007) / 2
    density = 5.2 / mean * 6.02214076e23
    host = ("Al0.3Ga0.7N", "5.2 g/cm^3")
    found = sims.to_concentration(fractions(Mg=[0.01, 0.02]), atomic_density=host)
    np.testing.assert_allclose(found["concentration"][0], [1e-4 * density, 2e-4 * density], 1e-5)
    assert found.attrs["atomic_density"].endswith("(Al0.3Ga0.7N, 5.2 g/cm^3)")
    ds = fractions("wt%", "mass_fraction", Mg=[1.0, 2.0])
    found = sims.to_concentration(ds, atomic_density=host, masses={"Mg": 24.305})
    np.testing.assert_allclose(found["concentration"][0, 0], 0.01 * density * mean / 24.305, 1e-5)
    # A named host agrees with its formula and the mass density that its lattice has.
    silicon = HOSTS["Si"]
    rho = silicon.atomic_density * 28.085 / 6.02214076e23
    assert host_of_formula("Si", f"{rho} g/cm^3").atomic_density == pytest.approx(
        silicon.atomic_density, rel=1e-12
    )
    lithium = host_of_formula("Li", "0.534 g/cm^3")
    assert lithium.atomic_density == pytest.approx(0.534 / 6.94 * 6.02214076e23, rel=1e-4)


def test_counts_and_their_meaning_go_along_with_fractions():
    ds = fractions(Ge=[20.0, 10.0])
    ds["atomic_fraction_stderr"] = (
        ("species", "depth"), [[2.0, 0.5]], {"units": "at%", "description": "counting"}
    )  # fmt: skip
    ds["atomic_fraction_counts"] = (("species", "depth"), [[100.0, 400.0]], {"units": "count"})
    found = sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_array_equal(found["concentration_counts"], ds["atomic_fraction_counts"])
    assert found["concentration_stderr"].attrs["description"] == "counting"
    assert not [name for name in found if name.startswith("atomic_fraction")]


def test_hosts_have_the_masses_of_their_atoms():
    read = pytest.importorskip("periodictable").formula
    assert set(HOSTS) == {"Si", "Ge", "GaAs", "InP", "GaN", "SiC", "SiO2"}
    for name, host in HOSTS.items():
        atoms = read(name).atoms
        mean = sum(atom.mass * n for atom, n in atoms.items()) / sum(atoms.values())
        assert host.mean_mass == pytest.approx(mean, rel=1e-4), name


@pytest.mark.parametrize(
    ("name", "grams_per_cm3"),
    [  # densities of handbooks
        ("Si", 2.329), ("Ge", 5.323), ("GaAs", 5.318), ("InP", 4.81),
        ("GaN", 6.08), ("SiC", 3.21), ("SiO2", 2.20),
    ],
)  # fmt: skip
def test_hosts_have_the_densities_of_handbooks(name, grams_per_cm3):
    host = HOSTS[name]
    mass = host.atomic_density * host.mean_mass / 6.02214076e23
    assert mass == pytest.approx(grams_per_cm3, rel=0.01)
