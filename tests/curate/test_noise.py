"""Rows that a model could not learn: losses against plain PyTorch, findings noted for the review."""

import pytest

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.suspicion import read_doubts, suspicions_path
from tunesmith.curate.noise import Unlearnt, find_unlearnt
from tunesmith.errors import DataError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.models.scoring import mean_losses

ROWS = [("a", "b"), ("Where is the station?", "Left."), ("Who?", "Nobody " * 20)]


@pytest.fixture
def config(tiny_model) -> ModelConfig:
    return ModelConfig(base=str(tiny_model))


def loaded_from(config, workspace):
    resolved = resolve(config, workspace.root)
    return load_model(resolved, config, quantization="none", precision="float32")


def test_losses_are_those_of_each_example_alone(config, workspace, dataset_of):
    import torch

    loaded = loaded_from(config, workspace)
    rows = dataset_of(ROWS).examples(workspace, "train")
    encoded = [loaded.template.encode_example(row.messages) for row in rows]

    found = mean_losses(loaded.model, encoded, pad_id=loaded.template.pad_id())

    for example, loss in zip(encoded, found, strict=True):
        ids = torch.tensor([example.ids])
        chances = loaded.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        own = [
            -chances[place, token].item()
            for place, (token, is_trained) in enumerate(
                zip(example.ids[1:], example.is_trained[1:], strict=True)
            )
            if is_trained
        ]
        assert loss == pytest.approx(sum(own) / len(own), rel=1e-4)


@pytest.fixture
def adapter_of(config, workspace):
    """Makes a LoRA adapter of random weights for a dataset."""

    def make(dataset_id: str, method: str = "lora") -> Adapter:
        from peft import LoraConfig, get_peft_model

        loaded = loaded_from(config, workspace)
        adapter = Adapter.model_construct(
            id="adapter_1", dataset_id=dataset_id, method=method, base=loaded.identity
        )
        lora = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
        get_peft_model(loaded.model, lora).save_pretrained(adapter.weights_folder(workspace))
        return adapter

    return make


def test_the_least_likely_rows_come_first_and_are_noted_for_the_review(
    config, workspace, dataset_of, adapter_of
):
    dataset = dataset_of(ROWS)
    suspicions_path(dataset, workspace).write_text("")

    found = find_unlearnt(dataset, adapter_of(dataset.id), config, workspace, most=2)

    assert len(found) == 2
    assert found[0].after >= found[1].after >= found[0].usual
    assert found[0].before != found[0].after
    noted = {doubt.key: doubt.reasons for doubt in read_doubts(dataset, workspace)}
    assert set(noted) == {row.example.key for row in found}
    assert {reason.rule for reasons in noted.values() for reason in reasons} == {"loss"}
    assert not suspicions_path(dataset, workspace).exists()
    again = find_unlearnt(dataset, adapter_of(dataset.id), config, workspace, most=1)
    assert len(list(read_doubts(dataset, workspace))) == len(again) == 1


def test_an_adapter_of_another_dataset_says_nothing(config, workspace, dataset_of, adapter_of):
    with pytest.raises(DataError, match="was trained on ds_other"):
        find_unlearnt(dataset_of(ROWS), adapter_of("ds_other"), config, workspace)


def test_the_score_is_zero_for_a_usual_loss_and_never_certain():
    scores = [Unlearnt(None, 3.0, after, 1.0).score for after in (0.0, 0.5, 1.0, 2.0, 100.0)]

    assert scores == [0.0, 0.0, 0.0, 0.5, 0.9]
