"""Every question on samples below a limit, saturated or missing: none is ``ok`` without a warning.

The questions are those of the registry and of the models. A new one is asked here by itself; what
it need not tell stands in `APART`, with the reason.
"""

import re
import warnings
from functools import cache

import numpy as np
import pytest
import xarray as xr
from questions import AXIS, EAGER, ELSEWHERE, QUESTIONS, ask

import sims_analysis as sims
from sims_analysis.errors import SimsWarning
from sims_analysis.outcomes import KINDS

VALUE = "1e15 atoms/cm^3"
MODELS = {
    "fit": lambda ds: sims.fit(ds, model="gaussian", start="12 nm", stop="130 nm"),
    "interface": lambda ds: sims.interface(
        ds.sel(species="B"), start="45 nm", left=("45 nm", "55 nm"), right=("130 nm", "150 nm")
    ),
    "layers": lambda ds: sims.layers(ds, species="B", level="8e18 atoms/cm^3"),
    "sheet_resistance": lambda ds: sims.sheet_resistance(ds, acceptors=["B", "P"]),
    "deconvolve": lambda ds: sims.deconvolve(ds.sel(species="B"), resolution="4 nm", start="12 nm"),
}
EVERY = [*QUESTIONS, *MODELS]


def counted(*, seed=3, zero=0.0, floor=2.0):
    """Make two implants of 50,000 and 30,000 counts at their maxima; `zero` stands for no count."""
    rng = np.random.default_rng(seed)
    shapes = [np.exp(-0.5 * ((AXIS - at) / 22.0) ** 2) for at in (45.0, 70.0)]
    k = rng.poisson(np.stack([5e4 * shapes[0] + floor, 3e4 * shapes[1] + floor])).astype(float)
    values = {"concentration": (("species", "depth"), np.maximum(k, zero) * 1e15)}
    ds = xr.Dataset(values, {"species": ["B", "P"], "depth": ("depth", AXIS, {"units": "nm"})})
    ds["concentration"].attrs["units"] = "atom/cm^3"
    return sims.with_counting_statistics(ds, value_per_count=VALUE)


def without(ds, lost):
    """Leave out samples, with their ancillary variables."""
    return ds.assign({name: one.where(~lost) for name, one in ds.data_vars.items()})


def two_of_three():
    """Flag two of three samples, but for the first: no distance is a gap."""
    return xr.DataArray((np.arange(AXIS.size) % 3 != 0) & (AXIS > 0), dims="depth")


def below_limit(ds):
    """Give a file's samples ``<5E15``: so many, also at the top, that everything rests on them."""
    lost = two_of_three()
    limit = xr.full_like(ds["concentration"], 5e15).where(lost)
    limit.attrs["units"] = "atom/cm^3"
    return without(ds, lost).assign_coords(concentration_detection_limit=limit)


def saturated(ds):
    top = xr.DataArray([1e4, 6e3], dims="species") * 1e15
    low = ds["concentration"].clip(max=top)
    return ds.assign(concentration=low.assign_attrs(ds["concentration"].attrs))


def holed(ds):
    holes = [(9, 24), (28, 39), (52, 70), (80, 96), (104, 120), (143, 167)]
    z = ds["depth"]
    return without(ds, sum((z > a) & (z < b) for a, b in holes) > 0)


#: Doubt -> how data come to it.
IMPAIRED = {"limit": below_limit, "saturation": saturated, "gap": holed}
#: Statuses that say so, or a part of the warning.
EXPECTED = {
    "limit": ({"below_limit"}, "below their limit of detection"),
    "saturation": ({"saturated"}, "equal to the last digit"),
    "gap": ({"gap"}, "no sample between"),
}
#: What need not be reported, and why.
APART = {
    ("limit", "with_counting_statistics"): "states errors of samples with a value alone",
    **{(cause, "below_detection"): "a flag of each sample alone" for cause in IMPAIRED},
    ("gap", "with_counting_statistics"): "of each sample alone",
    ("gap", "detection_limit"): "a mean of samples, however far apart",
    ("gap", "decay_length"): "samples on a line, however far apart",
    ("gap", "surface_concentration"): "no hole near the surface",
    ("saturation", "layers"): "of a level below the top",
    **{("saturation", name): "rests not on the top" for name in ELSEWHERE},
}


def asked(question, ds):
    return MODELS[question](ds) if question in MODELS else ask(question, ds)


