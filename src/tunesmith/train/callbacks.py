"""What the user sees while training runs."""

import time
from collections.abc import Callable
from typing import Any

import psutil
import torch
from transformers import TrainerCallback

from tunesmith.core.allocator import TRIM_EVERY, give_back_pages
from tunesmith.core.live import LiveView, Reading

VALIDATION_LOSS = "eval_loss"


class ShowTraining(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Shows loss, speed and memory after every optimizer step."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._started = time.monotonic()
        self._rate = 0.0
        self.trainer: Any = None
        """Set once the trainer exists; its token count gives the speed."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock; the steps of an earlier, interrupted run count as done."""
        self._started = time.monotonic()
        self._show(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """A loss was measured."""
        self._rate = (logs or {}).get("learning_rate", self._rate)
        self._show(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One more step is done."""
        self._show(state)

    def _show(self, state: Any) -> None:
        self._view.show(state.global_step, self._readings(state))

    def _readings(self, state: Any) -> dict[str, Reading]:
        seconds = max(time.monotonic() - self._started, 1e-9)
        readings: dict[str, Reading] = {}
        losses = [row["loss"] for row in state.log_history if "loss" in row]
        if losses:
            readings["loss"] = Reading(f"{losses[-1]:.4f}", tuple(losses), f"from {losses[0]:.4f}")
        scores = [
            (row[VALIDATION_LOSS], row["step"])
            for row in state.log_history
            if VALIDATION_LOSS in row
        ]
        if scores:
            best, step = min(scores)
            series = tuple(score for score, _ in scores)
            readings["validation"] = Reading(
                f"{series[-1]:.4f}", series, f"best {best:.4f} at step {step}"
            )
        if self.trainer is not None and self.trainer.seen_tokens:
            speed = self.trainer.seen_tokens / seconds
            readings["speed"] = Reading(f"{speed:,.0f} tok/s")
        readings["memory"] = Reading(f"{used_bytes() / 2**30:.2f} GiB")
        return readings


def used_bytes() -> int:
    """Memory this process holds: of the GPU where there is one, else of the machine."""
    if torch.cuda.is_available():
        return int(torch.cuda.memory_reserved())
    return int(psutil.Process().memory_info().rss)


class KeepHeapTight(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Gives back every few steps what the heap keeps and no tensor uses, so that a long run does not grow."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Between two steps, when activations and gradients are gone."""
        if state.global_step % TRIM_EVERY == 0:
            give_back_pages()


class TellValidation(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Passes every validation loss on."""

    def __init__(self, on_validation: Callable[[float], None]) -> None:
        self._on_validation = on_validation

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, **_: Any) -> None:
        """A validation loss was measured."""
        self._on_validation(metrics[VALIDATION_LOSS])
