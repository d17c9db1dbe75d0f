"""Which samples a Faraday cup measured, as the metadata of a species say: these have no counts."""

import warnings

import pytest
from error_parts import raises
from measurement_layouts import profile

import sims_analysis as sims
from sims_analysis.errors import SimsWarning, UnitsError

RATES = [5.0, 9.0, 11.0, 9.0, 6.0, 4.0, 9.0]
HIGH, LOW = "faraday_cup_threshold", "electron_multiplier_threshold"


def without_counts(metadata, rates=RATES, units="counts/s", *, chunked=False):
    ds = sims.to_dataset(
        profile("B", range(len(rates)), rates, units=units, species_metadata=metadata)
    )
    how = {"dwell_time": "1 s"} if units == "counts/s" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        found = sims.with_counting_statistics(ds.chunk() if chunked else ds, **how)
    counts = found["intensity_counts"].isnull() & ds["intensity"].notnull()
    return counts.values[0].astype(int).tolist()


@pytest.mark.few(6)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({HIGH: "10 c/s"}, [0, 0, 1, 0, 0, 0, 0]),
        ({HIGH: "10 c/s", LOW: "5 c/s"}, [0, 0, 1, 1, 1, 0, 0]),
        ({HIGH: "10 c/s", LOW: "6 c/s"}, [0, 0, 1, 1, 1, 0, 0]),
        ({HIGH: "10 c/s", LOW: "6.1 c/s"}, [0, 0, 1, 1, 0, 0, 0]),
        ({HIGH: "11 c/s"}, [0] * 7),
        ({HIGH: "4.5 c/s"}, [1, 1, 1, 1, 1, 0, 1]),
        ({"detector": " fc 1"}, [1] * 7),
        ({"detector": "Faraday cup"}, [1] * 7),
        ({"detector": "EM"}, [0] * 7),
        ({LOW: "5 c/s"}, [0] * 7),
        ({}, [0] * 7),
    ],
)
def test_samples_on_a_faraday_cup_have_no_counts(metadata, expected, chunked):
    assert without_counts(metadata, chunked=chunked) == expected


def test_counts_have_no_rate_that_switches():
    assert without_counts({HIGH: "3 c/s"}, units="counts") == [0] * 7


def test_a_threshold_is_a_rate():
    with raises(UnitsError, argument="species_metadata"):
        without_counts({HIGH: "10 nm"})
