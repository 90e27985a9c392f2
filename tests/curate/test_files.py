"""Which files are read: links, brackets, folders of any depth and empty files; none stops a run or vanishes."""

import json

import datasets
import pytest

from curate.reading import load
from tunesmith.artifacts.artifact import read_lines
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.loading import source_paths
from tunesmith.curate.preview import preview
from tunesmith.curate.stage import run
from tunesmith.errors import NoGoodRowsError


def rows(count: int, word: str = "q") -> str:
    lines = [{"prompt": f"{word} {number}", "completion": "a"} for number in range(count)]
    return "".join(json.dumps(line) + "\n" for line in lines)


PLAIN = {"near_duplicates": None, "leakage": None, "workers": 1}


def reasons(loaded) -> list[tuple[str, str]]:
    return [(row.file, row.reason) for row in loaded.rejected]


def test_links_in_a_folder_that_lead_nowhere_or_to_folders_are_counted(tmp_path):
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "good.jsonl").write_text(rows(1))
    (folder / "broken.jsonl").symlink_to(tmp_path / "nothing.jsonl")
    (folder / "broken.mbox").symlink_to(tmp_path / "nothing.mbox")
    (folder / "inner/link").symlink_to(tmp_path)

    loaded = load(folder, "data")

    assert len(loaded.examples) == 1
    assert reasons(loaded) == [
        ("data/broken.jsonl", "a link to a file that is not there"),
        ("data/broken.mbox", "a link to a file that is not there"),
        (
            "data/inner/link",
            "a link to a folder is not followed: name the folder in curate.sources",
        ),
    ]


def test_a_link_that_leads_nowhere_is_counted_and_stops_no_run(workspace):
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text(rows(30))
    (workspace.root / "data/b.jsonl").symlink_to(workspace.root / "nothing")

    made = run(CurateConfig(**PLAIN), workspace).dataset

    assert [(one.path, one.read, one.rejected) for one in made.sources] == [
        ("data/a.jsonl", 30, 0),
        ("data/b.jsonl", 1, 1),
    ]
    aside = read_lines(made.rejected_path(workspace))
    assert [row["reason"] for row in aside] == ["a link to a file that is not there"]


def test_patterns_reach_folders_of_any_depth_and_brackets_may_stand_in_a_name(workspace):
    for name in ("docs/s.md", "docs/deep/er/d.md", "data [2024].csv"):
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")

    def found(pattern: str) -> list[str]:
        paths = source_paths(CurateConfig(sources=(pattern,)), workspace)
        return [workspace.shown(path) for path in paths]

    assert found("docs/**/*.md") == ["docs/deep/er/d.md", "docs/s.md"]
    assert found("docs/**") == ["docs/deep/er/d.md", "docs/s.md"]
    assert found("data [2024].csv") == ["data [2024].csv"]


def test_a_saved_dataset_is_read_without_what_its_steps_have_cached(tmp_path):
    saved = datasets.Dataset.from_dict({"prompt": ["a", "b"], "completion": ["c", "d"]})
    saved.save_to_disk(tmp_path / "set")
    on_disk = datasets.load_from_disk(tmp_path / "set")
    on_disk.map(lambda row: {"prompt": row["prompt"] + "!"})
    assert list((tmp_path / "set").glob("cache-*.arrow"))

    loaded = load(tmp_path / "set", "set")

    assert [row.prompt[0].content for row in loaded.examples] == ["a", "b"]


def test_an_empty_file_among_others_is_a_note_and_alone_an_error_that_the_preview_foresees(
    workspace,
):
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text(rows(30))
    (workspace.root / "data/b.csv").write_text("")
    alone = CurateConfig(sources=("data/a.jsonl", "data/b.csv"), **PLAIN)
    bad = workspace.root / "bad.jsonl"
    bad.write_text("{}\n")

    made = run(CurateConfig(**PLAIN), workspace).dataset

    assert [(one.path, one.read) for one in made.sources] == [
        ("data/a.jsonl", 30),
        ("data/b.csv", 0),
    ]
    assert preview(CurateConfig(), workspace).notes == (
        "data/b.csv: there is no row in it; it is passed over",
    )
    with pytest.raises(NoGoodRowsError, match="there is no row in it"):
        run(alone, workspace)
    foreseen = "`tunesmith curate` would stop here: it holds no row that can be used"
    assert preview(alone, workspace).notes == (f"data/b.csv: {foreseen}",)
    only_bad = preview(CurateConfig(sources=("data/a.jsonl", "bad.jsonl")), workspace)
    assert only_bad.notes == (f"bad.jsonl: {foreseen}",)
