"""Annotations say what they mean: the level, the direction, the plus-minus."""

import drawn
import matplotlib as mpl
import numpy as np
import pytest

import sims_analysis as sims

mpl.use("Agg")


def counted():
    return sims.with_counting_statistics(
        drawn.profiles(B=drawn.gaussian()), value_per_count="1e14 atoms/cm^3"
    )


def test_a_junction_says_its_level_in_the_unit_of_the_axis():
    ds = drawn.profiles(B=drawn.gaussian())
    xj = sims.junction_depth(ds, level="5e17 atoms/cm^3")
    (text,) = drawn.notes(drawn.sketched(ds, junctions=xj))
    assert "5×10$\\mathregular{^{17}}$ cm⁻³" in text
    (text,) = drawn.notes(drawn.sketched(ds, junctions=xj, value_units="1/m^3"))
    assert "5×10$\\mathregular{^{23}}$ m⁻³" in text


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_junction_beside_a_zero_is_marked_at_its_level(scale):
    ds = drawn.profiles(B=np.r_[np.full(10, 4e17), np.zeros(5), np.full(5, 1e16)])
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = drawn.sketched(ds, junctions=xj, scale=scale)
    (mark,) = (line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1)
    assert mark.get_xdata()[0] == pytest.approx(xj.item())
    assert mark.get_ydata()[0] == pytest.approx(1e17)


def test_crossings_are_no_junctions_and_say_which_way_they_go():
    ds = drawn.profiles(B=drawn.gaussian())
    found = sims.crossings(ds, level="1e18 atoms/cm^3")
    texts = drawn.notes(drawn.sketched(ds, junctions=found))
    assert not any("x_" in text for text in texts)
    assert sorted(text.split()[0] for text in texts) == ["falls", "rises"]


def test_level_and_metallurgical_junctions_together():
    ds = drawn.profiles(B=drawn.gaussian(), P=np.full(50, 2e17))
    level = sims.junction_depth(ds.sel(species=["B"]), level="1e18 atoms/cm^3")
    balance = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    texts = drawn.notes(drawn.sketched(ds, junctions=[level, balance]))
    assert any("x_" in text for text in texts)
    assert any("p→n junction" in text for text in texts)


@pytest.mark.parametrize("coverage", [1.0, 2.0])
def test_every_plus_minus_of_a_figure_is_the_same_number_of_standard_errors(coverage):
    ds = counted()
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    budget = sims.dose_budget(ds, rsf_uncertainty=0.1)
    ax = drawn.sketched(ds, junctions=xj, dose=budget, coverage=coverage)
    texts = drawn.notes(ax)
    meanings = [text for text in texts if "standard error" in text]
    assert meanings == ["± one standard error" if coverage == 1 else "± 2 standard errors"]
    assert texts[-1] == meanings[0]
    bar = next(c for c in ax.collections if hasattr(c, "get_segments"))
    (left, _), (right, _) = bar.get_segments()[0]
    assert (right - left) / 2 == pytest.approx(coverage * float(xj["stderr"].item()))
    (dose,) = [text for text in texts if "$Q$" in text]
    # Ten per cent act on all samples alike: they are no part of the plus-minus.
    assert f"(systematic: {10 * coverage:g} %)" in dose


def test_a_list_of_results_for_a_list_of_data_needs_as_many():
    ds = drawn.profiles(B=drawn.gaussian())
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    with pytest.raises(sims.errors.ProfileError, match="mapping"):
        drawn.sketched({"a": ds, "b": ds}, junctions=[xj])


@pytest.mark.parametrize(
    ("units", "printed"), [("angstrom", "18000 Å"), ("nm", "1800 nm"), ("um", "1.8 µm")]
)
def test_the_depth_of_a_peak_has_no_exponent(units, printed):
    deep = drawn.profiles(B=drawn.gaussian()).assign_coords(depth=lambda d: 60 * d["depth"])
    deep["depth"].attrs["units"] = "nm"
    ax = drawn.sketched(deep, peak=sims.peak(deep), depth_units=units)
    assert [text for text in drawn.notes(ax) if text.endswith(f" at {printed}")]
