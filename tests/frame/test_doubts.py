"""Answers that rest on a gap or on a saturated detector say so, in every layout."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from questions import AXIS, ELSEWHERE, QUESTIONS, ask, measurement

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, JunctionError, ProfileError, ProfileWarning
from sims_analysis.frame.doubts import around, doubted, in_gap, resting_on, tell_doubts
from sims_analysis.frame.opening import open_frame
from sims_analysis.outcomes import Status

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")

Z = np.arange(0.0, 300.0, 2.0)
WHOLE = 1e19 * np.exp(-(((Z - 100) / 30) ** 2) / 2)
LEVEL = "1e18 atoms/cm^3"


def measured(*holes, values=WHOLE):
    rows = []
    for start, stop in holes:
        rows.append(np.where((start < Z) & (stop > Z), np.nan, values))
    return xr.Dataset(
        {"concentration": (("species", "depth"), np.array(rows), {"units": "atom/cm^3"})},
        {"species": [f"S{i}" for i in range(len(rows))], "depth": ("depth", Z, {"units": "nm"})},
    )


#: A hole across the peak, one on the trailing edge, none.
HOLES = ((90, 120), (150, 182), (-1, -1))


def layouts(ds):
    yield ds
    yield ds.chunk({"species": 1})
    yield sims.stack([ds, ds.isel(depth=slice(0, -1))]).isel(measurement=0)
    yield sims.stack([ds.isel(species=slice(None, None, -1)), ds]).isel(measurement=1)


ASK = {
    "dose": lambda ds, **o: sims.integrated_dose(ds, **o)["status"],
    "budget": lambda ds, **o: sims.dose_budget(ds, rule_tolerance=9, **o)["status"],
    "cumulative": lambda ds, **o: sims.cumulative_dose(ds, **o)["status"],
    "fraction": lambda ds, **o: sims.depth_at_dose_fraction(ds, fraction=0.5, **o)["status"],
    "moments": lambda ds, **o: sims.moments(ds, **o)["status"],
    "peak": lambda ds, **o: sims.peak(ds, **o)["status"],
    "junction": lambda ds, **o: sims.junction_depth(ds, level=LEVEL, **o)["status"],
    "crossings": lambda ds, **o: sims.crossings(ds, level=LEVEL, max_count=2, **o)["status"].isel(
        crossing=1
    ),
}
EXPECTED = {
    "peak": ["gap", "ok", "ok"],
    "junction": ["ok", "gap", "ok"],
    "crossings": ["ok", "gap", "ok"],
}


@pytest.mark.few(2)
@pytest.mark.parametrize("question", ASK)
def test_an_answer_over_a_gap_says_so(question):
    for data in layouts(measured(*HOLES)):
        found = ASK[question](data)
        names = found["species"].values.tolist()
        got = [found.values.tolist()[names.index(f"S{i}")] for i in range(3)]
        assert got == EXPECTED.get(question, ["gap", "gap", "ok"])
        assert set(ASK[question](data, gaps="bridge").values.tolist()) == {"ok"}


def test_coverage_counts_what_was_measured():
    budget = sims.dose_budget(measured(*HOLES), start="50 nm", stop="250 nm", rule_tolerance=9)
    np.testing.assert_allclose(budget["coverage"], [1 - 30 / 200, 1 - 32 / 200, 1.0], rtol=1e-12)
    bridged = sims.dose_budget(
        measured(*HOLES), start="50 nm", stop="250 nm", rule_tolerance=9, gaps="bridge"
    )
    np.testing.assert_array_equal(bridged["coverage"], budget["coverage"])
    np.testing.assert_array_equal(bridged["dose"], budget["dose"])


def test_outside_the_interval_a_gap_does_not_matter():
    ds = measured(*HOLES)
    assert sims.integrated_dose(ds, stop="80 nm")["status"].values.tolist() == ["ok"] * 3
    assert sims.integrated_dose(ds, stop="90 nm")["status"].values.tolist() == ["ok"] * 3
    assert sims.integrated_dose(ds, stop="91 nm")["status"].values.tolist() == ["gap", "ok", "ok"]
    high = sims.junction_depth(ds, level="5e18 atoms/cm^3")["status"].values.tolist()
    assert high == ["ok"] * 3


def test_what_is_said():
    ds = measured(*HOLES)
    with pytest.warns(
        DoseWarning,
        match=r"species 'S0' and 1 more: no sample between 90 and 120 nm \(30 nm\); the dose",
    ):
        sims.integrated_dose(ds)
    with pytest.warns(ProfileWarning, match="species 'S1': no sample between 150 and 182 nm"):
        sims.junction_depth(ds, level=LEVEL)
    with pytest.raises(ProfileError, match="between 90 and 120 nm"):
        sims.integrated_dose(ds, strict=True)
    with pytest.raises(JunctionError, match=r"S1.*: gap"):
        sims.junction_depth(ds, level=LEVEL, strict=True)
    with pytest.raises(ProfileError, match="gaps='x'; expected 'flag' or 'bridge'"):
        sims.integrated_dose(ds, gaps="x")


def test_a_crossing_in_a_gap_lies_between_two_samples():
    found = sims.crossings(measured(*HOLES), level=LEVEL).isel(species=1, crossing=1)
    assert np.isnan(found["depth"])
    assert (found["depth_before"], found["depth_after"]) == (150, 182)


def test_nothing_is_interpolated_in_a_gap():
    ds = measured(*HOLES)
    at = ["80 nm", "90 nm", "100 nm", "170 nm"]
    found = sims.interpolate(ds, depth=at)["concentration"].notnull().values.tolist()
    assert found == [[True, True, False, True], [True, True, True, False], [True] * 4]
    whole = sims.interpolate(ds, depth=at, gaps="bridge")["concentration"]
    assert bool(whole.notnull().all())
    fine = sims.to_grid(ds, step="1 nm")["concentration"]
    hidden = fine["depth"][fine.isnull().any("species").values]
    assert (hidden.min(), hidden.max()) == (91, 181)
    cells = sims.to_grid(ds, step="5 nm", conserve="dose")["concentration"].isel(species=0)
    empty = cells["depth"][cells.isnull().values]
    assert (empty.min(), empty.max()) == (92.5, 117.5)
    # On the grid the gap is one still.
    assert sims.integrated_dose(sims.to_grid(ds, step="1 nm"))["status"].values.tolist() == [
        "gap",
        "gap",
        "ok",
    ]


def test_a_metallurgical_junction_in_a_gap_of_one_species():
    ds = measured((-1, -1), (160, 200))
    ds["concentration"][1] = 2e17
    ds["concentration"][1] = ds["concentration"][1].where((Z < 160) | (Z > 200))
    options = {"donors": ["S1"], "acceptors": ["S0"]}
    found = sims.metallurgical_junctions(ds, **options)
    assert found["status"].values.tolist() == ["ok", "gap"]
    assert np.isnan(found["depth"].values).tolist() == [False, True]
    assert sims.metallurgical_junctions(ds, gaps="bridge", **options)["status"].values.tolist() == [
        "ok",
        "ok",
    ]


def saturated():
    rng = np.random.default_rng(1)
    counts = rng.poisson(WHOLE / 1e19 * 5000).astype(float)
    counts = np.minimum(counts, 2000.0)
    ds = measured((-1, -1), values=counts * 2e15)
    return ds.assign(
        concentration_counts=ds["concentration"].copy(data=[counts]).assign_attrs(units="count")
    )


@pytest.mark.few(4)
@pytest.mark.parametrize(
    "question", ["dose", "budget", "cumulative", "fraction", "moments", "peak"]
)
def test_an_answer_from_a_saturated_detector_says_so(question):
    ds = saturated()
    for data in (ds, ds.chunk({"species": 1}), sims.stack([ds, ds.isel(depth=slice(0, -1))])):
        found = ASK[question](data, gaps="bridge")
        assert set(np.ravel(found.values)) == {"saturated"}
    # Where no such sample is, nothing is wrong.
    if question == "dose":
        assert sims.integrated_dose(ds, start="150 nm")["status"].values.tolist() == ["ok"]
        with pytest.raises(ProfileError, match="equal to the last digit"):
            sims.integrated_dose(ds, strict=True)


@pytest.mark.few(1)
@pytest.mark.parametrize("lazy", [False, True])
def test_what_is_asked_beside_the_samples_that_were_cut_off_is_ok(lazy):
    # Cut off at 4e18, from 59 to 141 nm.
    ds = saturated().chunk() if lazy else saturated()

    def statuses(found):
        return sorted(set(np.ravel(found["status"].values)) - {""})

    for depth, status in (("20 nm", "ok"), ("56 nm", "saturated"), ("100 nm", "saturated")):
        assert statuses(sims.surface_concentration(ds, depth=depth)) == [status]
    for start, status in (("80 nm", "saturated"), ("150 nm", "ok")):
        assert statuses(sims.decay_length(ds, start=start, stop="200 nm")) == [status]
    # What the detector has cut off may well reach a level above.
    for level, status in (("3e18", "ok"), ("4e18", "saturated"), ("6e18", "saturated")):
        at = {"level": f"{level} atoms/cm^3"}
        assert statuses(sims.junction_depth(ds, **at)) == [status]
        assert statuses(sims.crossings(ds, **at, max_count=2)) == [status]
    whole = measured((-1, -1))
    beyond = sims.junction_depth(whole, level="2e19 atoms/cm^3")
    assert statuses(beyond) == ["never_reached"]


def test_a_level_above_a_ceiling_is_told():
    with pytest.warns(ProfileWarning, match="4e\\+18 atom/cm\\^3 are equal to the last digit"):
        sims.junction_depth(saturated(), level="6e18 atoms/cm^3")
    with pytest.raises(JunctionError, match="saturated"):
        sims.junction_depth(saturated(), level="6e18 atoms/cm^3", strict=True)


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.split()[0] not in ELSEWHERE])
def test_every_question_about_the_top_tells_a_saturated_detector(question):
    data = measurement(AXIS)
    for species, top in (("B", 1e19), ("P", 1e18)):
        values = data["concentration"].loc[{"species": species}]
        values[:] = np.minimum(values, top)
    status = ask(question, data)["status"]
    assert (status == "saturated").all(), (
        f"{question}: {np.unique(status)} where a detector has cut off the top. Pass the status "
        "through doubted() and tell_doubts() (sims_analysis/frame/doubts.py); or add the question "
        "to ELSEWHERE in tests/questions.py, if its answer does not rest on the top"
    )


#: One with a hole at its peak, one that a detector has cut off, one of both, one that is whole.
CUT = np.minimum(2e15 * np.random.default_rng(1).poisson(WHOLE / 2e15), 6e18)


def doubtful():
    hole = (Z > 90) & (Z < 120)
    rows = [np.where(hole, np.nan, WHOLE), CUT, np.where((Z > 140) & (Z < 170), np.nan, CUT), WHOLE]
    return open_frame(
        xr.Dataset(
            {"concentration": (("species", "depth"), np.array(rows), {"units": "atom/cm^3"})},
            {"species": ["gap", "cut", "both", "whole"], "depth": ("depth", Z, {"units": "nm"})},
        ),
        ("concentration",),
        question="a test",
    )


def limits(start, stop):
    return xr.Variable((), start), xr.Variable((), stop)


G, S, K = int(Status.GAP), int(Status.SATURATED), int(Status.OK)


@pytest.mark.parametrize(
    ("start", "stop", "bridge", "expected"),
    [
        (np.nan, np.nan, False, [G, S, S, K]),
        (np.nan, np.nan, True, [K, S, S, K]),
        (136.0, np.nan, False, [K, K, G, K]),
        (136.0, np.nan, True, [K, K, K, K]),
        (0.0, 50.0, False, [K, K, K, K]),
    ],
)
def test_on_what_an_answer_about_a_window_rests(start, stop, bridge, expected):
    found = resting_on(doubtful(), limits(start, stop), bridge=bridge)
    assert found.values.tolist() == expected


def test_of_some_profiles_it_cannot_be_told_that_they_are_saturated():
    cut = xr.Variable("species", [True, True, False, True])
    found = resting_on(doubtful(), limits(np.nan, np.nan), bridge=False, cut=cut)
    assert found.values.tolist() == [G, S, K, K]


def test_samples_below_their_limit_are_a_gap_where_they_matter():
    frame = doubtful()
    censored = xr.full_like(frame.value, np.nan)
    censored[0, 50] = 1e15  # in the hole
    frame = replace(frame, censored=censored)
    wide = limits(136.0, np.nan)
    assert resting_on(frame, limits(80, 99), bridge=True).values.tolist() == [K, S, S, K]
    matter = xr.Variable("species", [True, False, True, True])
    found = resting_on(frame, wide, bridge=False, hidden=matter)
    assert found.values.tolist() == [G, K, G, G]
    assert resting_on(frame, wide, bridge=True, hidden=matter).values.tolist() == [K] * 4
    over = replace(frame, value=frame.value.where(frame.depth != 108, 1e18))  # two small holes
    assert resting_on(over, limits(80.0, 130.0), bridge=False).values[0] == G


def test_only_some_statuses_are_replaced_and_what_is_told():
    frame, window = doubtful(), limits(np.nan, np.nan)
    codes = xr.Variable("species", [K, int(Status.NO_DATA), int(Status.WRONG_SHAPE), K])
    with pytest.warns(ProfileWarning) as told:
        found = doubted(frame, codes, window, "it is bridged", bridge=False)
    assert found.values.tolist() == [G, *codes.values[1:]]
    (text,) = (str(one.message) for one in told)
    assert text.startswith("species 'gap': no sample between 90 and 120 nm (30 nm); it is bridged.")
    assert text.endswith(' gaps="bridge" accepts that')
    both = (Status.OK, Status.WRONG_SHAPE)
    with pytest.warns(DoseWarning) as told:
        found = doubted(frame, codes, window, "", DoseWarning, bridge=True, over=both)
    assert found.values.tolist() == [K, codes.values[1], S, K]
    (text,) = (str(one.message) for one in told)
    assert text.startswith(f"species 'both': {(CUT == 6e18).sum()} samples of 6e+18 atom/cm^3 are")
    assert text.endswith("saturated detector writes them: the answer rests on samples that were cu"
                         "t off")  # fmt: skip
    whole = replace(frame, value=frame.value[3:], depth=frame.depth)
    fine = xr.Variable("species", [K])
    assert doubted(whole, fine, window, "", bridge=False) is fine
    of_each = doubted(frame, xr.Variable((), K), limits(136.0, np.nan), "", bridge=False)
    assert of_each.values.tolist() == [K, K, G, K]


@pytest.mark.parametrize(("code", "said"), [(G, "no sample between 90"), (S, "samples of 6e+18")])
def test_a_doubt_is_an_error_where_that_is_asked_for(code, said):
    status = xr.Variable("species", np.where(np.arange(4) == (code == S), code, K))
    with pytest.raises(JunctionError) as told:
        tell_doubts(
            doubtful(), status, limits(np.nan, np.nan), "", DoseWarning, error=JunctionError
        )
    assert said in str(told.value)


def test_a_gap_among_others_is_counted_and_one_of_hidden_samples_is_named():
    frame = doubtful()
    two = replace(frame, value=frame.value.where((frame.depth < 190) | (frame.depth > 220)))
    status = xr.Variable("species", [G, K, K, K])
    with pytest.warns(DoseWarning, match=r"90 and 120 nm \(30 nm\), and in 1 more gaps; so"):
        tell_doubts(two, status, limits(np.nan, np.nan), "so", DoseWarning)
    censored = xr.full_like(frame.value, np.nan)
    censored[0, 100] = 1e15
    hidden = replace(frame, value=frame.value.where(frame.depth != 200), censored=censored)
    with pytest.warns(DoseWarning, match="'gap': the samples between 198 and 202 nm are below the"):
        tell_doubts(hidden, status, limits(199.0, 201.0), "so", DoseWarning)
    with pytest.warns(DoseWarning, match="'gap': no sample between 90 and 120 nm"):
        tell_doubts(hidden, status, limits(np.nan, np.nan), "so", DoseWarning)


def test_a_depth_in_a_gap_is_neither_on_a_sample_nor_beyond_the_ends():
    at = xr.Variable("asked", [80.0, 90.0, 91.0, 119.0, 120.0, 150.0, 999.0])
    found = in_gap(doubtful(), at)
    assert found.dims == ("species", "asked")
    assert found.values[0].tolist() == [False, False, True, True, False, False, False]
    assert found.values[2].tolist() == [False] * 5 + [True, False]
    assert not found.values[[1, 3]].any()


def test_a_window_about_a_depth_is_narrow():
    start, stop = around(xr.Variable((), 100.0))
    assert 99.999 < float(start) < 100.0 < float(stop) < 100.001
