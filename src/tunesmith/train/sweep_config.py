"""The `train.sweep:` part of a recipe: what a sweep tries."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from tunesmith.core.section import Section


class SweepConfig(Section):
    """Which settings `tunesmith train --sweep` tries, and how often."""

    trials: PositiveInt = 12
    """Trainings in all; those that go badly are stopped early."""
    rank: tuple[PositiveInt, ...] = Field((8, 16, 32), min_length=1)
    """Ranks to choose from; alpha keeps its ratio to the rank."""
    learning_rate: tuple[float, float] = (1e-4, 3e-3)
    """Lowest and highest learning rate; tried on a logarithmic scale."""
    epochs: tuple[PositiveInt, ...] = Field((1, 2, 3), min_length=1)
    """Numbers of epochs to choose from."""
    cases: PositiveInt = 100
    """Validation examples that every trial is graded on, at most."""

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        low, high = self.learning_rate
        if not 0 < low <= high:
            raise ValueError(
                f"learning_rate goes from {low:g} to {high:g}; write [lowest, highest]"
            )
        return self
