"""What the user sees while training runs."""

import time
from typing import Any

from transformers import TrainerCallback

from tunesmith.core.progress import Progress


class ShowProgress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Reports every optimizer step with loss and speed."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._started = time.monotonic()
        self._loss = float("nan")
        self.trainer: Any = None
        """Set once the trainer exists; its token count gives the speed."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count the steps of an earlier, interrupted run as done."""
        self._started = time.monotonic()
        if state.global_step:
            self._progress.advance(state.global_step, "resumed")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Remember the newest loss."""
        self._loss = (logs or {}).get("loss", self._loss)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One more step is done."""
        speed = self.trainer.seen_tokens / max(time.monotonic() - self._started, 1e-9)
        self._progress.advance(1, f"loss {self._loss:.3f}  {speed:,.0f} tok/s")
