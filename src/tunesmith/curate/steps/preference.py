"""Which of several rows that say the same is kept."""

from typing import TYPE_CHECKING

from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def best_first(rows: Rows, positions: "NDArray[np.int64]", *, longest: bool) -> "NDArray[np.int64]":
    """These positions, the best row first.

    What a person wants kept comes before experts' rows, these before others; then, where `longest`, the longer row,
    which has lost least; then the one that was read first.
    """
    import numpy as np

    length = rows.characters[positions] if longest else np.zeros(len(positions), dtype=np.int64)
    ranks = (positions, -length, ~rows.is_expert[positions], ~rows.is_safe[positions])
    best: NDArray[np.int64] = positions[np.lexsort(ranks)]
    return best
