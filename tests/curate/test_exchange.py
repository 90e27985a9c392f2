"""Examples go out to Argilla and Label Studio, and people's decisions come back as if they were made here."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from curate.test_readers import JSON, PLENTY
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.curate.exchange import stage
from tunesmith.errors import DataError, RecipeError

WHEN = "2026-01-02T03:04:05Z"


@pytest.fixture
def dataset(dataset_of):
    return dataset_of([("a?", "A"), ("b?", "B"), ("c?", "C")], [("d?", "D")])


def load(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def answered_in_argilla(folder: Path) -> None:
    """What reviewers' answers add to the records, as `Record.to_dict` of argilla 2.8 writes them."""
    records = load(folder / "records.json")
    by_question = {record["fields"]["conversation"][-1]["content"]: record for record in records}

    def respond(question: str, user: str, **values: str) -> None:
        responses = by_question[question]["responses"]
        for name, value in values.items():
            responses.setdefault(name, []).append({"value": value, "user_id": user})

    respond("a?", "u1", verdict="accept", edited_answer="A")
    respond("b?", "u1", verdict="edit", edited_answer="better", note="typo")
    respond("b?", "u2", verdict="reject")
    respond("c?", "u1", verdict="edit", edited_answer="C")
    (folder / "records.json").write_text(json.dumps(records))


def answered_in_label_studio(folder: Path) -> None:
    """What Label Studio 1 adds on export as JSON."""
    tasks = load(folder / "tasks.json")
    by_question = {task["data"]["conversation"][-1]["content"]: task for task in tasks}

    def annotate(
        question: str, who: object, verdict: str, answer: str = "", note: str = ""
    ) -> None:
        parts = {
            "verdict": ("choices", verdict),
            "answer": ("text", answer),
            "note": ("text", note),
        }
        result = [
            {"from_name": name, "to_name": "conversation", "value": {kind: [text]}}
            for name, (kind, text) in parts.items()
            if text
        ]
        times = {"created_at": WHEN, "updated_at": WHEN, "lead_time": 4.5}
        one = {"completed_by": who, "result": result, "was_cancelled": False, **times}
        by_question[question].setdefault("annotations", []).append(one)

    for task in tasks:
        task["annotations"] = []
    annotate("a?", {"id": 1, "email": "u1"}, "accept", "A")
    annotate("b?", {"id": 1, "email": "u1"}, "accept", "better", "typo")
    annotate("b?", 2, "reject", "whatever")
    annotate("c?", {"id": 1, "email": "u1"}, "edit", "C")
    (folder / "tasks.json").write_text(json.dumps(tasks))


@pytest.mark.parametrize(
    ("tool", "file", "answer", "names"),
    [
        ("argilla", "records.json", answered_in_argilla, ("argilla:u1", "argilla:u2")),
        ("label-studio", "tasks.json", answered_in_label_studio, ("u1", "label-studio:2")),
    ],
)
def test_a_round_trip_brings_every_decision_back_once(
    dataset, workspace, tmp_path, tool, file, answer, names
):
    folder = tmp_path / "out"
    made = stage.export(dataset, workspace, tool, folder, name="case")
    assert (made.examples, made.decided) == (4, 0)
    answer(folder)

    imported = stage.import_(workspace, folder / file)

    keys = {e.prompt[0].content: e.key for e in dataset.examples(workspace, "train")}
    decisions = [
        (d.example_key, d.reviewer, d.verdict, d.answer, d.note)
        for d in ReviewLog(workspace).decisions()
    ]
    assert decisions == [
        (keys["a?"], names[0], "accept", None, ""),
        (keys["b?"], names[0], "edit", "better", "typo"),
        (keys["b?"], names[1], "reject", None, ""),
    ]
    assert (imported.new, imported.known, imported.unreviewed) == (3, 0, 1)
    assert [(row.line, row.reason) for row in imported.rejected] == [
        (3, "verdict edit, but the answer is as it was")
    ]
    again = stage.import_(workspace, folder / file)
    assert (again.new, again.known) == (0, 3)
    rest = stage.export(dataset, workspace, tool, tmp_path / "rest", name="case")
    assert (rest.examples, rest.decided) == (2, 2)


