"""Of rows that repeat one another the best is kept, whatever it is that finds them alike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core.similarity import leave_out
from tunesmith.curate.rows import Part, Removal, Rows
from tunesmith.curate.steps.preference import best_first

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def repetitions(
    rows: Rows,
    positions: "NDArray[np.int64]",
    pairs: "NDArray[np.int32]",
    scores: "NDArray[np.float32]",
    *,
    rule: str,
    reason: str,
) -> Iterator[Removal]:
    """The rows to leave out so that of no pair both are left, each with the kept row that it repeats.

    Args:
        rows: All rows.
        positions: Those compared.
        pairs: Rows that are alike, by place in `positions`.
        scores: How much, one a pair.
        rule: The name these removals are counted under.
        reason: A sentence's end with `{source}`, where the kept row lies, and `{score}`.
    """
    found = leave_out(len(positions), pairs, scores, order=ranking(rows, positions))
    for position, witness, score in zip(
        positions[found.positions].tolist(),
        positions[found.witnesses].tolist(),
        found.similarities.tolist(),
        strict=True,
    ):
        source = rows.source(witness)
        explained = reason.format(source=source, score=score)
        yield Removal(position, rule, explained, score, source, rows.key(witness))


def ranking(rows: Rows, positions: "NDArray[np.int64]") -> "NDArray[np.intp]":
    """Places in `positions`, that of the best row first."""
    import numpy as np

    return np.searchsorted(positions, best_first(rows, positions, longest=True))


def say_equal_numbers(
    rows: Rows, positions: "NDArray[np.int64]", pairs: "NDArray[np.int32]", part: Part
) -> "NDArray[np.bool_]":
    """Which pairs' rows have the same numbers in the same order: "above 90 %" does not repeat "above 95 %"."""
    numbers = rows.numbers(part)[positions][pairs]
    equal: NDArray[np.bool_] = numbers[:, 0] == numbers[:, 1]
    return equal
