"""Every family of chat models: its layers are found, its masks exact, its loss right, its adapter loads everywhere."""

import asyncio

import pytest
import torch
from peft import PeftModel

from conftest import example
from models.test_template import marked, turns
from train.families import FAMILIES, make_family
from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.opening import Served, open_endpoint
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train.adapters import make_trainable
from tunesmith.train.config import TrainConfig
from tunesmith.train.initialisation import save_adapter
from tunesmith.train.step import loss_sum
from tunesmith.train.targets import find_targets

LORA = TrainConfig(method="lora", rank=4, alpha=8)
TALK = turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request, tmp_path_factory):
    """Name and folder of a tiny model of each family."""
    return request.param, make_family(request.param, tmp_path_factory.mktemp(request.param))


def opened(folder):
    config = ModelConfig(base=str(folder))
    return load_model(resolve(config, folder), config, quantization="none", precision="float32")


def adapted(base):
    """The base with an adapter that already does something: B is zero at the start."""
    model = make_trainable(base.model, LORA)
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def test_all_linear_finds_the_layers_of_the_family_and_its_experts(family):
    name, folder = family

    targets = find_targets(opened(folder).model, "all-linear")

    assert sorted(targets.layers) == sorted(FAMILIES[name].layers)
    assert sorted(targets.experts) == sorted(FAMILIES[name].experts)


def test_masks_are_exact_and_prompts_are_the_ones_that_serving_sends(family):
    name, folder = family
    template = opened(folder).template

    encoded = template.encode_example(TALK)

    assert marked(template, TALK) == FAMILIES[name].masked
    prompt = template.encode_prompt(TALK[:-1])
    assert encoded.ids[: len(prompt)] == prompt


def test_the_loss_is_transformers_own_over_the_trained_tokens(family):
    _, folder = family
    base = opened(folder)
    model = adapted(base)
    batch = [
        base.template.encode_example(talk)
        for talk in (TALK, example("hijklmnop qrstuv", "vut").messages)
    ]
    expected = 0.0
    for ids, is_trained in batch:
        labels = [token if flag else -100 for token, flag in zip(ids, is_trained, strict=True)]
        out = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels]))
        expected += out.loss.item() * sum(is_trained)

    measured = loss_sum(model, batch, pad_id=base.template.pad_id())

    assert measured.item() == pytest.approx(expected, rel=1e-5)
    measured.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_the_adapter_loads_in_plain_peft_and_the_engine_answers_with_it(family, tmp_path):
    _, folder = family
    base = opened(folder)
    model = adapted(base).eval()
    save_adapter(model, tmp_path)
    question = (Message(role="user", content="what is to be said of this?"),)
    prompt = torch.tensor([base.template.encode_prompt(question)])

    plain = PeftModel.from_pretrained(opened(folder).model, tmp_path).eval()
    served = Served("tuned", tmp_path, "lora", base.identity.name, "none")
    endpoint = open_endpoint(ModelConfig(base=str(folder)), tmp_path, [served])
    wanted = Generation(model="tuned", messages=question, max_tokens=24)
    answer = asyncio.run(endpoint.complete(wanted))
    asyncio.run(endpoint.close())

    with torch.no_grad():
        expected, loaded = model(input_ids=prompt).logits, plain(input_ids=prompt).logits
    torch.testing.assert_close(loaded, expected, rtol=1e-4, atol=1e-5)
    tokens = plain.generate(prompt, max_new_tokens=24, do_sample=False)[0, prompt.shape[1] :]
    assert answer.text == base.template.tokenizer.decode(tokens, skip_special_tokens=True)
    assert len(tokens) == answer.completion_tokens
