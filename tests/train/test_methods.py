"""Every way to train: what cannot be combined is refused, and what is saved loads in plain peft over the plain base."""

import asyncio

import pytest
import torch
from peft import PeftModel
from pydantic import ValidationError

from conftest import example
from tunesmith.artifacts.adapter import Adapter
from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.opening import Served, open_endpoint
from tunesmith.errors import ModelError, RecipeError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.models.rounding import int8_value, nf4_value
from tunesmith.train import stage
from tunesmith.train.adapters import make_trainable
from tunesmith.train.config import TrainConfig
from tunesmith.train.initialisation import save_adapter
from tunesmith.train.optimizers import choose_optimizer
from tunesmith.train.step import loss_sum

WAYS = {
    "lora": {"method": "lora"},
    "qlora": {"method": "qlora"},
    "8 bits": {"method": "qlora", "bits": 8},
    "rslora": {"method": "lora", "variant": "rslora"},
    "dora": {"method": "lora", "variant": "dora"},
    "dora over nf4": {"method": "qlora", "variant": "dora"},
    "pissa": {"method": "lora", "init": "pissa"},
    "pissa with rslora": {"method": "lora", "init": "pissa", "variant": "rslora"},
    "loftq": {"method": "qlora", "init": "loftq"},
}
IDS = torch.arange(3, 60)[None]
QUICK = TrainConfig(method="lora", rank=4, alpha=8, epochs=1, batch_size=4, evaluations=1)


def base_for(config, tiny_model):
    model = ModelConfig(base=str(tiny_model))
    resolved = resolve(model, tiny_model)
    return load_model(resolved, model, quantization=config.quantization, precision="float32")


def trained(config, tiny_model):
    """A model after two steps of plain descent on one example."""
    base = base_for(config, tiny_model)
    model = make_trainable(base.model, config)
    encoded = [base.template.encode_example(example("abc", "cba").messages)]
    for _ in range(2):
        loss_sum(model, encoded, pad_id=0).backward()
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.data -= 0.05 * parameter.grad
                parameter.grad = None
    return model.eval()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "lora", "bits": 4}, ["bits: 4", "method: lora", "set method: qlora"]),
        ({"method": "full", "variant": "dora"}, ["variant: dora", "method: full"]),
        ({"method": "full", "continue_from": "ad_1"}, ["continue_from: ad_1", "set model.base"]),
        ({"init": "pissa"}, ["init: pissa", "method: qlora", "set method: lora"]),
        ({"init": "loftq", "bits": 8}, ["init: loftq", "bits: 8", "bits: 4"]),
        ({"init": "loftq", "method": "lora"}, ["init: loftq", "method: lora"]),
        ({"init": "loftq", "variant": "dora"}, ["init: loftq", "variant: dora"]),
        ({"init": "loftq", "continue_from": "ad_1"}, ["init: loftq", "continue_from: ad_1"]),
        ({"method": "full", "bits": 8, "variant": "dora"}, ["bits: 8", "variant: dora"]),
    ],
)
def test_combinations_that_make_no_sense_are_refused_with_both_values(settings, words):
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate(settings)

    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("way", WAYS)
def test_a_saved_adapter_gives_the_trained_models_logits_in_plain_peft(way, tiny_model, tmp_path):
    config = TrainConfig(rank=4, alpha=8, **WAYS[way])
    model = trained(config, tiny_model)

    save_adapter(model, tmp_path)

    plain = PeftModel.from_pretrained(base_for(config, tiny_model).model, tmp_path).eval()
    untrained = base_for(config, tiny_model).model
    with torch.no_grad():
        expected, loaded, before = (m(input_ids=IDS).logits for m in (model, plain, untrained))
    torch.testing.assert_close(loaded, expected, rtol=1e-4, atol=2e-5)
    assert (expected - before).abs().max() > 0.01


@pytest.mark.parametrize("way", ["lora", "rslora", "dora", "pissa"])
def test_the_step_has_the_gradients_of_pefts_own_layers(way, tiny_model):
    base = base_for(config := TrainConfig(rank=4, alpha=8, **WAYS[way]), tiny_model)
    model = make_trainable(base.model, config)
    encoded = [base.template.encode_example(example("abc", "cba").messages)]
    grown = [p for n, p in model.named_parameters() if "lora_B" in n and config.init == "default"]
    for parameter in grown:
        torch.nn.init.normal_(parameter, std=0.1)
    loss_sum(model, encoded, pad_id=0).backward()
    ours = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    for module in model.modules():
        module.__dict__.pop("forward", None)

    loss_sum(model, encoded, pad_id=0).backward()

    assert len(ours) == 2 * 7 * (3 if config.variant == "dora" else 2)
    for name, gradient in ours.items():
        torch.testing.assert_close(
            model.get_parameter(name).grad, gradient, rtol=1e-4, atol=1e-6, msg=name
        )


def test_a_dora_adapter_is_served_beside_a_plain_one(tiny_model, tmp_path):
    ways = {"dora": WAYS["dora"], "plain": WAYS["lora"]}
    models = {
        n: trained(TrainConfig(rank=4, alpha=8, **way), tiny_model) for n, way in ways.items()
    }
    base = base_for(QUICK, tiny_model)
    for name, model in models.items():
        save_adapter(model, tmp_path / name)
    served = [Served(n, tmp_path / n, "lora", base.identity.name, "none") for n in ways]
    question = (Message(role="user", content="abc"),)
    prompt = torch.tensor([base.template.encode_prompt(question)])

    endpoint = open_endpoint(ModelConfig(base=str(tiny_model)), tmp_path, served)
    asked = [Generation(model=n, messages=question, max_tokens=8) for n in ways]
    answers = [asyncio.run(endpoint.complete(request)) for request in asked]
    asyncio.run(endpoint.close())

    for model, answer in zip(models.values(), answers, strict=True):
        tokens = model.generate(input_ids=prompt, max_new_tokens=8, do_sample=False)[0]
        expected = base.template.tokenizer.decode(tokens[prompt.shape[1] :])
        assert answer.text == expected.partition("<|im_end|>")[0]


