"""Whole runs: all weights trained, and training that stops when validation stops getting better."""

import asyncio

import torch

from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.opening import Served, open_endpoint
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig

QUESTION = (Message(role="user", content="ping"),)


def test_full_fine_tuning_makes_a_model_that_transformers_loads_and_the_endpoint_serves(
    workspace, dataset_of, tiny_model
):
    from transformers import AutoModelForCausalLM

    config = TrainConfig(method="full", epochs=10, batch_size=4, learning_rate=3e-3)
    model = ModelConfig(base=str(tiny_model))
    dataset = dataset_of([("ping", "pong")] * 16)

    made = stage.run(config, workspace, stage.TrainInputs(dataset, model, "tiny"), is_quiet=True)

    folder = made.weights_folder(workspace)
    whole = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    before = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    changed = [
        not torch.equal(new, old)
        for new, old in zip(whole.parameters(), before.parameters(), strict=True)
    ]
    assert all(changed)
    endpoint = open_endpoint(model, workspace.root, [Served.of(made, workspace)])
    answer = asyncio.run(
        endpoint.complete(Generation(model="tiny", messages=QUESTION, max_tokens=12))
    )
    asyncio.run(endpoint.close())
    assert (answer.text, answer.finish_reason) == ("pong", "stop")


def test_training_stops_early_and_keeps_the_weights_of_the_best_step(
    workspace, dataset_of, tiny_model
):
    # Validation asks for the opposite of what is learnt, so its loss turns upwards after few steps.
    dataset = dataset_of([("ping", "pong")] * 8, [("ping", "zzzz")] * 2)
    config = TrainConfig(
        method="lora", epochs=60, batch_size=8, learning_rate=1e-2, evaluations=20, patience=2
    )
    inputs = stage.TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")

    made = stage.run(config, workspace, inputs, is_quiet=True)

    assert made.metrics.steps < 60
    assert made.metrics.best_step == made.metrics.steps - 2 * 3  # measured every third step
    assert list((made.folder(workspace) / "tensorboard").glob("events.out.tfevents.*"))
