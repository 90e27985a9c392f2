"""Of rows that repeat one another the best is kept, whatever it is that finds them alike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core.similarity import NearDuplicates
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Part, Rows

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
    for place, other, score in zip(*found, strict=True):
        position, witness = int(positions[place]), int(positions[other])
        source = rows.source(witness)
        explained = reason.format(source=source, score=score)
        yield Removal(position, rule, explained, float(score), source, rows.key(witness))


def say_equal_numbers(
    rows: Rows, positions: "NDArray[np.int64]", pairs: "NDArray[np.int32]", part: Part
) -> "NDArray[np.bool_]":
    """Which pairs' rows have the same numbers in the same order: "above 90 %" does not repeat "above 95 %"."""
    numbers = rows.numbers(part)[positions][pairs]
    equal: NDArray[np.bool_] = numbers[:, 0] == numbers[:, 1]
    return equal
