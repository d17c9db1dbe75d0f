"""Depth profiles are checked field by field, and given back as they came."""

import json
import math
import tracemalloc
from types import SimpleNamespace

import numpy as np
import orjson
import pint
import pytest
from error_parts import raises
from hypothesis import given
from hypothesis import strategies as st
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.errors import PayloadError, ProfileError, SpeciesError
from sims_analysis.profiles.profile import profiles_of
from sims_analysis.profiles.wire import fields_of_all

# The reference example of the API's documentation.
REFERENCE = b"""[{"data_id": "d290f1ee-6c54-4b01-90e6-d701748f0851", "id": "sims_001",
  "processed_data_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  "species_name": "Si", "depths": [0, 10, 20, 30, 40], "depth_units": "nm",
  "concentrations": [1.2e18, 3.4e18, 5.1e18, 2.0e18, 8.0e17], "concentration_units": "atoms/cm^3",
  "species_metadata": {}, "last_updated": "2024-01-15T10:35:00Z"}]"""


def wire(**changes):
    """Give the reference object with some fields replaced; ... removes a field."""
    profile = {**json.loads(REFERENCE)[0], **changes}
    return {key: value for key, value in profile.items() if value is not ...}


def read(**changes):
    return sims.SIMSResult.from_json(orjson.dumps([wire(**changes)]))


JSON_NUMBERS = st.sampled_from([0, 0.0, -0.0, 1, 1.0, 2, -3.5, 1e18, 5e-324, 2**63, 2**64 - 1])
JSON_VALUES = JSON_NUMBERS | st.sampled_from([True, False, None, "1", "nan", [], [0], {}])


def outcome(make):
    try:
        profile = make()
    except PayloadError as error:
        return str(error)
    return profile.depths.tobytes(), profile.concentrations.tobytes(), profile.to_dict()


@given(
    st.lists(JSON_NUMBERS, min_size=3, max_size=3) | st.lists(JSON_VALUES, min_size=3, max_size=3),
    st.lists(JSON_VALUES, min_size=3, max_size=3),
)
def test_a_payload_is_read_as_its_objects_are(depths, concentrations):
    """The payload is checked without a look at every type; the object of a user, with one."""
    item = wire(depths=depths, concentrations=concentrations)
    payload = orjson.dumps([item])
    of_payload = outcome(lambda: sims.SIMSResult.from_json(payload).depth_profiles[0])
    assert of_payload == outcome(lambda: sims.DepthProfile.from_dict(item, "$[0]"))


def test_a_million_things_that_are_no_profiles_take_no_room():
    things = [None] * 1_000_000
    tracemalloc.start()
    try:
        with raises(PayloadError, path="$[0]"):
            fields_of_all(things, booleans=False)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_axes_of_the_same_bits_are_one_array():
    others = [wire(depths=depths) for depths in ([0, 10, 20, 30, 40], [-0.0, 10, 20, 30, 40])]
    result = sims.SIMSResult.from_json(orjson.dumps([wire(), *others]))
    a, b, c = (profile.depths for profile in result.depth_profiles)
    assert a is b
    assert c is not b
    assert np.signbit(c[0])
    assert not a.flags.writeable


def test_the_reference_example():
    result = sims.SIMSResult.from_json(REFERENCE)
    profile = result.depth_profiles[0]
    assert result.data_id == "d290f1ee-6c54-4b01-90e6-d701748f0851"
    assert profile.species_name == "Si"
    assert profile.depths.dtype == np.float64
    np.testing.assert_array_equal(profile.depths, [0, 10, 20, 30, 40])
    assert json.loads(result.to_json()) == json.loads(REFERENCE)
    assert list(profile.to_dict()) == list(json.loads(REFERENCE)[0])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"depths": [0, "2.5", 20, 30, 40]}, "$[0].depths[1]"),
        ({"depths": [0, True, 20, 30, 40]}, "$[0].depths[1]"),
        ({"depths": [0, None, 20, 30, 40]}, "$[0].depths[1]"),
        ({"depths": "0 10 20"}, "$[0].depths"),
        ({"depths": {}}, "$[0].depths"),
        ({"depths": [0, [1], 2, 3, 4]}, "$[0].depths[1]"),
        ({"concentrations": [1, 2, 3, 4, "5"]}, "$[0].concentrations[4]"),
        ({"concentrations": [1, 2, 3, 4]}, "$[0]"),
        ({"depths": [], "concentrations": []}, "$[0].depths"),
        ({"depth_units": None}, "$[0].depth_units"),
        ({"species_name": 5}, "$[0].species_name"),
        ({"species_metadata": []}, "$[0].species_metadata"),
        ({"last_updated": 5}, "$[0].last_updated"),
        ({"id": 1.5}, "$[0].id"),
        ({"processed_data_id": 1.5}, "$[0].processed_data_id"),
        ({"data_id": True}, "$[0].data_id"),
        ({"concentrations": ...}, "$[0]"),
    ],
)
def test_a_breach_of_contract_is_named_by_its_path(changes, path):
    with pytest.raises(PayloadError) as caught:
        read(**changes)
    assert caught.value.where["path"] == path


