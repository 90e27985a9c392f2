"""The plan: bytes counted as they are, depth and tokens scaled truly, settings that fit, and the real peak met."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from conftest import make_tokenizer
from tunesmith.errors import DoesNotFitError, UnknownNameError
from tunesmith.models.config import ModelConfig
from tunesmith.train.byte_counter import ByteCounter
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device, find_device
from tunesmith.train.fitting import Fitting
from tunesmith.train.material import TrainInputs, prepare
from tunesmith.train.plan import make_plan
from tunesmith.train.rehearsal import rehearse

MIB = 2**20
LAYERS = 6


@pytest.fixture(scope="module")
def deep_model(tmp_path_factory) -> Path:
    """A random Llama of 6 layers, whose activations outweigh its logits."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("deep-llama")
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4}
    config = LlamaConfig(
        vocab_size=len(tokenizer), num_hidden_layers=LAYERS, num_key_value_heads=2, **shape
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def material_of(workspace, dataset_of, deep_model):
    def make(config, pairs=None):
        pairs = pairs or [("question " * 10, f"answer {number}") for number in range(16)]
        inputs = TrainInputs(dataset_of(pairs), ModelConfig(base=str(deep_model)), "deep")
        return prepare(config, workspace, inputs)

    return make


def test_bytes_are_counted_while_they_are_held():
    x = torch.zeros(1000, 1000, requires_grad=True)

    with ByteCounter() as counter:
        product = x @ x  # 4 MB; the backward pass needs x alone
        rectified = torch.relu(product)  # 4 MB, needed
        raised = rectified.exp()  # 4 MB, needed
        assert counter.live_bytes == 12e6
        del product
        assert counter.live_bytes == 8e6
        del rectified, raised

    assert counter.live_bytes == 0
    assert counter.peak_bytes == 12e6


@pytest.mark.parametrize("is_checkpointed", [False, True])
def test_two_shallow_copies_tell_what_the_whole_model_keeps(
    material_of, monkeypatch, is_checkpointed
):
    config = TrainConfig(gradient_checkpointing=is_checkpointed)
    material = material_of(config)
    group = material.train.examples[:8]

    seen = rehearse(config, material.resolved, material.inputs.model, group)

    monkeypatch.setattr("tunesmith.train.rehearsal.DEPTHS", (LAYERS, LAYERS))
    whole = rehearse(config, material.resolved, material.inputs.model, group)
    assert seen.layers == LAYERS
    for quantity in ("frozen_bytes", "frozen_linear_parameters", "trained_parameters"):
        assert getattr(seen, quantity).at(LAYERS) == getattr(whole, quantity).ends
    kept = whole.activation_bytes.ends
    assert seen.activation_bytes.at(LAYERS) == pytest.approx(kept, rel=0.02)
    parameters = sum(
        weight.numel() for weight in _weights(material.resolved.folder, material.inputs.model)
    )
    assert material.parameters == parameters


def test_settings_that_fit_are_found_in_order_of_least_harm(material_of):
    config = TrainConfig(micro_batch_tokens=2048, batch_size=16)
    material = material_of(config)
    roomy = Fitting(material, Device("test", "cpu", 10**12, 0, None))
    whole = roomy.memory(config, budget=2048).total

    def fitting(share):
        return Fitting(material, Device("test", "cpu", int(share * whole / 0.9), 0, None))

    assert roomy.require_fit(config).tokens == 2048
    assert fitting(1.01).require_fit(config).tokens == 2048
    auto = fitting(0.6).advise(config)
    assert auto.settings == {"micro_batch_tokens": "auto"}
    with pytest.raises(DoesNotFitError, match="test has") as caught:
        fitting(0.6).require_fit(config)
    assert "train.micro_batch_tokens: auto" in caught.value.fix
    budget = fitting(0.6).budget(config.model_copy(update={"micro_batch_tokens": "auto"}))
    assert 128 <= budget < 2048
    assert fitting(1e-6).advise(config) is None


def test_checkpointing_is_advised_before_anything_that_changes_the_result(material_of):
    config = TrainConfig(micro_batch_tokens="auto", batch_size=16)
    material = material_of(config)
    roomy = Fitting(material, Device("test", "cpu", 10**12, 0, None))
    smallest = roomy.memory(config, budget=64).total
    checkpointed = config.model_copy(update={"gradient_checkpointing": True})
    less = roomy.memory(checkpointed, budget=64).total
    assert less < smallest

    between = int((less + smallest) / 2 / 0.9)
    advice = Fitting(material, Device("test", "cpu", between, 0, None)).advise(config)

    assert advice.settings == {"gradient_checkpointing": True}


def test_a_gpu_is_found_by_name_and_by_size_and_time_costs_money(material_of):
    assert find_device("RTX 4090").available_bytes == 24 * 2**30
    assert find_device("24GB").available_bytes == find_device("24 GiB").available_bytes
    with pytest.raises(UnknownNameError, match="rtx4091") as caught:
        find_device("rtx4091")
    assert "rtx4090" in caught.value.fix
    config = TrainConfig()
    material = material_of(config)

    plan = make_plan(config, material, gpu="a10g", price_per_hour=3600)

    # 4 operations for each of the parameters and tokens, at 35 % of 70 TFLOP/s.
    seconds = 4 * plan.parameters * plan.tokens / (0.35 * 70e12)
    assert plan.seconds == pytest.approx(seconds)
    assert plan.cost == pytest.approx(seconds, abs=1e-4)
    assert not plan.is_measured


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_weights_are_unpacked_where_they_fit_and_stay_packed_where_they_do_not(material_of, kind):
    config = TrainConfig(micro_batch_tokens=64)
    material = material_of(config)
    roomy = Fitting(material, Device("test", kind, 10**12, 0, None))
    sizes = {
        holding: roomy.memory(config.model_copy(update={"holding": holding}), budget=64)
        for holding in ("packed", "unpacked")
    }
    # 4 bits a weight and 0.127 of constants, where the unpacked ones have 16.
    saved = sizes["unpacked"].weights - sizes["packed"].weights
    assert sizes["packed"].constants == pytest.approx(saved * 0.127 / 12, rel=1e-3)
    assert roomy.require_fit(config).holding == "unpacked"

    # In between fits, on this device, only what is packed: loading aside, which a CPU does beside the mapped file.
    between = (sizes["packed"].total + sizes["unpacked"].total) / 2 / 0.9
    tight = Fitting(material, Device("test", kind, int(between), 0, None))

    assert tight.require_fit(config).holding == "packed"
    unpacked = config.model_copy(update={"holding": "unpacked"})
    assert tight.advise(unpacked).settings["holding"] == "packed"


CASES = {
    "qlora": {"micro_batch_tokens": 1024},
    "checkpointed": {"micro_batch_tokens": 1024, "gradient_checkpointing": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_predicted_peak_is_within_15_percent_of_the_real_one(workspace, dataset_of, case):
    words = [
        "apple",
        "river",
        "stone",
        "light",
        "house",
        "green",
        "paper",
        "music",
        "window",
        "garden",
    ]
    text = [" ".join(words[(row * 7 + n * n) % 10] for n in range(190)) for row in range(8)]
    pairs = [(line[:800], line[800:]) for line in text] + [("a", "b")] * 4
    settings = TrainConfig(epochs=2, batch_size=12, evaluations=0, log_to=(), **CASES[case])
    script = Path(__file__).with_name("measured_run.py")
    arguments = [str(workspace.root), dataset_of(pairs).id, ModelConfig().base]

    def call(what: str) -> dict[str, int]:
        command = [sys.executable, str(script), *arguments, settings.model_dump_json(), what]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    predicted = call("plan")
    measured = call("run")["growth"]

    assert predicted["total"] - predicted["context"] == pytest.approx(measured, rel=0.15)


def _weights(folder, model):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).parameters()
