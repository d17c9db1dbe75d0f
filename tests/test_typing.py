"""Type checkers see every public name, and what it gives."""

import subprocess
import sys
from pathlib import Path


def test_a_users_script_has_the_types_that_it_should():
    script = Path(__file__).with_name("typed_user.py")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--follow-imports=silent", script],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert found.stdout == ""
    assert found.returncode == 0
