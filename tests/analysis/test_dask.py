"""Dask input: results are lazy, have units, and equal those of numpy to the last bit."""

import pickle

import dask
import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from questions import EAGER, QUESTIONS, SHARED, ask

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")

BATCH = sims.stack(SHARED)
LAZY = [question for question in QUESTIONS if question not in EAGER]


class Computed:
    """A scheduler that counts how often it is asked to compute."""

    def __init__(self):
        self.count = 0

    def __call__(self, graph, keys, **options):
        self.count += 1
        return dask.get(graph, keys, **options)


def chunked():
    """Chunks along both leading dimensions."""
    return BATCH.chunk(measurement=2, species=1)


def variables(result):
    return (
        {"value": result.variable}
        if isinstance(result, xr.DataArray)
        else {name: array.variable for name, array in result.data_vars.items()}
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("question", LAZY)
def test_nothing_is_computed_before_compute(question):
    counter = Computed()
    with dask.config.set(scheduler=counter):
        lazy = ask(question, chunked())
        assert counter.count == 0
        assert any(v.chunks is not None for v in variables(lazy).values())
        lazy.compute()
        assert counter.count > 0


@pytest.mark.few(2)
@pytest.mark.parametrize("question", LAZY)
def test_units_and_types_are_known_before_and_right_after(question):
    lazy, eager = ask(question, chunked()), ask(question, BATCH)
    computed = lazy.compute()
    for name, wanted in variables(eager).items():
        assert variables(lazy)[name].attrs == wanted.attrs
        assert variables(lazy)[name].dims == wanted.dims
        assert variables(lazy)[name].shape == wanted.shape
        found = variables(computed)[name]
        assert variables(lazy)[name].dtype.kind == found.dtype.kind == wanted.dtype.kind
        np.testing.assert_array_equal(found.values, wanted.values)


@pytest.mark.parametrize(
    "question",
    ["cumulative_dose", "cumulative_dose background", "interpolate", "interpolate pchip"],
)
def test_single_precision_is_announced_and_delivered(question):
    single = BATCH.drop_vars("concentration_stderr").astype(np.float32)
    lazy = ask(question, single.chunk(measurement=1))
    for before, after in zip(
        variables(lazy).values(), variables(lazy.compute()).values(), strict=True
    ):
        assert before.dtype == after.dtype == np.float32


#: What is asked of each sample by itself works in any pieces.
EACH_SAMPLE = {"below_detection", "with_counting_statistics"}


@pytest.mark.parametrize("question", [q for q in LAZY if q.split()[0] not in EACH_SAMPLE])
def test_profiles_chunked_along_depth_are_refused(question):
    with raises(ProfileError, "dask_data"):
        ask(question, BATCH.chunk(depth=50))


def test_mistakes_show_before_anything_is_computed():
    counter = Computed()
    lazy = BATCH.chunk(measurement=1)
    with dask.config.set(scheduler=counter):
        with pytest.raises(UnitsError):
            sims.integrated_dose(lazy, stop=100)
        with pytest.raises(UnitsError):
            sims.junction_depth(lazy, level="1e18 counts/s")
    assert counter.count == 0


def test_zarr_in_chunks_and_back(tmp_path):
    store = tmp_path / "fab.zarr"
    BATCH.chunk(measurement=2).to_zarr(store, zarr_format=2, consolidated=True)
    lazy = xr.open_zarr(store)
    assert lazy["concentration"].chunks is not None
    dose = sims.integrated_dose(lazy, start="10 nm", stop="150 nm")
    assert dose.chunks is not None
    expected = sims.integrated_dose(BATCH, start="10 nm", stop="150 nm")
    np.testing.assert_array_equal(dose.compute().values, expected.values)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_worker_processes(tmp_path):
    distributed = pytest.importorskip("distributed")
    store = tmp_path / "fab.zarr"
    BATCH.to_zarr(store, zarr_format=2, consolidated=True)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        lazy = xr.open_zarr(store, chunks={"measurement": 1})
        for question in ("integrated_dose limits", "junction_depth peak", "interpolate"):
            found, expected = ask(question, lazy).compute(), ask(question, BATCH)
            for name, wanted in variables(expected).items():
                np.testing.assert_array_equal(variables(found)[name].values, wanted.values)


def test_answers_about_a_quantified_view_can_be_computed():
    wanted = sims.integrated_dose(sims.quantify(BATCH))
    lazy = sims.integrated_dose(sims.quantify(BATCH.chunk(measurement=2, species=1)))
    (found,) = dask.compute(lazy)
    assert found.data.units == wanted.data.units
    np.testing.assert_array_equal(found.data.magnitude, wanted.data.magnitude)
    plain = sims.dequantify(lazy).compute()
    assert plain.attrs["units"] == "atom/cm^2"
    np.testing.assert_array_equal(plain, wanted.data.magnitude)


def test_where_nothing_was_counted_the_error_is_that_of_numpy():
    nothing = BATCH[["concentration"]] * 0.0
    nothing["concentration"].attrs = BATCH["concentration"].attrs
    counted = sims.with_counting_statistics(nothing, value_per_count="1e16 atoms/cm^3")
    wanted = sims.integrated_dose(counted)["stderr"]
    lazy = sims.integrated_dose(counted.chunk(measurement=2, species=1))["stderr"]
    assert (wanted > 0).all()
    np.testing.assert_array_equal(lazy.compute(), wanted)


#: Answers as parameters of other questions.
CHAINS = {
    "dose to the junction": lambda d: sims.integrated_dose(
        d, stop=sims.junction_depth(d, level="1e18 atoms/cm^3")
    ),
    "dose from the peak": lambda d: sims.integrated_dose(d, start=sims.peak(d)["depth"]),
    "dose below the peak alone": lambda d: sims.integrated_dose(
        d, surface="exclude", surface_depth=sims.peak(d)["depth"]
    ),
    "budget": lambda d: sims.dose_budget(
        d, stop=sims.junction_depth(d, level="1e18 atoms/cm^3"), detection_limit="1e15 atoms/cm^3"
    ),
    "window from the peak": lambda d: sims.integrated_dose(
        d, background=(sims.peak(d)["depth"], "190 nm")
    ),
    "value at the junction": lambda d: sims.interpolate(
        d, depth=sims.junction_depth(d, level="1e18 atoms/cm^3")
    ),
    "half of the peak": lambda d: sims.junction_depth(d, level=half(d)),
    "crossings of half the peak": lambda d: sims.crossings(d, level=half(d), max_count=4),
    "peak above the junction": lambda d: sims.peak(
        d, stop=sims.junction_depth(d, level="1e18 atoms/cm^3")
    ),
    "decay below half the peak": lambda d: sims.decay_length(
        d, low="1e16 atoms/cm^3", high=half(d), start=sims.peak(d)["depth"]
    ),
    "limit of a window": lambda d: sims.below_detection(
        d, limit=sims.detection_limit(d, window=(sims.peak(d)["depth"], "170 nm"))
    ),
    "comparison": lambda d: sims.compare(d, d, level="1e18 atoms/cm^3"),
}


def half(data):
    top = 0.5 * sims.peak(data)["concentration"].reset_coords(drop=True)
    return top.assign_attrs(units="atom/cm^3")


@pytest.mark.few(1)
@pytest.mark.parametrize("chain", CHAINS)
def test_an_answer_may_be_a_parameter_of_the_next_question(chain):
    counter = Computed()
    with dask.config.set(scheduler=counter):
        lazy = CHAINS[chain](chunked())
        assert counter.count == 0
    eager = CHAINS[chain](BATCH)
    computed = lazy.compute()
    for name, wanted in variables(eager).items():
        np.testing.assert_array_equal(variables(computed)[name].values, wanted.values, name)


def test_a_lazy_parameter_of_data_in_memory_is_computed_once():
    counter = Computed()
    stop = sims.junction_depth(chunked(), level="1e18 atoms/cm^3")
    with dask.config.set(scheduler=counter):
        found = sims.integrated_dose(BATCH, stop=stop)
    assert counter.count == 1
    np.testing.assert_array_equal(found, sims.integrated_dose(BATCH, stop=stop.compute()))


@pytest.mark.parametrize("question", ["integrated_dose", "junction_depth", "peak", "moments"])
def test_the_words_of_one_profile_have_the_announced_length(question):
    ds = sims.open_example("boron-implant").isel(species=0)
    status = ask(question, ds.chunk())["status"]
    assert status.dtype == status.compute().dtype == ask(question, ds)["status"].dtype


@pytest.mark.slow
def test_a_lazy_curve_can_be_pickled():
    found = sims.fit(sims.open_example("boron-implant").chunk(species=1), model="gaussian")
    curve = sims.evaluate(found, depth="70 nm")
    again = pickle.loads(pickle.dumps(curve))  # noqa: S301
    assert again.chunks is not None
    xr.testing.assert_identical(again.compute(), curve.compute())


@pytest.mark.few(1)
@pytest.mark.parametrize("question", ["interface", "sheet_resistance"])
def test_a_batch_of_unequal_chunks_is_answered(question):
    one = sims.open_example("boron-implant")
    batch = sims.stack([one.chunk(species=1), one.chunk(species=1)]).chunk()
    arguments = {} if question == "interface" else {"donors": ["P"], "acceptors": ["B"]}
    found = getattr(sims, question)(batch, **arguments).compute()
    expected = getattr(sims, question)(sims.stack([one, one]), **arguments)
    xr.testing.assert_allclose(found.drop_attrs(), expected.drop_attrs())