def test_a_number_beyond_float64_is_refused_by_its_place():
    payload = REFERENCE.replace(b"3.4e18", b"1" + b"0" * 400)
    with pytest.raises(PayloadError):
        sims.SIMSResult.from_json(payload)


def test_nothing_is_lost_unknown_fields_nulls_and_missing_ones_included():
    changes = {
        "id": 1049, "species_metadata": None, "processed_data_id": ...,
        "lab": {"crater": [1, None]}, "concentrations": [1.5, None, 0, -2, 3], "last_updated": None,
    }  # fmt: skip
    result = read(**changes)
    assert math.isnan(result.depth_profiles[0].concentrations[1])
    assert result.depth_profiles[0].extra == {"lab": {"crater": [1, None]}}
    assert json.loads(result.to_json()) == [wire(**changes)]


def test_an_empty_answer_is_an_empty_result():
    result = sims.SIMSResult.from_json(b"[]", data_id="x")
    assert (result.data_id, result.depth_profiles, result.species) == ("x", [], [])
    with raises(ProfileError, "no_profile", data_id="x"):
        result.to_dataset()


def test_a_nameless_species_is_seen():
    assert repr(read(species_name="")) == f"<SIMSResult {read().data_id!r}: ''>"


def test_species_by_name():
    result = read()
    assert result["Si"] is result.depth_profiles[0]
    with raises(SpeciesError, species="Ge"):
        result["Ge"]


@pytest.mark.parametrize(
    ("depths", "concentrations", "argument", "code"),
    [
        ([0, 1], [1.0], "concentrations", ""),
        ([], [], "", "no_profile"),
        ([0, math.inf], [1, 2], "depths", "infinite_sample"),
        ([0, math.nan], [1, 2], "depths", "infinite_sample"),
        ([0, 1], [1, -math.inf], "concentrations", "infinite_sample"),
        ([0, 1], [True, False], "concentrations", ""),
        ([0, 1], [True, None], "concentrations", ""),
        ([[0, 1]], [[1, 2]], "depths", ""),
        ([0, None], [1, 2], "depths", "infinite_sample"),
        ([0, 1], [None, "x"], "concentrations", ""),
        ([0, 1], [1, 10**400], "concentrations", ""),
        (None, [1, 2], "depths", ""),
        (np.ma.masked_array([0, 1], [0, 1]), [1, 2], "depths", "infinite_sample"),
        (pint.UnitRegistry().Quantity([0, 1], "um"), [1, 2], "depths", ""),
    ],
)
def test_a_users_own_profile_is_checked(depths, concentrations, argument, code, approved):
    with raises(ProfileError, code, argument, text=approved, species="B"):
        profile_of(depths, concentrations)


@pytest.mark.parametrize(
    "values",
    [
        [np.float64(1e20), None, np.int32(5)],
        [np.float32(1e20), None, 5],
        np.ma.masked_array([1e20, 7.0, 5.0], [0, 1, 0]),
        np.ma.masked_array([10**20, 7, 5], [0, 1, 0], dtype=object),
    ],
)
def test_what_is_masked_or_none_was_not_measured(values):
    profile = profile_of([0, 1, 2], values)
    np.testing.assert_allclose(profile.concentrations, [1e20, math.nan, 5.0])


