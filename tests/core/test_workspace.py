"""A workspace is found from any folder in it, and a file in it is never half written."""

import signal
import subprocess
import sys

import pytest

from tunesmith.core.workspace import Workspace, alone, write_text
from tunesmith.errors import BusyError, NotMadeYetError


def test_a_workspace_is_found_from_a_folder_deep_inside_it(tmp_path):
    (tmp_path / "tunesmith.yaml").write_text("name: a\n")
    deep = tmp_path / "data" / "raw"
    deep.mkdir(parents=True)

    assert Workspace.find(deep).root == tmp_path


def test_outside_a_workspace_the_error_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(NotMadeYetError) as caught:
        Workspace.find(tmp_path)

    assert "tunesmith init" in caught.value.fix


def test_a_failed_write_leaves_the_old_content_in_place(tmp_path):
    path = tmp_path / "state.json"
    write_text(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")

    assert path.read_text() == "old"


def test_a_lock_names_the_process_that_holds_it_and_a_killed_one_lets_go(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from tunesmith.core.workspace import alone\n"
        "with alone(Path(sys.argv[1]), 'curation'): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"curation is already.*process {holder.pid}"):
            alone(path, "curation").__enter__()

        holder.send_signal(signal.SIGKILL)

    with alone(path, "curation"):
        pass
