"""Where the numbers of a run go while it runs: TensorBoard, Weights & Biases."""

import math
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tunesmith.errors import MissingDependencyError
from tunesmith.train.config import TrainConfig

TRACKED = ("loss", "eval_loss", "learning_rate", "grad_norm")


def make_trackers(config: TrainConfig, folder: Path, name: str) -> list[Any]:
    """A callback for each tracker in `config.log_to`.

    Args:
        config: The recipe's `train:` section; its settings are logged.
        folder: The run's folder; each tracker gets a folder of its own name in it.
        name: The model's name, under which the run is filed.

    Raises:
        MissingDependencyError: If a tracker's package is not installed.
    """
    made: list[Any] = []
    for tracker in config.log_to:
        target = folder / tracker
        target.mkdir(parents=True, exist_ok=True)
        made.append(
            _tensorboard(target) if tracker == "tensorboard" else WandbTracker(config, target, name)
        )
    return made


def keep_tracks(config: TrainConfig, folder: Path, target: Path) -> None:
    """Move what the trackers wrote from the run's folder to the adapter's."""
    for tracker in config.log_to:
        shutil.rmtree(target / tracker, ignore_errors=True)
        shutil.move(folder / tracker, target / tracker)


class WandbTracker(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Sends settings and numbers to Weights & Biases, and nothing else.

    Its own client would also send the command line, the installed packages, the git remote and the console. Whether
    it works online is left to `WANDB_MODE` and the login of its own tools.
    """

    def __init__(self, config: TrainConfig, folder: Path, name: str) -> None:
        """Start a run."""
        try:
            import wandb
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "wandb",
                needed_for="train.log_to: [wandb]",
                install="pip install 'tunesmith[wandb]'",
            ) from error
        self._run = wandb.init(
            project=name,
            dir=str(folder),
            config=config.model_dump(mode="json"),
            settings=wandb.Settings(
                console="off",
                disable_code=True,
                disable_git=True,
                save_code=False,
                silent=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_save_requirements=False,
            ),
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Send what was measured."""
        numbers = _numbers(logs or {})
        if numbers:
            self._run.log(numbers, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Finish the run."""
        self._run.finish()


def _numbers(logs: dict[str, float]) -> dict[str, float]:
    return {key: logs[key] for key in TRACKED if key in logs and math.isfinite(logs[key])}


def _tensorboard(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return TensorBoardCallback(SummaryWriter(folder))
