"""Files that unpack to more than a computer has, and addresses that tell what is secret."""

import gzip
import io
import json
import multiprocessing
import resource
import socket
import zipfile

import instrument_files as make
import pytest
from answering_server import send, served
from error_parts import raises

import sims_analysis as sims

#: The limit is one for all; most attacks here are a thirty-second of what they could be.
SMALL = 2**25
LIMIT = "needs more memory than the limit of 33,554,432 bytes allows for a file"
WHOLE = LIMIT.replace("33,554,432", "1,073,741,824")
OPTION = "a larger max_bytes= reads it"


def refused(given, *words, **options):
    options = {"max_bytes": SMALL} | options
    with pytest.raises(sims.ReadError) as warned:
        sims.read(given, **options)
    for word in words or (LIMIT, OPTION):
        assert word in str(warned.value)


# --- workbooks ----------------------------------------------------------------------------------


def packed(rows, count, **more):
    """Write a workbook with some XML again and again, which packs a thousand times."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make.workbook("@", **more))) as plain,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in plain.namelist():
            first, mark, last = plain.read(name).decode().partition("@")
            with archive.open(name, "w") as part:
                part.write(first.encode())
                for _ in range(count // 1000 if mark else 0):
                    part.write((rows * 1000).encode())
                part.write(last.encode())
    return content.getvalue()


@pytest.mark.few(0, 2)
@pytest.mark.parametrize(
    "rows", ["<row><c><v>1</v></c></row>", "<c><v>1</v></c>", "\n", "<c a='' b=''/>"]
)
def test_a_small_workbook_with_millions_of_cells_is_refused(rows):
    content = packed(rows, 250_000 if len(rows) > 1 else 750_000)
    assert len(content) < 40_000
    refused(content, "sheet 'one'", LIMIT, OPTION)


@pytest.mark.slow
def test_shared_texts_without_end_and_one_that_is_in_every_cell_are_refused():
    cells = '<row><c t="s"><v>0</v></c></row>' * 2000
    refused(make.workbook(cells, strings=f"<si><t>{'a' * 40_000}</t></si>"), "sheet 'one'", LIMIT)
    refused(make.workbook("", strings="<si/>" * 500_000), "its part 'xl/strings.xml'", LIMIT)


def test_rows_that_end_in_the_last_column_are_refused():
    """Four thousand columns are there for the first row; every other fills the last one."""
    first = "".join("<c><v>1</v></c>" for _ in range(4_000))
    last = '<row><c r="EWV1"><v>1</v></c></row>'
    refused(make.workbook(f"<row>{first}</row>{last * 2_000}"), "sheet 'one'", LIMIT)


def test_a_list_of_parts_without_end_is_refused():
    refused(b"PK\x03\x04" + b"PK\x01\x02" * 80_000, "its list of parts", LIMIT)


@pytest.mark.slow
def test_sheets_of_an_old_workbook_that_all_claim_every_cell_are_refused(tmp_path):
    xlwt = pytest.importorskip("xlwt")
    old = xlwt.Workbook()
    for number in range(3):
        sheet = old.add_sheet(f"s{number}")
        for row in range(1300):
            sheet.write(row, 255, 1.0)
    content = io.BytesIO()
    old.save(content)
    refused(content.getvalue(), "sheet 's", LIMIT, OPTION)


# --- texts ----------------------------------------------------------------------------------------


def test_one_long_line_does_not_make_all_lines_long():
    """Twenty thousand lines of two cells, and one of fifty thousand."""
    lines = ["z (nm);B (cps)", *(f"{i};1" for i in range(20_000)), "5;1" + ";" * 50_000]
    content = "\n".join(lines).encode()
    assert sims.read(content, max_bytes=30_000_000)["B"].depths.size == 20_001


def test_a_wide_header_of_many_rows_is_refused():
    wide = ";".join(["1"] * 10_000)
    content = "\n".join(["z (nm);B (cps)", *[wide] * 2, *["1;2"] * 1000]).encode()
    refused(content, "a table of 1,002 rows and 10,000 columns", LIMIT, OPTION)


@pytest.mark.slow
def test_a_table_that_would_be_turned_into_millions_of_cells_is_refused():
    rows = ["depth (nm)" + "".join(f";{i}" for i in range(5000))]
    rows += [f"S{i} (cps);1;2;3" for i in range(300)]
    content, limit = "\n".join(rows).encode(), 20_000_000
    assert len(content) < 40_000
    refused(content, "5,001 rows and 301 columns", "limit of 20,000,000", OPTION, max_bytes=limit)


def test_lines_without_end_are_refused():
    refused(b"0;1\n" + b"\n" * 700_000, "a text of 700,002 lines", LIMIT)


@pytest.mark.parametrize("text", [b"[[],", b'["",', b"[1,", b'[{"species_name":[1,'])
def test_json_that_decodes_to_too_much_is_refused(text):
    piece = {b"[[],": b"[],", b'["",': b'"",'}.get(text, b"1,")
    content = b'[{"species_name":' + text + piece * 1_000_000
    refused(content, "JSON of", LIMIT, OPTION)
    with raises(sims.PayloadError, "too_large", argument="max_bytes", path="$"):
        sims.SIMSResult.from_json(content, max_bytes=SMALL)


def test_the_option_lifts_the_limit_of_every_reader(tmp_path):
    profile = {"species_name": "B", "depths": [*range(2000)], "depth_units": "nm",
               "concentrations": [1.5] * 2000, "concentration_units": "1/cm^3"}  # fmt: skip
    rows = "".join(f"<row><c><v>{i}</v></c><c><v>1</v></c></row>" for i in range(2000))
    headers = "<row><c t='str'><v>z (nm)</v></c><c t='str'><v>B (cps)</v></c></row>"
    for content in (
        json.dumps([profile]).encode(),
        make.workbook(headers + rows),
        ("z (nm);B (cps)\n" + "".join(f"{i};1\n" for i in range(2000))).encode(),
    ):
        refused(content, "the limit of 40,000 bytes", OPTION, max_bytes=40_000)
        assert sims.read(content, max_bytes=5_000_000).species == ["B"]
        (failed,) = sims.read([content], max_bytes=40_000, errors="collect")
        assert "the limit of 40,000 bytes" in str(failed)


def test_a_limit_is_a_number_of_bytes(approved):
    for wrong in ("1 GB", 1.5, True, None):
        with raises(TypeError, text=approved):
            sims.read(b"", max_bytes=wrong)


# --- what is given --------------------------------------------------------------------------------


class Endless:
    """An answer that does not end."""

    name = "w7.csv"

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        assert size >= 0, "all of it is asked for"
        self.given += size
        return b"0;1\n" * (size // 4 + 1)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path):
    endless = Endless()
    refused(endless, "w7.csv", "the limit of 5,000,000 bytes", OPTION, max_bytes=5_000_000)
    assert endless.given < 8_000_000
    zeros = tmp_path / "w7.txt"
    zeros.symlink_to("/dev/zero")
    refused(zeros, "w7.txt", "the limit of 5,000,000 bytes", max_bytes=5_000_000)


def test_a_packed_file_that_is_opened_is_read_as_far_as_the_limit(tmp_path):
    path = tmp_path / "w7.csv.gz"
    with gzip.open(path, "w") as file:
        for _ in range(10):
            file.write(b"0;1\n" * 1_000_000)
    assert path.stat().st_size < 1_000_000
    with gzip.open(path) as file:
        refused(file, "the limit of 10,000,000 bytes", OPTION, max_bytes=10_000_000)
    refused(path, "compressed; unpack it first")


def test_a_member_of_an_archive_is_read_as_far_as_the_limit(tmp_path):
    pytest.importorskip("fsspec")
    path = tmp_path / "lab.zip"
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("w7.csv", "w") as part:
        for _ in range(10):
            part.write(b"0;1\n" * 1_000_000)
    refused(f"zip://w7.csv::{path}", "w7.csv", "the limit of 10,000,000", max_bytes=10_000_000)


def _measured(content, queue):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        sims.read(content, max_bytes=2**28)
    except sims.ReadError as error:
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        queue.put((str(error), 1024 * (after - before)))


@pytest.mark.slow
@pytest.mark.few(1)
@pytest.mark.parametrize("rows", ["<row><c><v>1</v></c></row>", "<c><v>1</v></c>"])
def test_half_a_megabyte_that_was_a_gigabyte_needs_about_the_limit(rows):
    content = packed(rows, 5_000_000)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_measured, args=(content, queue))
    child.start()
    said, memory = queue.get(timeout=100)
    child.join()
    assert WHOLE.replace("1,073,741,824", "268,435,456") in said
    assert memory < 1.3 * 2**28


# --- addresses ------------------------------------------------------------------------------------

SECRETS = ("user", "p4ss", "w0rd", "sesame", "s3same", "t0ken", "token")
LOGINS = ["user:p4ss-w0rd@", "user:p4ss@w0rd@", "user:p4ss%40w0rd@", "p4ss@", "user:p4ss/w0rd@",
          "user:p4ss?w0rd@", "user:p4ss#w0rd@"]  # fmt: skip


def closed_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def everything_said(error):
    """The error with what it was made of, as a traceback or a log would show it."""
    said = []
    while error is not None:
        said += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return " ".join(said)


def told_nothing(address, kind, *reason):
    with pytest.raises(kind) as warned:
        sims.read(address)
    said = everything_said(warned.value)
    assert not [secret for secret in SECRETS if secret in said]
    for word in reason:
        assert word in str(warned.value)
    try:
        (collected,) = sims.read([address], errors="collect")
    except (OSError, sims.ReadError) as error:
        collected = error
    assert not [secret for secret in SECRETS if secret in everything_said(collected)]


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("query", ["?token=sesame", "?token=s3same#t0ken", ""])
def test_without_an_answer_the_error_gives_the_reason_and_no_secret(login, query):
    pytest.importorskip("aiohttp")
    address = f"http://{login}127.0.0.1:{closed_port()}/w7.csv{query}"
    whole = not set("/?#") & set(login)
    kind = sims.errors.ConnectionFailed if whole else (OSError, sims.ReadError)
    reason = ("http://127.0.0.1:", "/w7.csv cannot be read: ", "Connect") if whole else ()
    told_nothing(address, kind, *reason)


@pytest.mark.slow
def test_refusals_and_broken_answers_of_a_server_tell_nothing_secret():
    pytest.importorskip("aiohttp")

    def refuse(handler):
        handler.send_error(int(handler.path[1:4]))

    def break_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"0;1\n")

    with served(refuse) as address:
        at = address.replace("//", "//user:p4ss-w0rd@")
        told_nothing(
            f"{at}/404/w7.csv?token=sesame", FileNotFoundError, "no such file: 'http://127"
        )
        told_nothing(f"{at}/403/w7.csv?token=sesame", OSError, "403")
        told_nothing(f"zip://w7.csv::{at}/500/w7.zip?token=sesame", OSError, "500")
    with served(break_off) as address:
        at = address.replace("//", "//user:p4ss-w0rd@")
        told_nothing(f"{at}/w7.csv?token=sesame", sims.errors.ConnectionFailed, "cannot be read: ")


@pytest.mark.parametrize(
    "address",
    ["http://user:p4ss@lab.example:port/w7.csv?token=sesame", "nowhere://user:p4ss@lab/w7?t0ken",
     "zip://w7.csv::nowhere://user:p4ss@lab/w7.zip?t0ken", "http://user:p4ss@[::1/w7.csv?t0ken"],
)  # fmt: skip
def test_addresses_that_are_none_tell_nothing_secret(address):
    pytest.importorskip("aiohttp")
    told_nothing(address, (OSError, sims.ReadError), "cannot be read: ")


@pytest.mark.slow
def test_what_was_read_tells_nothing_secret():
    pytest.importorskip("aiohttp")
    content = b"Depth (nm);11B (at/cm3)\n0;1E18\n5;3E18\n"
    with served(lambda handler: send(handler, content)) as server:
        for path in ("/w7.csv", "/", ""):
            address = server.replace("//", "//user:p4ss-w0rd@") + f"{path}?token=sesame"
            result = sims.read(address)
            said = f"{result!r}{result.provenance}{result.metadata}{result.data_id}"
            said += str(result.to_dataset().attrs) + sims.explain_read(address)
            assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.slow
def test_an_answer_without_end_is_read_as_far_as_the_limit():
    pytest.importorskip("aiohttp")
    sent = []

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while sum(sent) < 500_000_000:
                sent.append(handler.wfile.write(b"0;1\n" * 100_000))
        except OSError:
            pass

    with served(answer) as address:
        refused(f"{address}/w7.csv", "w7.csv", "the limit of 5,000,000 bytes", max_bytes=5_000_000)
    assert sum(sent) < 50_000_000
