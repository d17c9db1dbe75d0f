"""The command line, run here or in a process, and a server for it to ask."""

import http.server
import subprocess
import sys
import threading
from contextlib import contextmanager

from click.testing import CliRunner

import sims_analysis as sims
from sims_analysis.cli import cli
from sims_analysis.examples.opening import ARCHIVE

#: All that come with the package, and those of them that are synthetic.
EXAMPLES = ["boron-implant", "gan-mg", "gan-mg-stack", "sputter-time", "zno-li"]
NAMES = ["boron-implant", "gan-mg-stack", "sputter-time"]


def run(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def process(*arguments, **more):
    command = [sys.executable, "-m", "sims_analysis", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def error_line(result):
    """The one line on stderr that says what is wrong."""
    assert "Traceback" not in result.stderr
    assert not result.exception or isinstance(result.exception, SystemExit)
    (line,) = [text for text in result.stderr.splitlines() if text.startswith("Error: ")]
    return line


@contextmanager
def serving(answers):
    """Answer GET requests from a mapping of path to bytes; all else is 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"{}")))
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def payload_of(name, data_id=None):
    payload = sims.Archive(ARCHIVE).payload(name)
    return payload.replace(name.encode(), (data_id or name).encode())
