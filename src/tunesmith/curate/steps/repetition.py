"""Of rows that repeat one another the best is kept, whatever it is that finds them alike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core.similarity import NearDuplicates
from tunesmith.curate.rows import Part, Removal, Rows
from tunesmith.curate.steps.preference import best_first

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def repetitions(
    rows: Rows, positions: "NDArray[np.int64]", found: NearDuplicates, *, rule: str, reason: str
) -> Iterator[Removal]:
    """The rows to leave out, each with the kept row that it repeats.

    Args:
        rows: All rows.
        positions: Those compared.
        found: Which of them repeat which, by place in `positions`.
        rule: The name these removals are counted under.
        reason: A sentence's end with `{source}`, where the kept row lies, and `{score}`.
    """
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
