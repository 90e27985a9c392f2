"""The plan: bytes counted as they are, depth and tokens scaled truly, settings that fit, and the real peak met."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from conftest import example, make_tokenizer
from train.apart import verdicts_in
from tunesmith.artifacts.dataset import Dataset, LengthStatistics, VerdictCounts
from tunesmith.core.conversation import Pair
from tunesmith.errors import DoesNotFitError, UnknownNameError
from tunesmith.models.config import ModelConfig
from tunesmith.train.byte_counter import ByteCounter
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device, find_device
from tunesmith.train.fitting import Fitting
from tunesmith.train.material import TrainInputs, prepare
from tunesmith.train.micro_batch import MicroBatch, largest
from tunesmith.train.plan import make_plan, run_seconds
from tunesmith.train.rehearsal import Rehearsal

MIB = 2**20
LAYERS = 6


@pytest.fixture(scope="module")
def deep_model(tmp_path_factory) -> Path:
    """A random Llama of 6 layers, whose activations outweigh its logits."""
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4}
    return _save_llama(tmp_path_factory.mktemp("deep-llama"), layers=LAYERS, **shape)


def _save_llama(folder: Path, *, layers: int, vocabulary: int | None = None, **shape) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary or len(tokenizer),
        num_hidden_layers=layers,
        num_key_value_heads=2,
        **shape,
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
        assert counter.live.all == 12e6
        del product
        assert counter.live.all == 8e6
        del rectified, raised

    assert counter.live.all == 0
    assert counter.peak.all == 12e6


@pytest.mark.parametrize("is_checkpointed", [False, True])
def test_two_shallow_copies_tell_what_the_whole_model_keeps(material_of, is_checkpointed):
    config = TrainConfig(gradient_checkpointing=is_checkpointed)
    material = material_of(config)
    batch = MicroBatch(tuple(material.train.examples[:8]))

    seen = Rehearsal(config, material)
    whole = Rehearsal(config, material, depths=(LAYERS, LAYERS))
    assert seen.layers == LAYERS
    for quantity in ("frozen_bytes", "frozen_linear_parameters", "trained_parameters"):
        assert getattr(seen.weights, quantity).at(LAYERS) == getattr(whole.weights, quantity).ends
    kept = whole.activations(batch).most_bytes.ends
    assert seen.activations(batch).most_bytes.at(LAYERS) == pytest.approx(kept, rel=0.02)
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
    assert roomy.require_fit(config).is_ample
    checkpointed = config.model_copy(update={"gradient_checkpointing": True})
    assert not roomy.require_fit(checkpointed).is_ample  # memory matters more than time there
    kept = roomy.memory(config, budget=2048, is_ample=True).total / whole
    assert kept > 1.02
    assert fitting(kept + 0.01).require_fit(config).is_ample
    scarce = fitting(1.01).require_fit(config)
    assert scarce.tokens == 2048
    assert not scarce.is_ample
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
    assert find_device("RTX 4090").available_bytes == 24_564 * MIB
    assert find_device("24GB").available_bytes == find_device("24 GiB").available_bytes
    with pytest.raises(UnknownNameError, match="rtx4091") as caught:
        find_device("rtx4091")
    assert "rtx4090" in caught.value.fix
    config = TrainConfig()
    material = material_of(config)

    plan = make_plan(config, material, gpu="l4", price_per_hour=3600)

    # 4 operations for each of the parameters and tokens, at 35 % of 121 TFLOP/s.
    seconds = 4 * plan.parameters * plan.tokens / (0.35 * 121e12)
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


def test_workers_on_a_cpu_hold_everything_each_and_have_a_part_of_the_step(
    material_of, monkeypatch
):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    one = TrainConfig(micro_batch_tokens=2048, batch_size=16)
    two = one.model_copy(update={"workers": 2})
    material = material_of(one)
    fitting = Fitting(material, Device("test", "cpu", 10**12, 10**6, None))

    alone, each = (fitting.memory(config, budget=2048) for config in (one, two))

    assert each.weights == alone.weights
    # Half of the rows, and all of the beginning that they share.
    assert 0.5 * alone.activations < each.activations < 0.7 * alone.activations
    # Two of them, and the process that started them.
    assert fitting.needed_bytes(two, budget=2048) == 2 * each.total + 10**6
    monkeypatch.setenv("RAY_ADDRESS", "ray://elsewhere:10001")
    on_ray = two.model_copy(update={"engine": "ray"})
    assert fitting.needed_bytes(on_ray, budget=2048) == each.total
    shown = make_plan(two, material).shown()
    assert shown["workers"].startswith("2, each with that; here together ")


def test_a_plan_of_preference_tuning_computes_both_answers_and_the_reference(workspace, deep_model):
    dataset, model = verdicts_in(workspace), ModelConfig(base=str(deep_model))
    shared = {"batch_size": 4, "micro_batch_tokens": 10_000}

    def planned(**settings):
        config = TrainConfig(**shared, **settings)
        return config, prepare(config, workspace, TrainInputs(dataset, model, "deep"))

    config, material = planned(objective="dpo")
    (batch,) = largest(config, material, token_budget=10_000)
    assert len(batch.rows) == 4
    assert len(batch.examples) == 8
    plan = make_plan(config, material)
    assert plan.steps == 4 * config.epochs  # 16 pairs, 4 a step
    smaller = make_plan(config.model_copy(update={"micro_batch_tokens": 64}), material)
    assert smaller.memory.activations < plan.memory.activations
    speed = Device("test", "cuda", 10**12, 0, 1e12)
    spent = {
        objective: run_seconds(*planned(objective=objective), speed, lambda _: 0.0)
        for objective in ("dpo", "orpo")
    }
    # Three epochs and five validations for both; one forward pass over every answer more.
    tokens = material.train.tokens + material.validation.tokens
    more = 4 * material.parameters * 0.5 * tokens / (0.35 * 1e12)
    assert spent["dpo"] - spent["orpo"] == pytest.approx(more, rel=1e-3)


MEASURED = {
    "checkpointed": {"micro_batch_tokens": 2048, "gradient_checkpointing": True},
    "qlora": {"micro_batch_tokens": 1024},
    "rank 64, small micro-batches": {"method": "lora", "rank": 64, "micro_batch_tokens": 400},
    "all weights": {"method": "full", "micro_batch_tokens": 1024, "learning_rate": 1e-5},
    "dpo": {"objective": "dpo", "batch_size": 4, "micro_batch_tokens": 1024},
}


@pytest.fixture(scope="module")
def middling_model(tmp_path_factory) -> Path:
    """A random Llama of 8 layers and 30 million parameters: large enough to outweigh what libraries do."""
    shape = {"hidden_size": 512, "intermediate_size": 1408, "num_attention_heads": 8}
    return _save_llama(
        tmp_path_factory.mktemp("middling-llama"), layers=8, vocabulary=8192, **shape
    )


@pytest.mark.parametrize("kept", ["as planned", "nothing"])
def test_the_predicted_peak_is_within_15_percent_of_the_real_one(workspace, middling_model, kept):
    """As runs are where memory is ample, and where it is scarce."""
    dataset = _long_and_short_rows(workspace)
    shared = {"epochs": 3, "batch_size": 12, "evaluations": 0, "log_to": ()}
    script = Path(__file__).with_name("measured_run.py")
    found = {}
    for name, section in MEASURED.items():
        told = json.dumps(shared | section)
        arguments = [str(workspace.root), dataset.id, str(middling_model), told, kept]
        done = subprocess.run([sys.executable, str(script), *arguments], stdout=subprocess.PIPE)
        found[name] = json.loads(done.stdout.splitlines()[-1])

    ratios = {
        name: (run["total"] - run["planned"]["context"]) / run["measured"]
        for name, run in found.items()
    }
    assert ratios == {name: pytest.approx(1, abs=0.15) for name in MEASURED}, found


def _long_and_short_rows(workspace) -> Dataset:
    """Eight examples and four pairs of some 220 tokens each, and four examples of a few."""
    text = ["".join("abcdefgh "[(row * 7 + n * n) % 9] for n in range(200)) for row in range(8)]
    rows = [example(line[:160], line[160:]) for line in text] + [example("a", "b")] * 4
    pairs = [
        Pair(messages=example(line[:160], line[160:]).messages, rejected="no " * 13)
        for line in text[:4]
    ]
    dataset = Dataset(
        id=Dataset.id_of([*rows, *pairs], []),
        train_count=len(rows) + len(pairs),
        validation_count=0,
        verdicts=VerdictCounts.of(pairs),
        sources=(),
        characters=LengthStatistics(total=0, median=0, longest=0),
    )
    dataset.write_examples(workspace, "train", [*rows, *pairs])
    dataset.write_examples(workspace, "validation", [])
    return dataset.save(workspace)


def _weights(folder, model):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).parameters()
