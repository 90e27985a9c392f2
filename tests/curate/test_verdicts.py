"""Verdicts are read in the layouts that are about, judged like all rows, and never imitated."""

import json

import pytest

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.conversation import Example, Message, Pair, Thumb
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.formats import recognise
from tunesmith.curate.stage import run
from tunesmith.curate.turns import BadRowError

ASKED = {"role": "user", "content": "2+2?"}
GOOD, BAD = {"role": "assistant", "content": "4"}, {"role": "assistant", "content": "5"}
PAIRS = {
    "plain": {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    "TRL, explicit prompt": {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
    "TRL, implicit prompt": {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
    "messages": {"messages": [ASKED], "chosen": "4", "rejected": "5"},
    "ultrafeedback_binarized": {
        "prompt": "2+2?",
        "messages": [ASKED, GOOD],
        "chosen": [ASKED, GOOD],
        "rejected": [ASKED, BAD],
    },
    "orca_dpo_pairs": {"system": "", "question": "2+2?", "chosen": "4", "rejected": "5"},
    "ShareGPT": {
        "conversations": [{"from": "human", "value": "2+2?"}],
        "chosen": {"from": "gpt", "value": "4"},
        "rejected": {"from": "gpt", "value": "5"},
    },
    "hh-rlhf": {
        "chosen": "\n\nHuman: 2+2?\n\nAssistant: 4",
        "rejected": "\n\nHuman: 2+2?\n\nAssistant: 5",
    },
}
THUMBS = {
    "plain": {"prompt": "2+2?", "completion": "4", "label": True},
    "TRL": {"prompt": [ASKED], "completion": [GOOD], "label": True},
    "CSV": {"prompt": "2+2?", "completion": "4", "label": "True"},
    "chat": {"messages": [ASKED, GOOD], "label": True},
    "instruction": {"instruction": "2+2?", "input": "", "output": "4", "label": True},
}
CONVERSATION = (Message(role="user", content="2+2?"), Message(role="assistant", content="4"))


@pytest.mark.parametrize("layout", PAIRS)
def test_every_layout_of_a_pair_is_the_same_pair(layout):
    recognised = recognise(PAIRS[layout])

    assert recognised[:4] == ("pair", CONVERSATION, "5", None)


@pytest.mark.parametrize("layout", THUMBS)
def test_every_layout_of_a_thumb_is_the_same_thumb(layout):
    assert recognise(THUMBS[layout])[:4] == ("thumb", CONVERSATION, None, True)
    assert recognise({**THUMBS[layout], "label": False}).is_good is False


def test_a_label_that_is_no_thumb_is_a_column_like_any_other():
    row = {"prompt": "2+2?", "completion": "4", "label": "arithmetic"}

    assert recognise(row)[:4] == ("prompt-completion", CONVERSATION, None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "a", "chosen": "b", "rejected": " b"}, "chosen and rejected say the same"),
        ({"prompt": "a", "chosen": "b", "rejected": ""}, "no rejected answer"),
        ({"prompt": "a", "chosen": None, "rejected": "c"}, "chosen is nothing, not text"),
        ({"chosen": "b", "rejected": "c"}, "no prompt: none of prompt"),
        (
            {"chosen": [ASKED, GOOD], "rejected": [{**ASKED, "content": "3+3?"}, BAD]},
            "chosen and rejected answer different prompts",
        ),
        ({"prompt": "a", "completion": [], "label": True}, "no answer: the last turn is"),
    ],
)
def test_a_verdict_without_two_sides_is_set_aside_with_its_reason(row, reason):
    with pytest.raises(BadRowError, match=reason):
        recognise(row)


def curated(workspace, *rows) -> Dataset:
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "Golden?", "expected": "x"}))
    config = CurateConfig(golden="golden.jsonl", validation_share=0, system="Be brief.")
    return run(config, workspace).dataset


def test_verdicts_are_kept_in_the_dataset_apart_from_what_is_imitated(workspace):
    made = curated(
        workspace,
        {"prompt": "a", "completion": "b"},
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        {"prompt": "a", "chosen": "b", "rejected": "d"},
        {"prompt": "a", "chosen": "B", "rejected": "D"},
        {"prompt": "a", "completion": "b", "label": False},
        {"prompt": " golden", "chosen": "b", "rejected": "c"},
        {"prompt": "GOLDEN?", "completion": "b", "label": True},
    )

    dataset = Dataset.load(workspace, made.id)
    rows = dataset.rows(workspace, "train")

    assert [type(row).__name__ for row in rows] == ["Example", "Pair", "Pair", "Thumb"]
    assert dataset.examples(workspace, "train") == rows[:1]
    assert (dataset.train_count, dataset.verdicts.pairs, dataset.verdicts.thumbs_down) == (4, 2, 1)
    assert dataset.removed == {"duplicate": 1, "golden": 2}
    assert all(row.messages[0].content == "Be brief." for row in rows)
    assert Dataset.id_of(rows, []) == dataset.id


def test_the_verdict_is_part_of_a_row_and_plain_examples_keep_their_hash():
    up, down = (Thumb(messages=CONVERSATION, is_good=flag) for flag in (True, False))
    pairs = [Pair(messages=CONVERSATION, rejected=text) for text in ("5", "6")]

    assert len({row.key for row in (up, down, *pairs)}) == 4
    # The id that version 0.1.0 gave this dataset.
    assert Dataset.id_of([Example(messages=CONVERSATION)], []) == "ds_6ffb7a9dc568"


def test_a_held_out_case_never_expects_an_answer_with_thumbs_down(workspace):
    rows = [{"prompt": f"q{n}", "completion": f"a{n}", "label": n % 2 == 0} for n in range(200)]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))

    result = run(CurateConfig(), workspace)

    expected = [int(case.expected[1:]) for case in result.golden_set.cases(workspace)]
    assert expected
    assert all(number % 2 == 0 for number in expected)
