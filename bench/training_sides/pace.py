"""Sides take turns: each waits at the border of an epoch until it is called, and counts only its own time."""

import json
import os
import resource
import time
from typing import Any


class Pace:
    """Epoch borders of one side, told to the benchmark over two pipes named in the environment."""

    def __init__(self) -> None:
        self._called = os.fdopen(int(os.environ["PACE_CALLED"]))
        self._tells = os.fdopen(int(os.environ["PACE_TELLS"]), "w")
        self._started = float(os.environ["PACE_STARTED"])
        self._waited = 0.0
        self._epoch_began = 0.0
        self._processor_began = 0.0
        self._calls = 0
        self.first_step_seconds = 0.0
        self.epoch_seconds: list[float] = []
        self.epoch_processor_seconds: list[float] = []

    def watch(self, trainer: Any, *, calls_a_step: int, steps_an_epoch: int) -> None:
        """Make the trainer class stop at the borders; `calls_a_step` micro-batches make an optimizer step."""
        step = trainer.training_step

        def training_step(this: Any, *arguments: Any, **options: Any) -> Any:
            if self._calls % (calls_a_step * steps_an_epoch) == 0:
                self._border()
            if self._calls == calls_a_step:
                self.first_step_seconds = self._own_seconds()
            self._calls += 1
            return step(this, *arguments, **options)

        trainer.training_step = training_step

    def finish(self) -> None:
        """Close the last epoch, once the training loop is left."""
        self._close_epoch()

    def report(self, **facts: Any) -> None:
        """Tell the benchmark everything; called when the adapter is on disk."""
        told = {
            "epoch_seconds": self.epoch_seconds,
            "epoch_processor_seconds": self.epoch_processor_seconds,
            "processor_seconds": time.process_time(),
            "first_step_seconds": self.first_step_seconds,
            "end_to_end_seconds": self._own_seconds(),
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            **facts,
        }
        print(json.dumps(told), file=self._tells, flush=True)

    def _border(self) -> None:
        self._close_epoch()
        began = time.monotonic()
        print("border", file=self._tells, flush=True)
        self._called.readline()
        self._epoch_began, self._processor_began = time.monotonic(), time.process_time()
        self._waited += self._epoch_began - began

    def _close_epoch(self) -> None:
        if self._epoch_began:
            self.epoch_seconds.append(time.monotonic() - self._epoch_began)
            self.epoch_processor_seconds.append(time.process_time() - self._processor_began)
            self._epoch_began = 0.0

    def _own_seconds(self) -> float:
        return time.time() - self._started - self._waited
