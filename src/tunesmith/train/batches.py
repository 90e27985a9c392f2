"""Which examples make up each optimizer step, and how a step is cut to fit memory; both are pure functions."""

import random
from collections.abc import Sequence

from tunesmith.models.template import Encoded


def schedule(count: int, *, batch_size: int, epochs: int, seed: int) -> list[list[int]]:
    """Indices of the examples of every step: each epoch sees all `count` examples once, newly shuffled.

    The last step of an epoch may be smaller. The same arguments give the same steps on any machine, so a run that
    was cut off continues with exactly the examples it would have seen.
    """
    steps: list[list[int]] = []
    for epoch in range(epochs):
        order = list(range(count))
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311  # order of examples, no secret
        steps += [order[start : start + batch_size] for start in range(0, count, batch_size)]
    return steps


def micro_batches(examples: Sequence[Encoded], *, token_budget: int) -> list[list[Encoded]]:
    """The examples in groups of near length whose padded size stays within the budget.

    A single example above the budget makes a group of its own. Groups hold every example exactly once.
    """
    groups: list[list[Encoded]] = []
    for example in sorted(examples, key=lambda example: len(example.ids), reverse=True):
        if groups and (len(groups[-1]) + 1) * len(groups[-1][0].ids) <= token_budget:
            groups[-1].append(example)
        else:
            groups.append([example])
    return groups
