"""A workspace is found from any folder in it, and a file in it is never half written."""

import pytest

from tunesmith.core.workspace import Workspace, write_text
from tunesmith.errors import NotMadeYetError


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