def test_pissa_changes_nothing_before_the_first_step(tiny_model):
    config = TrainConfig(rank=4, method="lora", init="pissa")
    plain = base_for(config, tiny_model).model

    model = make_trainable(base_for(config, tiny_model).model, config).eval()

    torch.testing.assert_close(model(input_ids=IDS).logits, plain(input_ids=IDS).logits)
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    fifth = torch.linalg.svdvals(plain.model.layers[0].self_attn.q_proj.weight.detach())[4]
    largest_left = torch.linalg.svdvals(layer.base_layer.weight).max()
    assert largest_left.item() == pytest.approx(fifth.item(), rel=1e-2)


def test_loftq_makes_up_for_the_best_rank_r_part_of_the_rounding(tiny_model):
    config = TrainConfig(rank=8, alpha=16, init="loftq")
    plain = base_for(QUICK, tiny_model).model.model.layers[1].mlp.down_proj.weight.bfloat16()

    model = make_trainable(base_for(config, tiny_model).model, config)

    layer = model.get_base_model().model.layers[1].mlp.down_proj
    error = plain.float() - layer.base_layer.weight
    added = layer.get_delta_weight("default")
    best = torch.linalg.svdvals(error)[8:].norm()
    assert (error - added).norm().item() == pytest.approx(best.item(), rel=0.01)
    assert torch.equal(layer.base_layer.weight, nf4_value(plain).float())


def test_eight_bit_weights_are_the_ones_bitsandbytes_holds():
    from bitsandbytes.nn import Linear8bitLt

    plain = torch.nn.Linear(64, 32, bias=False)
    held = Linear8bitLt(64, 32, bias=False, has_fp16_weights=False)
    held.load_state_dict(plain.state_dict())
    held.to("cpu")
    one = torch.eye(64, dtype=torch.float16)

    rounded = int8_value(plain.weight.detach()).float()

    torch.testing.assert_close(rounded, held(one).T.float(), rtol=0, atol=2e-3)
    assert 0 < (rounded - plain.weight).abs().max() < 1 / 127 * plain.weight.abs().max()


def test_paged_optimizers_need_cuda_and_auto_finds_its_own():
    with pytest.raises(RecipeError, match=r"paged_adamw_8bit pages GPU memory.*cpu"):
        choose_optimizer("paged_adamw_8bit", "cpu")

    assert choose_optimizer("auto", "cpu").name == "adamw_torch_fused"
    assert choose_optimizer("auto", "cuda").name == "paged_adamw_32bit"


def inputs_of(dataset, tiny_model):
    return stage.TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")


@pytest.mark.parametrize("from_folder", [False, True])
def test_training_goes_on_from_an_adapter_and_remembers_it(
    from_folder, workspace, dataset_of, tiny_model
):
    inputs = inputs_of(dataset_of([("ping", "pong")] * 8, [("ping", "pong")]), tiny_model)
    optimizer = "adamw_8bit" if from_folder else "adamw"
    settings = QUICK.model_copy(update={"learning_rate": 1e-2, "epochs": 3, "optimizer": optimizer})
    first = stage.run(settings, workspace, inputs, is_quiet=True)
    where = str(first.weights_folder(workspace)) if from_folder else first.id
    config = settings.model_copy(update={"continue_from": where, "learning_rate": 1e-6})

    second = stage.run(config, workspace, inputs, is_quiet=True)

    assert second.metrics.validation_loss == pytest.approx(
        first.metrics.validation_loss, rel=0.01
    )  # it began where the first one ended, and was hardly moved
    parent = Adapter.load(workspace, second.id).parents[1]
    assert parent.startswith("sha256:") if from_folder else parent == first.id
    with pytest.raises(RecipeError, match="rank: 16, but the adapter to continue has 4"):
        stage.run(config.model_copy(update={"rank": 16}), workspace, inputs, is_quiet=True)


def test_packed_weights_train_to_the_same_adapter(workspace, dataset_of, tiny_model):
    inputs = inputs_of(dataset_of([("ping", "pong")] * 8, [("ping", "pong")]), tiny_model)
    weights = []
    for holding in ("packed", "unpacked"):
        config = QUICK.model_copy(update={"method": "qlora", "holding": holding})
        adapter = stage.run(config, workspace, inputs, is_quiet=True)
        folder = adapter.weights_folder(workspace)
        weights.append((folder / "adapter_model.safetensors").read_bytes())

    assert weights[0] == weights[1]


def test_an_adapter_of_another_base_is_not_continued(workspace, dataset_of, tiny_model, tmp_path):
    import shutil

    inputs = inputs_of(dataset_of([("ping", "pong")] * 4), tiny_model)
    first = stage.run(QUICK, workspace, inputs, is_quiet=True)
    other = shutil.copytree(tiny_model, tmp_path / "other")
    inputs = inputs._replace(model=ModelConfig(base=str(other)))

    config = QUICK.model_copy(update={"continue_from": first.id})
    with pytest.raises(ModelError, match=r"was trained with the base .* the recipe's is"):
        stage.run(config, workspace, inputs, is_quiet=True)
