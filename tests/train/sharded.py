"""One of two workers over a sharded base: exits with 0 if loss and gradients are those of the whole base."""

import sys
from pathlib import Path

import torch
from torch import distributed

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import example
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train.adapters import make_trainable
from tunesmith.train.config import TrainConfig
from tunesmith.train.sharding import even_groups, shard
from tunesmith.train.step import loss_sum
from tunesmith.train.team import Team

TEXTS = ["a", "bcd efg", "hijklmnop qrstuv", "wx", "yyyyyyy"]

config = ModelConfig(base=sys.argv[1])
base = load_model(resolve(config, Path.cwd()), config, quantization="none", precision="float32")
examples = [base.template.encode_example(example(text, text[::-1]).messages) for text in TEXTS]
model = make_trainable(base.model, TrainConfig(method="lora", rank=4, workers=2, sharding="fsdp"))
for name, parameter in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(parameter, std=0.1)
frozen = [each for each in model.parameters() if not each.requires_grad]
held = sum(each.numel() for each in frozen)


def loss_of(groups) -> torch.Tensor:
    """The summed loss, its gradients added up."""
    total = torch.zeros(())
    for group, weight in groups:
        loss = loss_sum(model, group, pad_id=0) * weight
        loss.backward()
        total += loss.detach()
    return total


whole = loss_of([(examples, 1.0)])
expected = {n: each.grad.clone() for n, each in model.named_parameters() if each.requires_grad}
model.zero_grad()
distributed.init_process_group("gloo")
team = Team.of_environment()

shard(model, "cpu")
part = loss_of(even_groups(examples, team, token_budget=40))
team.add_up_gradients(model.parameters())

torch.testing.assert_close(team.total(part), whole, rtol=1e-5, atol=0)
for name, each in model.named_parameters():
    if each.requires_grad:
        torch.testing.assert_close(each.grad, expected[name], rtol=1e-4, atol=1e-6)
layers = [each for each in model.parameters() if hasattr(each, "to_local")]
assert sum(each.to_local().numel() for each in layers) * 2 == sum(each.numel() for each in layers)
assert sum(each.numel() for each in layers) > held / 2
distributed.destroy_process_group()
