"""Which samples a Faraday cup measured, as the metadata of a species say."""

import pytest
from measured import profile

import sims_analysis as sims
from sims_analysis.errors import UnitsError
from sims_analysis.frame.detector import on_faraday_cup
from sims_analysis.frame.opening import open_frame

RATES = [5.0, 9.0, 11.0, 9.0, 6.0, 4.0, 9.0]
HIGH, LOW = "faraday_cup_threshold", "electron_multiplier_threshold"


def flags(metadata, rates=RATES, units="counts/s", *, chunked=False):
    depth = range(len(rates))
    ds = sims.to_dataset(profile("B", depth, rates, units=units, species_metadata=metadata))
    frame = open_frame(ds.chunk() if chunked else ds, ("count_rate", "count"), question="a test")
    found = on_faraday_cup(frame)
    return None if found is None else found.values[0].astype(int).tolist()


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
        ({LOW: "5 c/s"}, None),
        ({}, None),
    ],
)
def test_samples_on_a_faraday_cup(metadata, expected, chunked):
    assert flags(metadata, chunked=chunked) == expected


def test_counts_have_no_rate_that_switches():
    assert flags({HIGH: "3 c/s"}, units="counts") is None
    assert flags({HIGH: "3 c/s", "detector": "FC"}, [4.0, 1.0], "counts") == [1, 1]


def test_a_threshold_is_a_rate():
    with pytest.raises(UnitsError, match=HIGH):
        flags({HIGH: "10 nm"})
