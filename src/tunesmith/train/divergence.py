"""When a run has to stop: its loss is no number any more, or ran away and does not come back."""

import math
from collections import deque
from statistics import median
from typing import NamedTuple

WINDOW = 50
"""Steps whose median a loss is compared with."""
STREAK = 5
"""Steps in a row that must be far above the median; a single hard batch is no divergence."""
FACTOR = 2.0
"""A loss is far above the median when it is more than this times as high ..."""
MARGIN_NATS = 0.5
"""... and above it by this much besides, so that a loss near zero may double."""


class Divergence(NamedTuple):
    """What went wrong, in words, and since when."""

    what: str
    since: int
    """The first step whose loss was bad: the weights before it are the last good ones."""


class LossWatch:
    """Remembers the losses of a run and says when they diverge."""

    def __init__(self) -> None:
        """Nothing is known before the first step."""
        self._usual: deque[float] = deque(maxlen=WINDOW)
        self._streak: list[float] = []

    def check(self, step: int, loss: float) -> Divergence | None:
        """Take in the loss of a step; a divergence if the run should stop here."""
        if not math.isfinite(loss):
            return Divergence(f"the loss became {loss}", step - len(self._streak))
        usual = median(self._usual) if len(self._usual) >= STREAK else math.inf
        if loss <= FACTOR * usual + MARGIN_NATS:
            # What was far above and came back belongs to the run's usual losses.
            self._usual.extend([*self._streak, loss])
            self._streak.clear()
            return None
        self._streak.append(loss)
        if len(self._streak) < STREAK:
            return None
        return Divergence(
            f"the loss rose to {loss:.3g} and stayed far above its median of {usual:.3g} for {STREAK} steps",
            step - STREAK + 1,
        )
