"""What an archive makes of profiles at hand and of files, before it keeps them."""

import inspect
import json

import pytest

from sims_analysis.api.archive import MOST_BYTES, _to_add
from sims_analysis.api.client import Client
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ArchiveError, PayloadError
from sims_analysis.profiles.profile import DepthProfile

PROFILE = DepthProfile(
    species_name="B", depths=[0, 1], depth_units="nm", concentrations=[1e18, 1e17],
    concentration_units="atoms/cm^3",
)  # fmt: skip
WIRE = SIMSResult(data_id="", depth_profiles=[PROFILE]).to_json()


@pytest.mark.parametrize("content", [WIRE, b" \n\t" + WIRE + b"\n", b"[ " + WIRE[1:]])
def test_json_is_kept_byte_for_byte(tmp_path, content):
    file = tmp_path / "w1.txt"
    file.write_bytes(content)
    added = _to_add(file, MOST_BYTES, {})
    assert added.payload == content
    assert (added.url, added.retrieved, added.result.data_id) == ("file:w1.txt", None, "")
    assert added.result.species == ["B"]


@pytest.mark.parametrize("text", ["[]", "[{}]", '{"a": 1}', " [ {"])
def test_what_is_json_is_never_read_as_a_table(tmp_path, text):
    file = tmp_path / "w1.csv"
    file.write_text(text)
    if text == "[]":
        assert _to_add(file, MOST_BYTES, {}).result.species == []
    else:
        with pytest.raises(PayloadError):
            _to_add(file, MOST_BYTES, {})


def test_a_table_is_read_with_what_it_does_not_say(tmp_path):
    file = tmp_path / "w1.csv"
    file.write_text("depth,B\n0,1e18\n1,1e17\n2,1e16\n")
    added = _to_add(file, MOST_BYTES, {"depth_units": "nm", "units": "atoms/cm^3"})
    assert added.url == "file:w1.csv"
    assert json.loads(added.payload)[0]["concentrations"] == [1e18, 1e17, 1e16]


@pytest.mark.parametrize("more", [0, 1])
def test_the_limit_itself_is_not_beyond_it(tmp_path, more):
    file = tmp_path / "w1.json"
    file.write_bytes(WIRE)
    for source, who in ((file, "w1.json"), (PROFILE, "the profiles have")):
        if more:
            with pytest.raises(ArchiveError, match=rf"{who}.* more than {len(WIRE) - 1} bytes"):
                _to_add(source, len(WIRE) - 1, {})
        else:
            assert _to_add(source, len(WIRE), {}).payload == WIRE


def test_a_result_says_where_it_came_from_and_when():
    known = {"source": "https://lab.example/sims/w1", "retrieved": "2026-01-02T03:04:05Z"}
    result = SIMSResult(data_id="w1", depth_profiles=[PROFILE], provenance=known)
    added = _to_add(result, MOST_BYTES, {})
    assert (added.url, added.result.data_id) == (known["source"], "w1")
    assert added.retrieved.isoformat() == "2026-01-02T03:04:05+00:00"
    for source in (PROFILE, [PROFILE], SIMSResult(data_id="", depth_profiles=[PROFILE])):
        added = _to_add(source, MOST_BYTES, {})
        assert (added.url, added.retrieved) == ("profiles in memory", None)


def test_as_much_is_added_as_a_client_accepts():
    accepted = inspect.signature(Client).parameters["max_response_bytes"].default
    assert MOST_BYTES == accepted == 256 * 1024 * 1024


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ArchiveError, match=r"cannot read '.*w9.json': No such file"):
        _to_add(tmp_path / "w9.json", MOST_BYTES, {})


def test_what_cannot_be_an_entry_is_refused_in_full(tmp_path, monkeypatch):
    def said(source, most=MOST_BYTES, **options):
        with pytest.raises(ArchiveError) as caught:
            _to_add(source, most, options)
        return str(caught.value)

    limit = "more than 9 bytes as JSON, which a client would not accept; pass max_bytes= to keep it"
    (tmp_path / "w1.json").write_bytes(WIRE)
    where = str(tmp_path / "w1.json")
    assert said(tmp_path / "w1.json", 9) == f"{where!r} has {limit} nevertheless"
    assert said(PROFILE, 9) == f"the profiles have {limit} nevertheless"
    none = str(tmp_path / "none")
    assert said(none) == f"cannot read {none!r}: No such file or directory"
    (tmp_path / "several.csv").write_text("depth,B\n0,1\n")
    monkeypatch.setattr("sims_analysis.readers.files.read", lambda *_, **__: [1, 2, 3])
    assert said(tmp_path / "several.csv") == (
        "several.csv holds 3 measurements, and an entry is one; add each of what sims.read() "
        "returns under its own data_id="
    )