def test_a_profile_does_not_change_with_the_callers_arrays():
    depths = np.array([0.0, 1.0])
    profile = profile_of(depths, [1, None])
    depths[0] = 99.0
    assert profile.depths[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        profile.depths[0] = 5.0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False,
    allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
numbers = st.floats(-1e30, 1e30) | st.integers(-(2**53), 2**53)


@st.composite
def wire_objects(draw):
    n = draw(st.integers(1, 6))
    profile = {
        "data_id": draw(st.text(max_size=6) | st.integers(0, 9)),
        "species_name": draw(st.text(max_size=6)),
        "depths": draw(st.lists(numbers, min_size=n, max_size=n)),
        "depth_units": draw(st.text(max_size=4)),
        "concentrations": draw(st.lists(numbers | st.none(), min_size=n, max_size=n)),
        "concentration_units": draw(st.text(max_size=4)),
        "species_metadata": draw(st.dictionaries(st.text(max_size=5), json_values, max_size=3)),
        **draw(st.dictionaries(st.text().map("x_".__add__), json_values, max_size=2)),
    }
    return dict(draw(st.permutations(list(profile.items()))))


@pytest.mark.slow
@given(st.lists(wire_objects(), max_size=3), st.text(max_size=6) | st.integers(0, 9))
def test_json_in_is_json_out(objects, data_id):
    objects = [{**profile, "data_id": data_id} for profile in objects]  # of one measurement
    payload = orjson.dumps(objects)
    back = json.loads(sims.SIMSResult.from_json(payload).to_json())
    assert back == json.loads(payload)
    assert [list(b) for b in back] == [list(o) for o in objects]


WIRE = {
    "species_name": "B", "depths": [0, 1.5], "depth_units": "nm",
    "concentrations": [1e18, None], "concentration_units": "atoms/cm^3",
}  # fmt: skip


def test_from_dict_reads_an_object_of_the_wire():
    read = sims.DepthProfile.from_dict({**WIRE, "lab": "A"})
    assert read.depths.tolist() == [0.0, 1.5]
    assert np.isnan(read.concentrations[1])
    assert read.extra == {"lab": "A"}
    assert read.to_dict() == {**WIRE, "lab": "A"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"depths": [0, "1"]}, "$[3].depths[1]"),
        ({"depths": [0, None]}, "$[3].depths[1]"),
        ({"depths": [0, True]}, "$[3].depths[1]"),
        ({"depths": []}, "$[3].depths"),
        ({"depths": "0"}, "$[3].depths"),
        ({"concentrations": [1]}, "$[3]"),
        ({"concentrations": [1, 10**400]}, "$[3].concentrations[1]"),
        ({"concentrations": [1, float("inf")]}, "$[3].concentrations[1]"),
        ({"depths": [0, float("nan")]}, "$[3].depths[1]"),
        ({"concentrations_stderr": [1]}, "$[3]"),
        ({"species_name": 5}, "$[3].species_name"),
        ({"depth_units": None}, "$[3].depth_units"),
        ({"data_id": 1.5}, "$[3].data_id"),
        ({"id": True}, "$[3].id"),
        ({"last_updated": 3}, "$[3].last_updated"),
        ({"species_metadata": []}, "$[3].species_metadata"),
    ],
)  # fmt: skip
def test_from_dict_names_the_path_of_what_breaks_the_contract(change, path):
    with pytest.raises(PayloadError) as caught:
        sims.DepthProfile.from_dict({**WIRE, **change}, "$[3]")
    assert caught.value.where["path"] == path


def test_from_dict_names_what_is_missing(approved):
    with raises(sims.PayloadError, path="$", text=approved):
        sims.DepthProfile.from_dict({k: WIRE[k] for k in WIRE if k[:4] not in ("dept", "conc")} | {
            "depth_units": "nm", "concentration_units": "nm"})  # fmt: skip
    with raises(sims.PayloadError, path="$", text=approved):
        sims.DepthProfile.from_dict([WIRE])


def test_of_very_many_species_the_first_are_shown():
    one = {"depths": [0], "depth_units": "nm", "concentrations": [1], "concentration_units": "1"}
    wire = [{**one, "species_name": f"X{i}"} for i in range(800)]
    shown = repr(sims.SIMSResult.from_json(json.dumps(wire).encode()))
    assert shown.endswith(", X39 and 760 more>")


