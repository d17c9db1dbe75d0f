"""Random tables in eight languages are read exactly; damaged ones lose nothing in silence.

``SIMS_TABLES=5000`` draws that many; the script next to it counts what came of them.
"""

import os

import pytest
import random_habits
import random_shapes
import random_tables

import sims_analysis as sims

COUNT = int(os.environ.get("SIMS_TABLES", "60"))
PARTS = 8


@pytest.mark.few(3)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("tables", [random_tables, random_shapes, random_habits])
def test_clean_tables_are_read_exactly(tables, part, tmp_path):
    seeds = range(part, COUNT, PARTS)
    came = {seed: random_tables.outcome(tables.draw(seed), tmp_path) for seed in seeds}
    assert {seed: why for seed, (what, why) in came.items() if what == "different"} == {}
    refused = [why for what, why in came.values() if what == "refused"]
    assert len(refused) <= 0.02 * len(came), refused


@pytest.mark.few(3)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("tables", [random_tables, random_shapes, random_habits])
def test_damaged_tables_lose_nothing_in_silence(tables, part, tmp_path):
    wrong = {}
    for seed in range(part, COUNT, PARTS):
        drawn = tables.damaged(seed)
        what, why = random_tables.outcome(drawn, tmp_path)
        if what == "different":
            wrong[seed, drawn.damage] = why
    assert wrong == {}


@pytest.mark.few(2)
@pytest.mark.parametrize("part", range(PARTS))
def test_tables_that_leave_something_open_are_refused(part, tmp_path):
    seeds = range(part, COUNT, PARTS)
    came = {seed: random_tables.outcome(random_habits.draw_open(seed), tmp_path) for seed in seeds}
    assert {seed: why for seed, (what, why) in came.items() if what != "refused"} == {}


@pytest.mark.few(2)
@pytest.mark.parametrize("part", range(PARTS))
def test_broken_workbooks_lose_nothing_in_silence(part, tmp_path):
    wrong = {}
    for seed in range(part, COUNT // 2, PARTS):
        drawn, path = random_shapes.broken(seed, tmp_path)
        what, why = random_tables.outcome(drawn, tmp_path, path)
        if what == "different":
            wrong[seed, drawn.damage] = why
    assert wrong == {}


def test_what_is_read_otherwise_is_seen(tmp_path, monkeypatch):
    read = sims.read

    def shifted(*args, **options):
        result = read(*args, **options)
        return sims.SIMSResult(
            data_id=result.data_id,
            depth_profiles=[*reversed(result.depth_profiles)],
            provenance=result.provenance,
        )

    monkeypatch.setattr(sims, "read", shifted)
    outcomes = [random_tables.outcome(random_tables.draw(seed), tmp_path)[0] for seed in range(20)]
    assert "different" in outcomes
