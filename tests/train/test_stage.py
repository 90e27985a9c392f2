"""Training: a killed run continues to the same end, and a tuned model knows when to stop."""

import asyncio
import signal

import pytest

from train.apart import started_apart
from tunesmith.artifacts.adapter import Adapter
from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.in_process import InProcessEngine
from tunesmith.errors import DataError, NotMadeYetError, RecipeError
from tunesmith.models.adapters import with_adapter
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig

PAIRS = [(letter, letter.upper() * 2) for letter in "abcdefghijkl"]
QUICK = TrainConfig(epochs=3, batch_size=4, learning_rate=5e-3, evaluations=3)


def inputs_of(dataset, tiny_model) -> stage.TrainInputs:
    return stage.TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")


def test_a_run_killed_in_the_middle_reaches_the_loss_of_an_undisturbed_one(
    workspace, dataset_of, tiny_model
):
    dataset = dataset_of(PAIRS, PAIRS[:2])
    config = QUICK.model_copy(update={"epochs": 60, "evaluations": 60})
    undisturbed = stage.run(config, workspace, inputs_of(dataset, tiny_model), is_quiet=True)
    victim = started_apart(workspace, dataset, tiny_model, config)
    victim.kill()
    victim.wait()

    resumed = stage.run(
        config, workspace, inputs_of(dataset, tiny_model), is_resumed=True, is_quiet=True
    )

    assert resumed.metrics.steps == undisturbed.metrics.steps
    assert resumed.metrics.seen_tokens < undisturbed.metrics.seen_tokens  # it did not start anew
    assert resumed.metrics.train_loss == pytest.approx(undisturbed.metrics.train_loss, abs=1e-4)
    assert resumed.id == undisturbed.id


def test_ctrl_c_keeps_the_step_under_way_and_resuming_reaches_the_same_adapter(
    workspace, dataset_of, tiny_model
):
    dataset = dataset_of(PAIRS, PAIRS[:2])
    inputs = inputs_of(dataset, tiny_model)
    undisturbed = stage.run(QUICK, workspace, inputs, is_quiet=True)
    pressed = inputs._replace(on_validation=lambda *_: signal.raise_signal(signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        stage.run(QUICK, workspace, pressed, is_quiet=True)

    # Validation is measured after steps 3, 6 and 9; the interrupt came at the first.
    [kept] = workspace.folder("training").glob("run_*/checkpoint-*")
    assert kept.name == "checkpoint-3"
    resumed = stage.run(QUICK, workspace, inputs, is_resumed=True, is_quiet=True)
    assert resumed.id == undisturbed.id


def test_without_an_interrupted_run_there_is_nothing_to_resume(workspace, dataset_of, tiny_model):
    with pytest.raises(NotMadeYetError):
        stage.run(QUICK, workspace, inputs_of(dataset_of(PAIRS), tiny_model), is_resumed=True)


def test_examples_that_are_all_too_long_are_refused_with_the_limit(
    workspace, dataset_of, tiny_model
):
    config = QUICK.model_copy(update={"sequence_length": 3})

    with pytest.raises(DataError, match="longer than 3 tokens"):
        stage.run(config, workspace, inputs_of(dataset_of(PAIRS), tiny_model))


def test_a_misspelt_layer_is_refused_with_the_layers_there_are(workspace, dataset_of, tiny_model):
    config = QUICK.model_copy(update={"targets": ("q_porj",)})

    with pytest.raises(RecipeError, match="did you mean 'q_proj'"):
        stage.run(config, workspace, inputs_of(dataset_of(PAIRS), tiny_model))


def test_a_tuned_model_answers_ends_by_itself_and_equals_plain_peft(
    workspace, dataset_of, tiny_model, tmp_path
):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    dataset = dataset_of([("ping", "pong")] * 16)
    config = TrainConfig(method="lora", epochs=30, batch_size=4, learning_rate=1e-2, rank=8)
    adapter = stage.run(config, workspace, inputs_of(dataset, tiny_model), is_quiet=True)
    model_config = ModelConfig(base=str(tiny_model))
    base = load_model(
        resolve(model_config, tmp_path), model_config, quantization="none", precision="float32"
    )
    folder = adapter.weights_folder(workspace)
    engine = InProcessEngine(base, "base", {"tiny": folder})
    question = (Message(role="user", content="ping"),)

    answer = asyncio.run(
        engine.complete(Generation(model="tiny", messages=question, max_tokens=20))
    )

    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), folder)
    prompt = torch.tensor([base.template.encode_prompt(question)])
    tokens = plain.generate(prompt, max_new_tokens=20, do_sample=False)[0, prompt.shape[1] :]
    assert (answer.text, answer.finish_reason) == ("pong", "stop")
    assert base.template.tokenizer.decode(tokens, skip_special_tokens=True) == "pong"
    assert len(tokens) == answer.completion_tokens


def test_the_adapter_carries_its_whole_lineage(workspace, dataset_of, tiny_model):
    dataset = dataset_of(PAIRS, PAIRS[:2])

    made = stage.run(QUICK, workspace, inputs_of(dataset, tiny_model), is_quiet=True)

    adapter = Adapter.load(workspace, made.id)
    assert adapter.dataset_id == dataset.id
    assert adapter.base.quantization == "nf4"
    assert adapter.libraries.keys() >= {"torch", "peft"}
    assert adapter.metrics.validation_loss is not None
    assert adapter.plot_path(workspace).read_bytes().startswith(b"\x89PNG")
    assert not list(adapter.folder(workspace).rglob("*.bin"))


@pytest.mark.filterwarnings("error::FutureWarning")
def test_training_and_serving_an_adapter_warn_of_no_other_library_s_renaming(
    workspace, dataset_of, tiny_model
):
    inputs = inputs_of(dataset_of(PAIRS), tiny_model)
    adapter = stage.run(QUICK.model_copy(update={"epochs": 1}), workspace, inputs, is_quiet=True)

    base = load_model(
        resolve(inputs.model, workspace.root),
        inputs.model,
        quantization="none",
        precision="float32",
    )
    assert with_adapter(base.model, adapter.weights_folder(workspace), name="tuned").peft_config
