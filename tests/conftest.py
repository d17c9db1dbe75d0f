"""What all tests share: how hard hypothesis looks, and which backend figures use."""

import os

from hypothesis import settings

# Deterministic in CI; SIMS_EXAMPLES=1000 looks harder.
settings.register_profile(
    "tests",
    deadline=None,
    max_examples=int(os.environ.get("SIMS_EXAMPLES", "60")),
    derandomize=True,
)
settings.load_profile("tests")
os.environ.setdefault("MPLBACKEND", "agg")

#: Read by type checkers alone.
collect_ignore = ["typed_user.py"]
