"""Files of another kind, refused by what they are."""

from __future__ import annotations

import re

from sims_analysis.errors import ReadError
from sims_analysis.readers.source import Source
from sims_analysis.readers.workbook import is_workbook, zipped_names

__all__ = ["refuse_other_kinds"]

_MAGIC = (
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"BM", "an image (bitmap)"),
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
_ZIP = b"PK\x03\x04"
_ZIPPED = (
    (b"word/", "a text document (docx); save its table as CSV"),
    (b"opendocument", "an OpenDocument file; save the table as .xlsx or CSV"),
    (b"xl/workbook.bin", "a binary workbook (.xlsb); save it as .xlsx"),
)


def refuse_other_kinds(source: Source) -> None:
    """Refuse a file that cannot be a depth profile, by its first bytes.

    Raises
    ------
    ReadError
        That says what it is.
    """
    content = source.content
    if not content or content.isspace():
        raise ReadError("the file is empty")
    for magic, kind in _MAGIC:
        if content.startswith(magic) and (magic != b"BM" or b"\0" in content[:64]):
            raise ReadError(f"the file is {kind}")
    if content.startswith(_HDF5) and b"tof-sims-sparse-hdf5" not in content:
        raise ReadError("the file is HDF5 or netCDF; sims.load reads what sims.save wrote")
    if content.startswith(_ZIP) and not is_workbook(source):
        other = "an archive of files (zip); unpack it first"
        if not zipped_names(content):
            other = "a workbook or an archive (zip) that is damaged or breaks off"
        raise ReadError(f"the file is {next((k for mark, k in _ZIPPED if mark in content), other)}")
    start = source.start.lstrip().casefold()
    for text, kind in _TEXTS:
        if re.match(text, start):
            raise ReadError(f"the file is {kind}")
