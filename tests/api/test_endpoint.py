"""Addresses below the root of the API, and where the key may go."""

import pytest
from error_parts import raises
from faulty_server import KEY

from sims_analysis.api.client import Client
from sims_analysis.api.endpoint import Endpoint, is_loopback
from sims_analysis.errors import ApiError


@pytest.mark.parametrize(
    ("root", "home", "elsewhere"),
    [
        ("http://127.0.0.1", "http://127.0.0.1:80/a", "http://127.0.0.1:81/a"),
        ("https://lab.example", "https://lab.example:443/a", "https://lab.example:80/a"),
        ("https://lab.example:8443/v1", "https://LAB.example:8443/", "https://lab.example/v1"),
        ("https://lab.example", "https://lab.example", "http://lab.example:443"),
        ("https://lab.example", "https://lab.example/?q#f", "https://user@lab.example/"),
        ("https://lab.example", "https://lab.example/", "https://lab.example:port/"),
    ],
)
def test_home_is_one_scheme_host_and_port(root, home, elsewhere):
    endpoint = Endpoint(root)
    assert endpoint.is_own_server(home)
    assert not endpoint.is_own_server(elsewhere)


@pytest.mark.parametrize(
    "url",
    ["https://user@lab.example/", "https://lab.example/?key=1", "https://lab.example/#key",
     "https://:password@lab.example/"],
)  # fmt: skip
def test_an_endpoint_is_an_address_and_nothing_else(url):
    with raises(ApiError, argument="endpoint"):
        Endpoint(url)


@pytest.mark.parametrize(
    "url", ["", "lab.example", "https://", "ftp://lab.example/", "https://lab.example:port/",
            "https://lab .example/", "https://lab.example:99999/", "https:///v1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_shown(url):
    with raises(ApiError, argument="endpoint") as caught:
        Endpoint(url)
    assert "lab" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        (" https://lab.example ", "https://lab.example/"),
        ("https://lab.example/v1//", "https://lab.example/v1/"),
        ("http://localhost:8000", "http://localhost:8000/"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/"),
    ],
)
def test_the_root_keeps_its_path_and_ends_in_a_slash(url, root):
    endpoint = Endpoint(url)
    assert (endpoint.root, repr(endpoint)) == (root, f"Endpoint({root!r})")
    assert endpoint.address("sims", "é") == f"{root}sims/%C3%A9"
    requested = endpoint.address("data_entries", "", query=[("k", "a b"), ("k", "c&d")])
    assert requested == f"{root}data_entries/?k=a%20b&k=c%26d"


@pytest.mark.parametrize(("allow", "host"), [(False, "localhost"), (True, "lab.example")])
def test_plain_http_stays_on_this_machine_unless_it_is_allowed(allow, host):
    endpoint = Endpoint(f"http://{host}/", allow_http=allow)
    assert endpoint.is_loopback is (host == "localhost")
    with raises(ApiError, "unencrypted", argument="allow_http"):
        Endpoint("http://lab.example/")


def test_no_segment_leads_up_the_path(approved):
    for segment in ("..", ".", "a/..", "../a", "a\\..", "..\\a", "a/./b"):
        with raises(ApiError, "invalid_argument", text=approved):
            Endpoint("https://lab.example/").address("sims", segment)


def test_dots_within_a_name_lead_nowhere(approved):
    address = Endpoint("https://lab.example/").address
    assert address("a..b", "...", "w.1") == "https://lab.example/a..b/.../w.1"
    with raises(ApiError, "invalid_argument", text=approved):
        address("\ud800")


def test_this_machine_has_some_names():
    known = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]
    assert all(map(is_loopback, known))
    assert not any(map(is_loopback, ["128.0.0.1", "10.0.0.1", "localhost.example", "::2", ""]))


def test_the_endpoint_is_that_of_the_environment_or_the_public_one(monkeypatch):
    monkeypatch.delenv("AS_API_ENDPOINT", raising=False)
    assert repr(Client(api_key=KEY)) == "Client('https://api.atomscale.ai/')"
    monkeypatch.setenv("AS_API_ENDPOINT", "https://lab.example/v1")
    assert repr(Client(api_key=KEY)) == "Client('https://lab.example/v1/')"
    assert repr(Client(api_key=KEY, endpoint="https://b.example")) == "Client('https://b.example/')"