def test_label_studios_minimal_form_and_its_times_are_understood(dataset, workspace, tmp_path):
    example = dataset.examples(workspace, "train")[0]
    row = {
        "key": example.key,
        "annotation_id": 3,
        "annotator": 7,
        "updated_at": WHEN,
        "lead_time": 2.5,
    }
    edited = {**row, "verdict": "edit", "answer": "new"}
    (tmp_path / "min.json").write_text(
        json.dumps([edited, {**row, "annotator": 8, "verdict": "accept"}])
    )

    stage.import_(workspace, tmp_path / "min.json")

    first, second = ReviewLog(workspace).decisions()
    assert (first.verdict, first.answer, first.reviewer) == ("edit", "new", "label-studio:7")
    assert (first.decided_at.isoformat(), first.seconds) == ("2026-01-02T03:04:05+00:00", 2.5)
    assert (second.verdict, second.reviewer) == ("accept", "label-studio:8")


def test_an_answer_changed_beside_accept_is_an_edit_in_the_minimal_form_too(
    dataset, workspace, tmp_path
):
    stage.export(dataset, workspace, "label-studio", tmp_path / "ls", name="case")
    first, second, *_ = (
        task["data"] for task in json.loads((tmp_path / "ls/tasks.json").read_text())
    )
    facts = {"annotation_id": 3, "annotator": 7, "updated_at": WHEN, "verdict": "accept"}
    (tmp_path / "min.json").write_text(
        json.dumps([{**first, **facts, "answer": "new"}, {**second, **facts}])
    )

    stage.import_(workspace, tmp_path / "min.json")

    changed, kept = ReviewLog(workspace).decisions()
    assert (changed.verdict, changed.answer) == ("edit", "new")
    assert (kept.verdict, kept.answer) == ("accept", None)


def test_the_pages_ask_for_what_is_read_back(dataset, workspace, tmp_path):
    stage.export(dataset, workspace, "label-studio", tmp_path / "ls", name="case")
    stage.export(dataset, workspace, "argilla", tmp_path / "ar", name="case")

    page = ElementTree.fromstring((tmp_path / "ls/label_config.xml").read_text())  # noqa: S314  # ours
    assert {part.get("name") for part in page} >= {"conversation", "verdict", "answer", "note"}
    shown = {part.get("value", "")[1:] for part in page if part.get("value", "").startswith("$")}
    assert shown <= load(tmp_path / "ls/tasks.json")[0]["data"].keys()
    settings = json.loads((tmp_path / "ar/.argilla/settings.json").read_text())
    fields = {field["name"] for field in settings["fields"]}
    assert fields == load(tmp_path / "ar/records.json")[0]["fields"].keys()
    assert {q["name"] for q in settings["questions"]} == {"verdict", "edited_answer", "note"}


def test_nothing_is_written_over_and_foreign_files_are_refused(dataset, workspace, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    with pytest.raises(RecipeError, match="exists already"):
        stage.export(dataset, workspace, "argilla", tmp_path / "full", name="case")
    for text in ("{}", "[]", "[1]", "no json", '[{"prompt": "a"}]'):
        (tmp_path / "foreign.json").write_text(text)
        with pytest.raises(DataError):
            stage.import_(workspace, tmp_path / "foreign.json")


NAMES = some.sampled_from(["id", "fields", "responses", "verdict", "answer", "data", "key"])
PARTS = some.dictionaries(
    NAMES
    | some.sampled_from(["annotations", "annotation_id", "result", "value", "choices", "text"])
    | some.sampled_from(["completed_by", "annotator", "lead_time", "updated_at", "from_name"]),
    JSON | some.sampled_from(["a" * 64, "accept", "edit", WHEN]) | some.lists(JSON, max_size=2),
    max_size=6,
)
RECORD = PARTS | some.builds(
    lambda inner, outer: {**outer, "data": inner, "annotations": [inner]}, PARTS, PARTS
)


@PLENTY
@given(records=some.lists(RECORD, max_size=5))
def test_whatever_a_file_holds_every_record_is_accounted_for(tmp_path, records):
    workspace = Workspace(tmp_path)
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records))

    try:
        made = stage.import_(workspace, path)
    except DataError as refusal:
        assert "neither" in str(refusal)  # noqa: PT017
        return
    opinions = made.new + made.known + len(made.rejected)
    assert opinions + made.unreviewed >= len(records)
    assert all(isinstance(d, ReviewDecision) for d in ReviewLog(workspace).decisions())
