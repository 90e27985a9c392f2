"""Which of several rows that say the same is kept."""

from typing import TYPE_CHECKING

from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_CHARACTERS = 2**40
"""More than any row has."""


def ranking(rows: Rows, positions: "NDArray[np.int64]", *, longest: bool) -> "NDArray[np.int64]":
    """Places in these ascending positions, that of the best row first.

    What a person wants kept comes before experts' rows, these before others; then, where `longest`, the longer row,
    which has lost least; then the one that was read first.
    """
    import numpy as np

    # One number a row, the smaller the better; the stable sort leaves equals in reading order.
    rank = 2 * ~rows.is_safe[positions] + ~rows.is_expert(positions) * np.int64(1)
    rank *= MOST_CHARACTERS
    if longest:
        rank -= rows.columns.values("characters")[positions]
    return np.argsort(rank, kind="stable")
