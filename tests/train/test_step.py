"""The step's shortcuts change speed and nothing else."""

import pytest
import torch
from transformers import TrainingArguments

from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train.adapters import make_trainable
from tunesmith.train.batches import micro_batches
from tunesmith.train.config import TrainConfig
from tunesmith.train.step import loss_sum
from tunesmith.train.trainer import Steps, StepTrainer

CONVERSATIONS = ["a", "bcd efg", "hijklmnop qrstuv", "wx"]


@pytest.fixture
def base(tiny_model, tmp_path):
    config = ModelConfig(base=str(tiny_model))
    return load_model(resolve(config, tmp_path), config, quantization="none", precision="float32")


@pytest.fixture
def encoded(base):
    from conftest import example

    return [
        base.template.encode_example(example(text, text[::-1]).messages) for text in CONVERSATIONS
    ]


def adapted(base):
    """The base with an adapter that already does something: B is zero at the start."""
    torch.manual_seed(1)
    model = make_trainable(base.model, TrainConfig(method="lora", rank=4))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def gradients(model):
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def test_the_loss_is_transformers_own_loss_over_the_trained_tokens(base, encoded):
    model = adapted(base)
    expected = 0.0
    for ids, is_trained in encoded:
        labels = [token if flag else -100 for token, flag in zip(ids, is_trained, strict=True)]
        out = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels]))
        expected += out.loss.item() * sum(is_trained)

    measured = loss_sum(model, encoded, pad_id=0).item()

    assert measured == pytest.approx(expected, rel=1e-5)


def test_one_batch_of_four_has_the_gradients_of_four_batches_of_one(base, encoded):
    model = adapted(base)
    total = sum(example.trained_tokens for example in encoded)
    (loss_sum(model, encoded, pad_id=0) / total).backward()
    together = gradients(model)
    model.zero_grad()

    for group in micro_batches(encoded, token_budget=1):
        (loss_sum(model, group, pad_id=0) / total).backward()

    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, together[name], rtol=1e-4, atol=1e-6)


def test_a_step_in_pieces_has_the_gradients_of_the_mean_loss_of_its_trained_tokens(
    base, encoded, tmp_path
):
    model = adapted(base)
    options = {"output_dir": str(tmp_path), "use_cpu": True, "report_to": "none"}
    trainer = StepTrainer(
        model=model,
        args=TrainingArguments(**options, remove_unused_columns=False),
        train_dataset=Steps(encoded, [[0, 1, 2, 3]]),
        pad_id=0,
        token_budget=40,
        on_halved=pytest.fail,
    )

    loss = trainer.training_step(model, {"examples": encoded})

    ours = gradients(model)
    model.zero_grad()
    total, trained = 0.0, sum(example.trained_tokens for example in encoded)
    for ids, is_trained in encoded:
        labels = [token if flag else -100 for token, flag in zip(ids, is_trained, strict=True)]
        out = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels]))
        share = out.loss * sum(is_trained) / trained
        share.backward()
        total += share.item()
    assert loss.item() == pytest.approx(total, rel=1e-5)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, ours[name], rtol=1e-4, atol=1e-6)


def test_the_adapter_computes_what_pefts_own_layer_computes(base, encoded):
    model = adapted(base)
    (loss_sum(model, encoded, pad_id=0)).backward()
    ours = gradients(model)
    model.zero_grad()
    for module in model.modules():
        module.__dict__.pop("forward", None)

    (loss_sum(model, encoded, pad_id=0)).backward()

    assert len(ours) == 2 * 7 * 2  # A and B of seven linear layers in two blocks
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, ours[name], rtol=1e-4, atol=1e-5)


def test_padding_takes_no_part_in_loss_or_gradients(base, encoded):
    model = adapted(base)

    one, other = (loss_sum(model, encoded, pad_id=pad).item() for pad in (0, 9))

    assert one == pytest.approx(other, rel=1e-6)


def test_with_its_adapter_switched_off_the_model_is_the_base_again(base, encoded):
    expected = loss_sum(base.model, encoded, pad_id=0).item()
    model = adapted(base)

    with model.disable_adapter():
        off = loss_sum(model, encoded, pad_id=0).item()

    assert off == expected
    assert loss_sum(model, encoded, pad_id=0).item() != pytest.approx(expected, rel=1e-4)
