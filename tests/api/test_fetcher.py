"""What the client asks the API for, and whom its messages name."""

import json

import httpx
import pytest
from error_parts import raises
from faulty_server import KEY, REFERENCE

from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.errors import NotFound, PayloadError, StatusError


def profile(data_id, species):
    return json.loads(REFERENCE)[0] | {"data_id": data_id, "species_name": species}


def client(answer, **options):
    """Make a client to which every request is answered with the same."""
    requested = []

    def transport(request):
        requested.append(str(request.url))
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    made = Client(
        KEY, endpoint="https://lab.example", transport=httpx.MockTransport(transport), **options
    )
    made.requests = requested
    return made


def test_an_answer_of_another_entry_names_both(approved):
    asking = client([profile("a", "B"), profile("b", "Si")])
    with raises(PayloadError, path="$[1].data_id", text=approved):
        asking.get("a")
    assert len(asking.requests) == 1


@pytest.mark.parametrize(
    ("data_id", "species", "path"), [("b", "Si", "$.data_id"), ("a", "B", "$.species_name")]
)
def test_an_answer_of_another_species_names_both(data_id, species, path, approved):
    asking = client(profile(data_id, species))
    with raises(PayloadError, path=path, text=approved):
        asking.get_species("a", "Si")
    assert asking.requests == ["https://lab.example/sims/a/species/Si"]


def test_the_requested_species_is_returned_and_null_is_none():
    assert client(profile("a", "Si")).get_species("a", "Si").species_name == "Si"
    assert client(httpx.Response(200, content=b"null")).get_species("a", "Si") is None
    with raises(PayloadError, data_id="a", species="Si", path="$"):
        client([]).get_species("a", "Si")


def test_catalogue_entries_are_requested_in_hundreds():
    asking = client([{"data_id": "i-150"}, {"data_id": "I-3"}, {"data_id": "i-3"}])
    found = asking.entries([f"i-{i}" for i in range(201)])
    assert found.ids == ["i-3", "i-150"]
    assert [url.count("data_ids=") for url in asking.requests] == [100, 100, 1]
    assert all(url.endswith("&include_organization_data=True") for url in asking.requests)
    assert asking.requests[0].startswith(
        "https://lab.example/data_entries/?data_ids=i-0&data_ids=i-1"
    )


def test_a_failed_catalogue_request_names_its_ids(approved):
    failing = client(httpx.Response(418, text="no tea"))
    with raises(StatusError, text=approved):
        failing.entries(["x", "y", "z"])
    with raises(StatusError, text=approved):
        failing.search()
    with raises(NotFound, data_id="x") as no:
        client([]).entry("x")
    assert (no.value.status_code, no.value.url) == (200, "https://lab.example/data_entries/")


@pytest.mark.parametrize("row", [{"pipeline_status": "running"}, {"pipeline_status": None}, None])
def test_an_empty_entry_says_how_far_its_processing_is(row, tmp_path):
    def answer(request):
        rows = [] if row is None else [{"data_id": "a"} | row]
        return httpx.Response(200, json=[] if "/sims/" in str(request.url) else rows)

    archive = Archive(tmp_path)
    asking = Client(
        KEY, endpoint="https://lab.example", archive=archive, transport=httpx.MockTransport(answer)
    )
    (result,) = asking.get("a")
    known = "not in the catalogue" if row is None else row["pipeline_status"] or "unknown"
    assert result.provenance["pipeline_status"] == known
    assert result.provenance["source"] == "https://lab.example/sims/a"
    assert "a" not in archive
