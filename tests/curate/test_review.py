"""Decisions of reviewers: kept for good, undone by a later line, applied to the next dataset version."""

import json

import pytest
from pydantic import ValidationError

from conftest import example
from tunesmith.artifacts.artifact import read_lines
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.core.conversation import example_of
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.reviewed import apply_review
from tunesmith.curate.stage import run


def decide(
    question: str, verdict: str, reviewer: str = "ana", answer: str | None = None, said="yes"
):
    key = example(question, said).key
    return ReviewDecision(example_key=key, verdict=verdict, reviewer=reviewer, answer=answer)


def test_the_latest_decision_stands_until_its_reviewer_takes_it_back(workspace):
    log = ReviewLog(workspace)
    first, second = decide("a", "reject"), decide("a", "accept", "ben")

    assert log.append([first, second]) == 2
    assert log.append([first]) == 0
    assert [d.verdict for d in log.standing().values()] == ["accept"]
    assert len(log.by_reviewer()) == 2

    log.append([decide("a", "undo", "ben")])
    assert [d.verdict for d in log.standing().values()] == ["reject"]


def test_decisions_from_before_it_was_noted_what_was_shown_are_read(workspace):
    log = ReviewLog(workspace)
    early, late = (decide("a", verdict).model_dump(mode="json") for verdict in ("accept", "reject"))
    del early["saw_others"], late["saw_others"]
    log.path.parent.mkdir(parents=True)
    log.path.write_text("".join(f"{json.dumps(one)}\n" for one in (early, late)))

    assert [one.verdict for one in log.standing().values()] == ["reject"]
    assert [one.verdict for one in log.blind().values()] == ["accept"]


def test_a_line_torn_by_a_crash_costs_no_other_decision(workspace):
    log = ReviewLog(workspace)
    log.append([decide("a", "accept")])
    with log.path.open("a") as stream:
        stream.write('{"example_key": "cut o')

    log.append([decide("b", "reject")])

    assert [d.verdict for d in log.decisions()] == ["accept", "reject"]


def test_an_edit_needs_its_answer_and_nothing_else_has_one():
    for verdict, answer in (("edit", None), ("edit", " "), ("accept", "x")):
        with pytest.raises(ValidationError):
            decide("a", verdict, answer=answer)


def test_an_edit_is_followed_by_what_was_decided_about_the_edited_example():
    edit = decide("a", "edit", answer="no")
    back = decide("a", "edit", answer="yes", said="no")

    for later, kept in ((None, ["no"]), (decide("a", "reject", said="no"), []), (back, ["yes"])):
        standing = {d.example_key: d for d in (edit, later) if d}
        result = apply_review([example("a", "yes")], standing)
        assert [e.answer for e in result.kept] == kept
        assert len(result.kept) + len(result.rejected) == 1


def test_the_next_dataset_version_holds_what_reviewers_decided(workspace):
    rows = [{"prompt": question, "completion": "yes"} for question in "abc"]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    ReviewLog(workspace).append([decide("a", "reject"), decide("b", "edit", answer="no")])

    made = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    kept = made.dataset.examples(workspace, "train")
    assert [(e.prompt[0].content, e.answer) for e in kept] == [("b", "no"), ("c", "yes")]
    assert kept[0].metadata == {"review": "edit", "reviewer": "ana"}
    assert made.dataset.removed == {"review": 1}
    assert next(made.dataset.removed_rows(workspace)).reason == "rejected by ana"


def test_accepting_a_row_does_not_bring_back_its_exact_repetition(workspace):
    rows = [{"prompt": question, "completion": "yes"} for question in ("a", "a", "A", "b")]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    ReviewLog(workspace).append([decide("a", "accept")])

    made = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    assert [e.source for e in made.dataset.examples(workspace, "train")] == [
        "data/a.jsonl:1",
        "data/a.jsonl:4",
    ]
    assert made.dataset.removed == {"duplicate": 2}


def test_what_reviewers_decide_about_golden_cases_holds_in_the_next_golden_set(workspace):
    rows = [{"prompt": f"question {number}", "completion": "yes"} for number in range(30)]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = CurateConfig(golden_share=0.3, near_duplicates=None)
    made = run(config, workspace)
    before = [case.messages[0].content for case in made.golden_set.cases(workspace)]
    held_out = read_lines(made.dataset.golden_path(workspace))
    bad, wrong, *_ = (example_of(row).key for row in held_out)
    ReviewLog(workspace).append(
        ReviewDecision(example_key=key, verdict=verdict, answer=answer, reviewer="ana")
        for key, verdict, answer in ((bad, "reject", None), (wrong, "edit", "no"))
    )

    after = run(config, workspace).golden_set.cases(workspace)

    assert [case.messages[0].content for case in after] == before[1:]
    assert [case.expected for case in after] == ["no", *["yes"] * (len(before) - 2)]
