"""A forked process, and answers that belong to another request: nobody gets another's data."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from error_parts import raises
from faulty_server import KEY, REFERENCE, REFERENCE_ID, FaultyServer, raw, reply

from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.errors import PayloadError

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
ROOT = Path(__file__).parents[2]


def answer_for(path: str) -> bytes:
    profile = json.loads(REFERENCE)[0] | {"data_id": path.rpartition("/")[2]}
    return json.dumps([profile]).encode()


#: A server that answers each id with its own data, and takes its time.
SERVER = """
import http.server, json, sys, time
reference = json.loads(sys.argv[1])[0]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(0.003)
        profile = reference | {"data_id": self.path.rpartition("/")[2]}
        body = json.dumps([profile]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def url():
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, REFERENCE.decode()], stdout=subprocess.PIPE, text=True
    )
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    process.kill()
    process.communicate()


def in_a_process(script: str, url: str, *more: str) -> str:
    """Run in a process of its own, which has only the threads that the script starts."""
    done = subprocess.run(
        [sys.executable, "-c", script, url, *more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


AFTER = """
import os, sys
from sims_analysis.api.client import Client
client = Client("k" * 16, endpoint=sys.argv[1])
client.get("a")
for ending in (lambda: None, client.close):
    child = os.fork()
    if not child:
        ending()
        sys.exit(0)  # runs what is registered for the end of a process
    assert os.waitpid(child, 0)[1] == 0
print(client.get("b")[0].data_id)
"""


@pytest.mark.slow
@needs_fork
def test_what_a_child_closes_stays_open_in_the_parent(url):
    assert in_a_process(AFTER, url) == "b"


def _ask(arguments):
    url, data_id = arguments
    with Client(KEY, endpoint=url) as client:
        return client.get(data_id)[0].depth_profiles[0].data_id


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start_a_process(method, url, monkeypatch):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    script = (
        "import multiprocessing, sys\n"
        "from test_forks import _ask\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        print(pool.map(_ask, [(sys.argv[1], f'id-{n}') for n in range(4)]))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(ROOT / "tests")])
    monkeypatch.setenv("PYTHONPATH", path)
    assert in_a_process(script, url) == "['id-0', 'id-1', 'id-2', 'id-3']"


# ---- answers to another question


def test_an_answer_of_another_entry_is_refused_and_not_archived(tmp_path, approved):
    with FaultyServer(reply()) as server:
        client = Client(KEY, endpoint=server.url, archive=tmp_path)
        place = {"data_id": "other", "path": "$[0].data_id"}
        with raises(PayloadError, text=approved, **place) as caught:
            client.get("other")
        assert type(caught.value) is PayloadError
    assert "other" not in client.archive


def test_an_answer_without_an_id_is_accepted():
    nameless = [{k: v for k, v in json.loads(REFERENCE)[0].items() if k != "data_id"}]
    null = [nameless[0] | {"data_id": None}]
    for body in (nameless, null):
        with FaultyServer(reply(json.dumps(body).encode())) as server:
            assert Client(KEY, endpoint=server.url).get("a")[0].species == ["Si"]


def test_species_out_of_order_or_twice_are_kept_as_delivered(tmp_path):
    profiles = [json.loads(REFERENCE)[0] | {"species_name": s} for s in ("Si", "B", "Si")]
    body = json.dumps(profiles).encode()
    with FaultyServer(reply(body)) as server:
        (result,) = Client(KEY, endpoint=server.url, archive=tmp_path).get(REFERENCE_ID)
    assert result.species == ["Si", "B", "Si"]
    assert Archive(tmp_path).payload(REFERENCE_ID) == body


def test_a_uuid_is_the_same_in_any_spelling(tmp_path):
    spelled = [REFERENCE_ID.upper(), f"{{{REFERENCE_ID}}}", REFERENCE_ID.replace("-", "")]
    with FaultyServer(reply()) as server:
        client = Client(KEY, endpoint=server.url, archive=tmp_path)
        results = client.get([*spelled, REFERENCE_ID])
        assert server.paths == [f"/sims/{REFERENCE_ID}"]
    assert [r.data_id for r in results] == [REFERENCE_ID] * 4
    for one in spelled:
        assert one in client.archive
        assert client.archive.get(one).data_id == REFERENCE_ID
    assert client.archive.ids() == [REFERENCE_ID]


def test_an_upper_case_answer_is_the_same_entry():
    body = REFERENCE.replace(REFERENCE_ID.encode(), REFERENCE_ID.upper().encode())
    with FaultyServer(reply(body)) as server:
        assert Client(KEY, endpoint=server.url).get(REFERENCE_ID)


def test_a_dripping_server_in_the_parent_does_not_keep_a_child_waiting():
    if not hasattr(os, "fork"):
        pytest.skip("forks")
    with FaultyServer(raw(then="stall"), reply(answer_for("/b"))) as server:
        client = Client(KEY, endpoint=server.url, retries=0, timeout=300)
        stuck = threading.Thread(target=client.get, args=("a",), kwargs={"errors": "collect"})
        stuck.start()
        while not server.received:
            time.sleep(0.01)
        child = os.fork()
        if not child:
            os._exit(0 if client.get("b")[0].data_id == "b" else 1)
        began = time.monotonic()
        assert os.waitpid(child, 0)[1] == 0
        assert time.monotonic() - began < 200, "it waits for nothing of its parent's"
    stuck.join()