def answer(question, ds):
    """Ask, and return the statuses, or the kinds of evidence that data carry, and warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SimsWarning)
        found = asked(question, ds)
    has = "status" in found.coords or (isinstance(found, xr.Dataset) and "status" in found)
    words = np.ravel(found["status"].values).tolist() if has else []
    flags = [found[name].values for name in found.coords if str(name).endswith("_quality")]
    bits = np.bitwise_or.reduce(np.concatenate([np.ravel(one) for one in flags] or [[0]]))
    words += [kind.name for kind in KINDS if int(bits) & kind.flags]
    return words, " ".join(str(one.message) for one in caught)


@pytest.mark.few(20)
@pytest.mark.parametrize("cause", IMPAIRED)
@pytest.mark.parametrize("question", EVERY)
def test_every_question_reports_every_kind_of_doubtful_sample(question, cause):
    ds = IMPAIRED[cause](counted())
    if any((cause, name) in APART for name in (question, question.split()[0])):
        return
    words, text = answer(question, ds)
    status, message = EXPECTED[cause]
    assert set(words) & status or re.search(message, text), (
        f"{question}: {words}, and not a word of a {cause}. Give the status by resolve() of "
        "frame/evidence.py, or say why not in APART (for the top: ELSEWHERE of tests/questions.py)"
    )


#: One way to ask each, of those with a lazy form; a budget has the status of its dose.
ONCE = {
    q.split()[0]: q
    for q in reversed(QUESTIONS)
    if q not in EAGER and not q.startswith("dose_budget")
}.values()


@cache
def doubted():
    return sims.stack([doubtful(counted()) for doubtful in IMPAIRED.values()], names=list(IMPAIRED))


@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("question", ONCE)
def test_on_dask_every_doubt_is_in_the_answer_as_on_numpy(question):
    eager, lazy = (
        ask(question, doubted()),
        ask(question, doubted().chunk(measurement=1)).compute(scheduler="synchronous"),
    )
    # On Dask it is not known beforehand whether a grid is finer than the samples.
    lazy, eager = (
        one.drop_vars("effective_sample_fraction", errors="ignore") for one in (lazy, eager)
    )
    xr.testing.assert_identical(lazy, eager)


# --- what is in the standard errors ---------------------------------------------------------------


def with_errors(question, ds):
    """Ask, and return each number with its standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        found = asked(question, ds)
    if isinstance(found, xr.DataArray):
        both = {"": (found, found.coords["stderr"])} if "stderr" in found.coords else {}
    else:
        names = map(str, found.data_vars)
        both = {n[:-7]: (found.get(n[:-7]), found[n]) for n in names if n.endswith("_stderr")}
        if "stderr" in found:
            both[""] = found[next(iter(found.data_vars))], found["stderr"]
    return {
        name: [np.ravel(one.values) for one in pair]
        for name, pair in both.items()
        if pair[0] is not None
    }


#: Without errors of their own, or with those of samples: of flags, data and restored profiles.
_OTHERS = (
    "below_detection", "cumulative_dose", "to_grid", "with_counting_statistics", "deconvolve",
)  # fmt: skip
WITH_ERRORS = [q for q in EVERY if q.split()[0] not in _OTHERS]


@pytest.mark.few(4)
@pytest.mark.parametrize("question", WITH_ERRORS)
def test_placeholders_count_as_zero_counts(question):
    none, held = (with_errors(question, counted(floor=0.3, zero=zero)) for zero in (0.0, 1e-3))
    for name, (value, stderr) in none.items():
        other, its = held[name]
        both = np.isfinite(its) & np.isfinite(stderr) & (stderr > 0)
        assert both.any(), name
        np.testing.assert_allclose(its[both], stderr[both], rtol=0.05, err_msg=name)
        assert (np.abs(other - value)[both] < 0.1 * stderr[both]).all(), name


#: Ask for as many samples, or miss: what errors are then is another matter.
NOT_ON_A_GRID = ("surface_concentration", "decay_length")


@pytest.mark.few(4)
@pytest.mark.parametrize("question", [q for q in WITH_ERRORS if q not in NOT_ON_A_GRID])
def test_on_a_grid_of_a_quarter_of_the_spacing_errors_are_those_of_the_samples(question):
    plain = counted()
    fine = sims.to_grid(plain, step="0.375 nm", method="linear")
    there, here = with_errors(question, plain), with_errors(question, fine)
    for name, (_, stderr) in there.items():
        both = np.isfinite(stderr) & (stderr > 0)
        ratio = here[name][1][both] / stderr[both]
        assert ((ratio > 0.5) & (ratio < 1.8)).all(), (name, ratio)


#: What a background common to all samples leaves as it is, and why.
WITHOUT_BACKGROUND = {
    "integrated_dose background": "subtracted within the question, it cancels",
    "interpolate": "is a coordinate of the samples, which are data again",
    "interface": "plateaus move along",
}


@pytest.mark.few(4)
@pytest.mark.parametrize(
    "question",
    [q for q in WITH_ERRORS if not {q, q.split()[0]} & WITHOUT_BACKGROUND.keys()],
)
def test_the_error_of_a_subtracted_background_is_in_every_answer(question):
    less = sims.subtract_background(counted(), window=("171 nm", "180 nm"))
    less = less.drop_vars("concentration_background_overlap")  # known apart
    error = less["concentration_background_stderr"]
    sure, unsure = (
        with_errors(question, less.assign(concentration_background_stderr=by * error))
        for by in (1e-6, 30.0)
    )
    for name, (_, stderr) in sure.items():
        known = np.isfinite(stderr) & np.isfinite(unsure[name][1])
        assert (unsure[name][1][known] > stderr[known]).all(), name
