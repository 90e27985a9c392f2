"""Many rows: on several cores and on Ray the same bytes as on one core; a killed run goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.core.workspace import Workspace, alone
from tunesmith.curate import refining
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.stage import run
from tunesmith.errors import BusyError

ROWS_PER_SHARD = 40
CURATE = f"""
from pathlib import Path
from tunesmith.core.workspace import Workspace, alone
from tunesmith.curate import refining
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.stage import run
from tunesmith.errors import BusyError
refining.ROWS_PER_SHARD = {ROWS_PER_SHARD}
print(run(CurateConfig(filters=("slow.py:slow",), workers=1), Workspace(Path("."))).dataset.id)
"""
SLOW = """
import time

def slow():
    def check(example):
        time.sleep(0.01)
    return check
"""


@pytest.fixture
def many(workspace, monkeypatch) -> Workspace:
    """400 rows in ten shards, some of them duplicates, broken or boilerplate."""
    monkeypatch.setattr(refining, "ROWS_PER_SHARD", ROWS_PER_SHARD)
    rows: list[object] = [
        {
            "prompt": f"What is the {n % 330}th word of this list?",
            "completion": f"It is word {n % 370}.",
        }
        for n in range(398)
    ]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text(
        "\n".join([*map(json.dumps, rows), "{broken", "[1]"])
    )
    (workspace.root / "slow.py").write_text(SLOW)
    return workspace


def files_of(workspace: Workspace, dataset) -> dict[str, bytes]:
    folder = dataset.folder(workspace)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_several_cores_give_the_same_bytes_as_one(many):
    alone = run(CurateConfig(workers=1), many).dataset
    before = files_of(many, alone)

    together = run(CurateConfig(workers=2), many).dataset

    assert files_of(many, together) == before
    assert {"train.jsonl", "removed.jsonl", "rejected.jsonl"} < set(before)


@pytest.mark.enable_socket
def test_ray_gives_the_same_bytes_as_this_machine(many, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    local = run(CurateConfig(workers=1), many).dataset
    before = files_of(many, local)

    on_ray = run(CurateConfig(engine="ray"), many).dataset

    assert files_of(many, on_ray) == before


def shards(workspace: Workspace) -> dict[Path, int]:
    return {
        path: path.stat().st_mtime_ns for path in workspace.folder("refining").glob("*/*.parquet")
    }


def test_a_killed_run_goes_on_where_it_was_and_gives_the_same_dataset(many):
    config = CurateConfig(filters=("slow.py:slow",), workers=1)
    command = [sys.executable, "-c", CURATE]
    process = subprocess.Popen(command, cwd=many.root, stdout=subprocess.PIPE, text=True)
    while len(shards(many)) < 4 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = shards(many)
    assert 4 <= len(done) < 10
    seen: dict[Path, int] = {}
    original = refining.refine

    def noting(job):
        made = original(job)
        seen.update(shards(many))
        return made

    refining.refine = noting
    try:
        resumed = run(config, many).dataset
    finally:
        refining.refine = original

    assert {path: seen[path] for path in done} == done
    assert len(seen) == 10
    fresh = run(config, many).dataset
    assert fresh == resumed


def test_a_second_run_in_the_same_workspace_is_refused_while_one_is_at_work(many):
    with (
        alone(many.folder("refining") / "lock", "curation"),
        pytest.raises(BusyError, match=f"curation is already running here.*{os.getpid()}"),
    ):
        run(CurateConfig(workers=1), many)
