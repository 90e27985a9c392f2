"""Ctrl-C while training: the step under way is finished and kept in a checkpoint, then the run ends."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback


class StopBetweenSteps(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Ends a run between two steps, with a checkpoint; asked for a second time, at once.

    An interrupt in the middle of a step may be swallowed by a library, and loses what was computed since the last
    checkpoint.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Tell the user through `say` what will happen."""
        self._say = say
        self._is_asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Ctrl-C asks this to stop; outside the main thread, which alone hears it, nothing changes."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Have the step kept."""
        control.should_save = control.should_save or self._is_asked

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint is written.

        Raises:
            KeyboardInterrupt: If the run was asked to stop.
        """
        if self._is_asked:
            raise KeyboardInterrupt

    def _on_interrupt(self, number: int, frame: Any) -> None:
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
        self._say("stopping after this step, which is kept; Ctrl-C again stops at once")
