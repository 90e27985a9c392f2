"""Rows that mean the same in other words, by a real sentence model."""

import json

import numpy as np
import pytest

from tunesmith.curate.config import CurateConfig
from tunesmith.curate.stage import run
from tunesmith.models.sentences import encode

ROWS = [
    ("How can I reset my password?", "Open the settings and choose a new one."),
    ("What is the way to change my password?", "Choose a new one in the settings."),
    ("When does the shop open on Sunday?", "At ten in the morning."),
    ("When does the shop open on Sunday?", "At 10 in the morning."),
]


def test_vectors_are_unit_and_do_not_depend_on_what_else_is_in_the_batch():
    texts = [asked for asked, _ in ROWS] + ["a much longer text " * 40]

    vectors = encode(texts)

    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert encode(texts[:1])[0] == pytest.approx(vectors[0], abs=1e-4)
    assert vectors[0] @ vectors[1] > 0.8 > 0.5 > vectors[0] @ vectors[2]


def test_a_row_in_other_words_is_removed_and_one_with_another_number_stays(workspace):
    (workspace.root / "data").mkdir()
    lines = [json.dumps({"prompt": asked, "completion": said}) for asked, said in ROWS]
    (workspace.root / "data/a.jsonl").write_text("\n".join(lines))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    config = CurateConfig(golden="golden.jsonl", validation_share=0, semantic_duplicates=0.8)

    dataset = run(config, workspace).dataset

    (gone,) = dataset.removed_rows(workspace, "semantic_duplicate")
    assert (gone.example.source, gone.witness) == ("data/a.jsonl:1", "data/a.jsonl:2")
    assert dataset.train_count == 3


def test_a_row_that_says_the_opposite_in_other_words_stays(workspace):
    (workspace.root / "data").mkdir()
    rows = [
        ("Is a wheel change covered by the inspection?", "It is covered by the inspection."),
        ("Does the inspection cover a wheel change?", "It is not covered by the inspection."),
    ]
    lines = [json.dumps({"prompt": asked, "completion": said}) for asked, said in rows]
    (workspace.root / "data/a.jsonl").write_text("\n".join(lines))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    config = CurateConfig(golden="golden.jsonl", validation_share=0, semantic_duplicates=0.8)

    assert run(config, workspace).dataset.train_count == 2
