"""Weights & Biases gets the numbers of a run and nothing else that lies about."""

import pytest

from tunesmith.artifacts.artifact import read_lines
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import TrainInputs

SECRET = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105  # looks like a key, is none


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setenv("MY_TOKEN", SECRET)


@pytest.mark.usefixtures("offline")
def test_an_offline_run_holds_settings_and_losses_and_no_secret(workspace, dataset_of, tiny_model):
    dataset = dataset_of([(letter, letter * 2) for letter in "abcdefgh"])
    config = TrainConfig(epochs=2, batch_size=4, evaluations=0, log_to=("wandb", "tensorboard"))
    inputs = TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")

    adapter = stage.run(config, workspace, inputs, is_quiet=True)

    folder = adapter.folder(workspace)
    assert list(folder.glob("tensorboard/events*"))
    (path,) = folder.glob("wandb/wandb/offline-run-*/*.wandb")
    records = path.read_bytes()
    losses = [row["loss"] for row in read_lines(adapter.history_path(workspace)) if "loss" in row]
    assert len(losses) == 4
    for known in (*map(str, losses), "warmup_share", "learning_rate"):
        assert known.encode() in records
    for file in folder.rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes(), file