def made(**changes):
    """A profile of two samples, with some fields replaced."""
    every = {
        "species_name": "B", "depths": [0, 20], "depth_units": "nm",
        "concentrations": [1e18, None], "concentration_units": "atoms/cm^3",
    }  # fmt: skip
    return sims.DepthProfile(**every | changes)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "<DepthProfile 'B': 2 samples, 0 to 20 nm, 1e+18 to 1e+18 atoms/cm^3>"),
        ({"concentrations": [None, None]}, "'B': 2 samples, 0 to 20 nm, nothing atoms/cm^3>"),
        ({"depths": [20, 1.23456]}, ": 2 samples, 1.235 to 20 nm, "),
        ({"concentrations": [1.2345e18, 5e16]}, "0 to 20 nm, 5e+16 to 1.23e+18 atoms/cm^3>"),
        ({"depth_units": "a\nb", "concentration_units": "c\nd"}, "0 to 20 a\\nb, "),
    ],
)
def test_a_profile_is_shown_in_a_line(changes, shown):
    assert shown in repr(made(**changes))
    assert "\n" not in repr(made(**changes))


@pytest.mark.parametrize("name", ["species_name", "depth_units", "concentration_units"])
def test_names_and_units_are_texts(name):
    with raises(ProfileError, argument=name):
        made(**{name: 7})


def test_profiles_are_equal_if_all_that_they_hold_is():
    assert made() == made()
    assert made() != 7
    assert made(concentrations_stderr=[1, None]) == made(concentrations_stderr=[1, None])
    for name, other in {
        "species_name": "P", "depths": [0, 21], "depth_units": "um", "concentrations": [1e18, 2],
        "concentration_units": "at%", "data_id": "d", "id": 7, "processed_data_id": "q",
        "species_metadata": {"a": 1}, "last_updated": "today", "concentrations_stderr": [1, 2],
        "extra": {"lab": 1},
    }.items():  # fmt: skip
        assert made(**{name: other}) != made(), name
    # How it was delivered does not matter.
    assert sims.DepthProfile.from_dict(made().to_dict()) == made()
    with pytest.raises(TypeError, match="unhashable"):
        hash(made())


def test_what_was_not_delivered_is_not_given_back():
    assert made().to_dict() == {
        "species_name": "B", "depths": [0.0, 20.0], "depth_units": "nm",
        "concentrations": [1e18, None], "concentration_units": "atoms/cm^3",
    }  # fmt: skip
    assert made(id=7, extra={"lab": None, "run": 1}).to_dict() == made().to_dict() | {
        "id": 7, "run": 1,
    }  # fmt: skip
    delivered = made().to_dict() | {"id": None}
    assert sims.DepthProfile.from_dict(delivered).to_dict() == delivered


#: What is given -> what is said.


def test_only_profiles_are_profiles(approved):
    for source in (7, "B", {"B": made()}):
        with raises(TypeError, text=approved):
            profiles_of(source)
    for item in (7, {}, sims.SIMSResult(data_id="d", depth_profiles=[])):
        with raises(ProfileError, text=approved):
            profiles_of([made(), item])


def test_profiles_of_whatever_holds_them():
    one, other = made(), made(species_name="P")
    assert profiles_of(one) == [one]
    for source in ([one, other], iter([one, other]), (one, other)):
        assert profiles_of(source) == [one, other]
    assert profiles_of(sims.SIMSResult(data_id="d", depth_profiles=[other])) == [other]
    assert profiles_of(SimpleNamespace(depth_profiles=[other, one])) == [other, one]


def test_booleans_are_found_among_many_zeros_and_ones():
    many = {**WIRE, "depths": list(range(200)), "concentrations": [1.0, 0.0] * 100}
    found = sims.SIMSResult.from_json(orjson.dumps([many])).depth_profiles[0]
    assert found.concentrations.tolist() == [1.0, 0.0] * 100
    wrong = {**many, "concentrations": [1.0, 0.0] * 99 + [1.0, False]}
    with raises(PayloadError, path="$[1].concentrations[199]"):
        sims.SIMSResult.from_json(orjson.dumps([many, wrong]))
