"""What the tests of the command line share."""

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch):
    for name in ("AS_API_KEY", "ATOMSCALE_API_KEY", "AS_API_ENDPOINT", "SIMS_SERVER_KEY"):
        monkeypatch.delenv(name, raising=False)
