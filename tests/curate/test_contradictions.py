"""Answers that contradict each other are found, counted and shown; answers in other words are not."""

import json
import re

import pytest
from typer.testing import CliRunner

from conftest import example
from tunesmith.cli.main import app
from tunesmith.core.conversation import Thumb
from tunesmith.curate.contradictions import contradicting

ROOF = "Our roof lost forty tiles in the storm of last week and it rained in: is that covered by my policy?"
WET = "What did the man say about the roof that I asked you to look at?"
COVERED = "The damage to the roof and the wet ceiling {} covered up to the sum insured."


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        (("Is it?", "Yes."), ("is it", "No."), 0.8),
        ((ROOF, COVERED.format("are")), (ROOF, COVERED.format("are not")), 0.85),
        ((ROOF, "Yes."), (ROOF.replace("Our", "My"), "No."), 0.75),
        ((ROOF, "Yes."), (ROOF.replace("is that", "is that not"), "No."), 0),
        ((ROOF, "Yes."), (ROOF.replace("forty", "40"), "No."), 0),
        ((ROOF, COVERED.format("are")), (ROOF, f"By your policy, {COVERED.format('are')}"), 0),
    ],
)
def test_answers_contradict_where_both_cannot_be_right(one, other, score):
    found = contradicting([example("other", "words"), example(*one), example(*other)])

    assert found.pairs.tolist() == ([[1, 2]] if score else [])
    assert found.scores.tolist() == pytest.approx([score] if score else [], abs=0.05)


def test_verdicts_and_texts_without_a_question_contradict_nothing():
    thumbs = [
        Thumb(messages=example("why", answer).messages, is_good=is_good)
        for answer, is_good in (("because", True), ("for no reason", False))
    ]
    texts = [
        example("", answer).model_copy(update={"messages": example("", answer).messages[1:]})
        for answer in ("one", "two")
    ]

    assert len(contradicting([*thumbs, *texts]).pairs) == 0


def test_each_row_of_many_stands_beside_the_first_that_answers_otherwise():
    answers = ["billing", "billing", "refund", "billing", "delivery"]

    found = contradicting([example("which queue?", answer) for answer in answers])

    assert sorted(found.pairs.tolist()) == [[0, 2], [0, 4], [2, 1], [2, 3]]


def test_a_run_counts_contradictions_and_a_command_shows_the_worst_first(
    workspace, tiny_model, monkeypatch
):
    rows = {
        "Is tea hot?": "Yes.",
        "Is tea hot": "No.",
        "is tea hot": "Yes!!",
        WET: "No tile is to be seen on the roof, so it is not covered.",
        WET.replace("?", ""): "No tile is to be seen on the roof, so it isn't covered at all.",
        WET.replace("I", "i"): "No tile is to be seen on the roof, so it is covered at all times.",
        "Hi": "Hello",
    }
    (workspace.root / "data").mkdir()
    lines = [json.dumps({"prompt": asked, "completion": said}) for asked, said in rows.items()]
    (workspace.root / "data/a.jsonl").write_text("\n".join(lines))
    recipe = f"name: test\nmodel: {{base: {tiny_model}}}\ncurate: {{golden_share: 0.4}}\n"
    workspace.recipe_path.write_text(recipe)
    monkeypatch.chdir(workspace.root)

    told = CliRunner().invoke(app, ["curate"]).output
    counted = json.loads(CliRunner().invoke(app, ["curate", "--json"]).output)
    shown = CliRunner().invoke(app, ["curate", "contradictions"]).output
    found = json.loads(CliRunner().invoke(app, ["curate", "contradictions", "--json"]).output)

    assert "2 prompts have answers that contradict each other" in told
    assert counted["contradictions"] == found["prompts"] == 2
    pairs = [[pair[side]["source"][-1] for side in ("one", "other")] for pair in found["pairs"]]
    assert pairs == [["1", "2"], ["4", "6"]]
    assert found["pairs"][1]["other"]["answer"] == rows[WET.replace("I", "i")]
    assert re.search(r"data/a.jsonl:1 +data/a.jsonl:2", shown)
    assert re.search("Yes. +No.", shown)
