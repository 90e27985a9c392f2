"""Memory that runs out and losses that run away, in real runs."""

import json
import os
import subprocess
import sys
import weakref

import pytest
import torch

from train.families import make_family
from tunesmith.artifacts.adapter import Adapter
from tunesmith.errors import DivergedError, OutOfMemoryError
from tunesmith.models.config import ModelConfig
from tunesmith.models.template import Encoded
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.cutting import Cutting
from tunesmith.train.divergence import STREAK, LossWatch
from tunesmith.train.material import TrainInputs

TWICE = """
import json, resource, sys
from pathlib import Path
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.workspace import Workspace
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import TrainInputs

root, dataset, model, settings, megabytes = sys.argv[1:]
workspace = Workspace(Path(root))
given = TrainInputs(Dataset.load(workspace, dataset), ModelConfig(base=model), "tiny")

def train():
    print(stage.run(TrainConfig(**json.loads(settings)), workspace, given).model_dump_json())

train()
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
limit = int(status["VmData"].split()[0]) * 1024 + int(megabytes) * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
train()
"""
"""Trains as it likes, then again with some megabytes more than what is held between the runs."""


def test_a_step_that_does_not_fit_is_cut_smaller_and_the_run_ends_as_if_it_had_fitted(
    workspace, dataset_of, tmp_path
):
    # Gemma 2 caps its attention scores, so its rows are padded and its attention tensors all kept.
    model = make_family("gemma2", tmp_path / "gemma2")
    # 24 rows of 440 tokens: each of the attention's tensors takes 37 MB or 74, and there are several in two layers.
    # What the kernel library itself maps for new shapes, about 30 MB, must fit besides.
    pairs = [(f"{number:03}" * 138, "long") for number in range(24)]
    dataset = dataset_of([("a", "short"), *pairs])
    settings = {"epochs": 1, "batch_size": 24, "evaluations": 0, "learning_rate": 1e-3}
    settings["micro_batch_tokens"] = 100_000
    arguments = [str(workspace.root), dataset.id, str(model), json.dumps(settings), "220"]
    # Every tensor is mapped by itself, so that what is freed counts as free at once.
    environment = dict(os.environ, MALLOC_MMAP_THRESHOLD_="262144")

    done = subprocess.run(
        [sys.executable, "-c", TWICE, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    undisturbed, limited = map(Adapter.model_validate_json, done.stdout.splitlines())
    halvings = [one.message for one in limited.warnings if one.code == "memory-ran-out"]
    assert halvings
    assert all(text.startswith("step ") and text in done.stderr for text in halvings)
    assert not [one for one in undisturbed.warnings if one.code == "memory-ran-out"]
    assert limited.metrics.steps == undisturbed.metrics.steps == 2
    assert limited.metrics.seen_tokens == undisturbed.metrics.seen_tokens
    assert limited.metrics.train_loss == pytest.approx(undisturbed.metrics.train_loss, abs=2e-3)


def test_memory_that_a_single_example_does_not_fit_in_is_an_error_with_a_fix():
    said: list[str] = []
    cutting = Cutting(100, said.append)
    examples = [Encoded([1] * 20, [True] * 20)] * 5
    sizes = []

    def work(groups):
        sizes.append(max(map(len, groups)))
        torch.empty(2**55)

    with pytest.raises(OutOfMemoryError, match="a single example of 20 tokens"):
        cutting.compute(examples, work)

    assert sizes == [5, 2, 1]
    assert len(said) == 2


def test_a_failed_backward_pass_leaves_nothing_in_memory():
    kept = []

    def work(groups):
        if len(kept) == 1:
            return
        large = torch.ones(10**6)
        kept.append(weakref.ref(large))
        weight = torch.ones(10, requires_grad=True)
        other = (weight * large[:10]).sum()
        (_Fails.apply(weight * 2, large).sum() + other).backward()

    Cutting(100, lambda _: None).compute([Encoded([1] * 20, [True] * 20)] * 5, work)

    assert kept[0]() is None


class _Fails(torch.autograd.Function):
    """Needs more memory than there is, in its backward pass."""

    @staticmethod
    def forward(context, x, large):
        context.save_for_backward(large)
        return x * 1

    @staticmethod
    def backward(context, gradient):
        return torch.empty(2**55), None


def test_an_absurd_learning_rate_stops_with_the_step_its_rows_and_the_last_good_checkpoint(
    workspace, dataset_of, tiny_model
):
    dataset = dataset_of([(letter, letter.upper() * 2) for letter in "abcdefghijkl"])
    folder = dataset.folder(workspace)
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows, start=1):
        row["source"] = f"data.jsonl:{number}"
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = TrainConfig(
        method="full",
        epochs=40,
        batch_size=4,
        evaluations=40,
        learning_rate=1e3,
        warmup_share=0.9,
        max_grad_norm=1e9,
    )
    inputs = TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")

    with pytest.raises(DivergedError) as caught:
        stage.run(config, workspace, inputs, is_quiet=True)

    error = caught.value
    assert len(error.rows) == 4
    assert set(error.rows) <= {f"data.jsonl:{number}" for number in range(1, 13)}
    assert f"at step {error.step}" in str(error)
    left = list(workspace.folder("training").glob("run_*/checkpoint-*"))
    assert error.checkpoint is None or error.checkpoint in map(str, left)
    assert not list(workspace.folder("adapters").iterdir())


def test_a_loss_runs_away_only_when_it_stays_far_above_its_median():
    def verdicts(losses):
        watch = LossWatch()
        return [watch.check(step, loss) for step, loss in enumerate(losses, start=1)]

    falling = [3.0 / step for step in range(1, 40)]
    # One hard batch in a run that overfits: 0.08 to 0.9 and back.
    assert not any(verdicts([*falling, 0.9, 0.08, 0.08, *[0.9] * (STREAK - 1), 0.08]))
    away = verdicts([*falling, *[4.0] * STREAK])
    assert not any(away[:-1])
    assert away[-1].since == len(falling) + 1
    (*_, broken) = verdicts([*falling, float("nan")])
    assert broken.since == len(falling) + 1
