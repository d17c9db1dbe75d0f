"""Writing that survives a crash, and folder names that every file system takes."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Beginning of the name of everything that is not finished.
TEMPORARY = ".tmp-"

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def folder_name(text: str) -> str:
    """Turn any text into a folder name, a different one for each text.

    Short names of small letters, digits, ``-`` and ``_`` stay as they are. Whatever could climb
    a path, or collide where case does not count, or is reserved on Windows, becomes a readable
    beginning, ``~`` and a hash.

    Examples
    --------
    >>> folder_name("boron-implant")
    'boron-implant'
    >>> folder_name("../W1 (Boron)")
    'w1_boron~8c95a04506d1ff90'
    """
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    readable = re.sub(r"[^a-z0-9-]+", "_", text.lower()).strip("_-")[:40]
    return f"{readable}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def temporary_name() -> str:
    """Give a name that no other writer uses."""
    return TEMPORARY + secrets.token_hex(8)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the new one, never half of one."""
    temporary = path.with_name(temporary_name())
    try:
        write_durably(temporary, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk; Windows does so by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
