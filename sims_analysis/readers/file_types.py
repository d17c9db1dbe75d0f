"""Which reader a file is for, by its content; other kinds are refused by name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from sims_analysis.errors import ReadError, SimsWarning, collected, warn
from sims_analysis.files import Budget
from sims_analysis.readers.registry import Format, Reader, readers
from sims_analysis.readers.source import Options, Source

#: Layouts that fit many a file that is no depth profile.
_ANY_TABLE = ("table", "tidy", "suprem")
#: Depth profiles are smaller; other files are not read only to ask what they look like.
LARGEST = 2**26
#: So many times as large it may become when it is unpacked.
_UNPACKED = 8

_MAGIC = (
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ", "compressed (xz); unpack it first"),
    (b"7z\xbc\xaf", "an archive of files (7z); unpack it first"),
    (b"Rar!", "an archive of files (rar); unpack it first"),
    (b"CDF\x01", "netCDF 3, not a depth profile of an instrument"),
    (b"CDF\x02", "netCDF 3, not a depth profile of an instrument"),
    (b"ITStrF01", "raw data of an IONTOF instrument; export the profile as text from SurfaceLab"),
    (b"MATLAB 5.0", "a MATLAB file; export the profile as text"),
    (b"\x93NUMPY", "a numpy array; sims.DepthProfile makes a profile of arrays"),
)
_TEXTS = (
    (r"<(!doctype )?html", "a web page (HTML); save the table as CSV"),
    (r"<\?xml", "XML, which holds no depth profile that can be read"),
    ("<svg", "an image (SVG)"),
    (
        r"(?s)cameca\s.{0,300}acquisition file name|shrimp sw|[^\n]* \\ isotopes \\",
        "isotope ratios of a spot; if its cycles are a profile, make a table of rates over times",
    ),
    (r"cameca \w+ spr?ectrum software", "a CAMECA NanoSIMS scan of voltages, not a depth profile"),
)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIPPED = (
    (b"word/", "a text document (docx); save its table as CSV"),
    (b"opendocument", "an OpenDocument file; save the table as .xlsx or CSV"),
    (b"xl/workbook.bin", "a binary workbook (.xlsb); save it as .xlsx"),
)


def find_reader(source: Source) -> Reader:
    """Find the reader of a file; one that can be no depth profile is refused as what it is."""
    _refuse_other_kinds(source)
    chosen = next((known for known in readers() if _is_for(known, source)), None)
    if chosen is None:
        raise ReadError("the file is binary, and in no format that is known")
    return chosen


def _is_for(reader: Reader, source: Source) -> bool:
    try:
        return bool(reader.recognises(source))
    except Exception as error:
        if isinstance(reader, Format):
            raise
        # No file is refused for the reader of another package.
        warn(
            f"the reader {reader.name!r} of a plugin fails to recognise the file "
            f"({type(error).__name__}: {error}); the others are tried",
            SimsWarning,
        )
        return False


def format_of(given: Any) -> str | None:
    """Return the name of the format that a file has, by its content; xarray asks of any file."""
    if isinstance(given, str | os.PathLike):
        if not Path(given).is_file():
            return None
        with Path(given).open("rb") as file:
            return format_of(file)
    if not all(hasattr(given, name) for name in ("read", "seek", "tell")):
        return None
    start = given.tell()
    try:
        content = given.read(LARGEST + 1)
    finally:
        given.seek(start)
    if not isinstance(content, bytes) or len(content) > LARGEST:
        return None
    source = Source("", content, Options(budget=Budget(_UNPACKED * LARGEST)))
    with collected():
        try:
            known = find_reader(source).name
        except ReadError:
            return None
    if known in _ANY_TABLE or (known == "payload" and '"species_name"' not in source.text):
        return None
    return known


def _refuse_other_kinds(source: Source) -> None:
    """Refuse a file that cannot be a depth profile, by its first bytes."""
    content = source.content
    if not content or content.isspace():
        raise ReadError("the file is empty")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            raise ReadError(f"the file is {kind}")
    if content.startswith(_HDF5) and b"tof-sims-sparse-hdf5" not in content:
        raise ReadError("the file is HDF5 or netCDF", remedy="sims.load reads what sims.save wrote")
    if source.is_zip and not source.is_workbook:
        other = "an archive of files (zip); unpack it first"
        if not source.zipped:
            other = "a workbook or an archive (zip) that is damaged or breaks off"
        raise ReadError(f"the file is {next((k for mark, k in _ZIPPED if mark in content), other)}")
    start = source.start.lstrip().casefold()
    for text, kind in _TEXTS:
        if re.match(text, start):
            raise ReadError(f"the file is {kind}")
