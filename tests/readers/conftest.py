"""Files for the readers."""

import pytest


@pytest.fixture
def write(tmp_path):
    def write(content, name="w7.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
