"""Many 64-bit hashes at a time: which occur more than once, which are among others."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def repeated_ones(hashes: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """The hashes that occur more than once, each once, sorted; `hashes` themselves are sorted, to copy nothing."""
    import numpy as np

    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def is_among(hashes: "NDArray[np.uint64]", others: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    """Which of the hashes are among these others, which are sorted. `numpy.isin` takes six times the memory."""
    import numpy as np

    if not len(others):
        return np.zeros(len(hashes), dtype=bool)
    place = np.searchsorted(others, hashes)
    place[place == len(others)] = 0
    found: NDArray[np.bool_] = others[place] == hashes
    return found
