"""Probes: base losses against plain PyTorch, parts that never see their own rows, and nothing computed twice."""

import json

import pytest
import torch

from conftest import example
from tunesmith.artifacts.suspicion import read_doubts
from tunesmith.errors import DataError
from tunesmith.lifecycle import probing
from tunesmith.lifecycle.probing import CrossProbe, elsewhere
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.recipe import load
from tunesmith.train.config import TrainConfig
from tunesmith.train.probe import Probe

ROWS = [example(f"question {n}", "aaaa") for n in range(60)]
TRAIN = TrainConfig(method="lora", learning_rate=1e-2, batch_size=8)


@pytest.fixture
def model(tiny_model) -> ModelConfig:
    return ModelConfig(base=str(tiny_model))


def alone(model: ModelConfig, workspace, messages) -> float:
    """Mean loss of the tokens of the last answer."""
    loaded = load_model(
        resolve(model, workspace.root), model, quantization="none", precision="bfloat16"
    )
    encoded = loaded.template.encode_answers([messages])[0]
    ids = torch.tensor([encoded.ids])
    chances = loaded.model(input_ids=ids).logits[0].float().log_softmax(-1)
    own = [
        chances[place - 1, encoded.ids[place]]
        for place, is_trained in enumerate(encoded.is_trained)
        if is_trained
    ]
    return -torch.stack(own).mean().item()


def test_a_fresh_and_a_forgetful_probe_are_the_base_model(model, workspace):
    several = example("first", "x").messages + ROWS[0].messages
    rows = [ROWS[0].messages, ROWS[1].messages, several]
    probe = Probe(TRAIN, model, workspace.root)

    fresh = probe.score(rows, on_done=lambda _: None)
    probe.learn(ROWS, steps=5, on_done=lambda _: None)
    tuned = probe.score(rows, on_done=lambda _: None)
    probe.forget()
    again = probe.score(rows, on_done=lambda _: None)

    for scored, messages in zip(fresh, rows, strict=True):
        assert scored.loss == pytest.approx(alone(model, workspace, messages), rel=0.02)
    assert [one.loss for one in again] == pytest.approx([one.loss for one in fresh], rel=0.01)
    assert all(after.loss < before.loss - 0.5 for after, before in zip(tuned, fresh, strict=True))


def test_each_part_is_scored_by_a_probe_that_learnt_the_others_and_read_again_afterwards(
    model, workspace, monkeypatch
):
    learnt: list[set[str]] = []
    scored: list[set[tuple]] = []
    learn, score = Probe.learn, Probe.score

    def noting_learn(self, rows, **options):
        learnt.append({row.key for row in rows})
        return learn(self, rows, **options)

    def noting_score(self, rows, **options):
        scored.append(set(rows))
        return score(self, rows, **options)

    monkeypatch.setattr(Probe, "learn", noting_learn)
    monkeypatch.setattr(Probe, "score", noting_score)
    wrong = example("question 60", "bbbb")
    ask = CrossProbe(TRAIN, model, workspace, steps=30, is_quiet=True)

    found = ask([*ROWS, wrong])

    assert len(learnt) == 2
    assert not learnt[0] & learnt[1]
    by_messages = {row.messages: row.key for row in [*ROWS, wrong]}
    assert {by_messages[row] for row in scored[0]} == learnt[1]
    assert [one.key for one in found] == [row.key for row in [*ROWS, wrong]]
    assert max(found, key=lambda one: one.after).key == wrong.key
    assert (found[-1].given, found[-1].expected) == ("b", "a")
    assert ask([*ROWS, wrong]) == found
    assert len(learnt) == 2


def test_elsewhere_an_answer_stands_behind_a_question_that_is_answered_differently():
    rows = [example("a", "1"), example("b", "1"), example("c", "2")]

    moved = elsewhere(rows)

    assert [(turns[0].content, turns[-1].content) for turns in moved] == [
        ("c", "1"),
        ("c", "1"),
        ("a", "2"),
    ]
    assert elsewhere(rows[:2])[0] == rows[0].messages


def test_too_few_rows_are_an_error(model, workspace):
    with pytest.raises(DataError, match="2 rows are too few"):
        CrossProbe(TRAIN, model, workspace, steps=1)(ROWS[:2])


def test_the_findings_of_a_dataset_are_noted_for_the_review(model, workspace, dataset_of):
    recipe = {"name": "t", "model": {"base": model.base}, "train": {"method": "lora"}}
    workspace.recipe_path.write_text(json.dumps(recipe))
    dataset = dataset_of([(row.prompt[0].content, row.answer) for row in ROWS])

    found = probing.doubtful(
        load(workspace.recipe_path).recipe, dataset, workspace, most=3, is_quiet=True
    )

    assert len(found) == 3
    assert all(row.found.before is not None for row in found)
    assert {doubt.key for doubt in read_doubts(dataset, workspace)} == {
        row.example.key for row in found
    }
