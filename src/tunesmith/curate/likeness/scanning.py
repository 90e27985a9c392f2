"""The inner loops of this package, compiled: they look through a tile of products while it is in a core's cache.

In one file because the compiler's cache on disk notices no change in another.
"""

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.minhash import compiled

STRIDE = 32
"""Products looked at together: hardly ever one of them is worth a second look, and their maximum says so."""


@compiled
def _highest(values: NDArray[np.float32]) -> np.float32:
    # Four maxima side by side: the compiler may not reorder one long chain of comparisons.
    a, b, c, d = values[0], values[1], values[2], values[3]
    for place in range(4, len(values) - 3, 4):
        a = values[place] if values[place] > a else a
        b = values[place + 1] if values[place + 1] > b else b
        c = values[place + 2] if values[place + 2] > c else c
        d = values[place + 3] if values[place + 3] > d else d
    a, c = (a if a > b else b), (c if c > d else d)
    return np.float32(max(a, c))


@compiled
def keep_nearest(
    tile: NDArray[np.float32],
    first_other: int,
    first_own: int,
    places: NDArray[np.int64],
    cosines: NDArray[np.float32],
) -> None:
    """Merge a tile into what is nearest so far, itself aside; of equal ones the first stays.

    Args:
        tile: Cosines of consecutive vectors, from `first_own` on, with consecutive ones from `first_other` on.
        first_other: Place of the tile's first column.
        first_own: Place of the tile's first row; far outside of all columns where the two sides are different vectors.
        places: For each row those nearest so far, the nearest first.
        cosines: Theirs.
    """
    last = places.shape[1] - 1
    for row in range(tile.shape[0]):
        own, best, where = first_own + row - first_other, cosines[row], places[row]
        for start in range(0, tile.shape[1], STRIDE):
            stop = min(start + STRIDE, tile.shape[1])
            if stop - start == STRIDE and not _highest(tile[row, start:stop]) > best[last]:
                continue
            for column in range(start, stop):
                cosine = tile[row, column]
                if cosine > best[last] and column != own:
                    slot = last
                    while slot > 0 and cosine > best[slot - 1]:
                        best[slot], where[slot] = best[slot - 1], where[slot - 1]
                        slot -= 1
                    best[slot], where[slot] = cosine, first_other + column


@compiled
def find_repeated(
    bounds: NDArray[np.float32],
    vectors: NDArray[np.float32],
    own: NDArray[np.int64],
    others: NDArray[np.int64],
    best: NDArray[np.float32],
    witness: NDArray[np.int64],
) -> None:
    """For each row the column most like it, if that is more than `best`; both are updated.

    Args:
        bounds: No cosine is higher than this.
        vectors: All vectors.
        own: Where each row's vector lies.
        others: Where each column's vector lies.
        best: Each row's highest cosine so far.
        witness: With which vector.
    """
    for row in range(bounds.shape[0]):
        vector = vectors[own[row]]
        for start in range(0, bounds.shape[1], STRIDE):
            stop = min(start + STRIDE, bounds.shape[1])
            if stop - start == STRIDE and _highest(bounds[row, start:stop]) <= best[row]:
                continue
            for column in range(start, stop):
                if bounds[row, column] > best[row]:
                    cosine = _product(vector, vectors[others[column]])
                    if cosine > best[row]:
                        best[row], witness[row] = cosine, others[column]


@compiled
def _product(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    sums = np.zeros(16, dtype=np.float32)
    whole = len(one) - len(one) % 16
    for start in range(0, whole, 16):
        for lane in range(16):
            sums[lane] += one[start + lane] * other[start + lane]
    total = sums.sum()
    for place in range(whole, len(one)):
        total += one[place] * other[place]
    return np.float32(total)


@compiled
def settle(
    cosines: NDArray[np.float32],
    places: NDArray[np.int64],
    threshold: float,
    best: NDArray[np.float32],
    witness: NDArray[np.int64],
) -> None:
    """Decide a block's rows one after another: an earlier row of it counts only if it is kept itself.

    Args:
        cosines: Of the block's vectors with one another.
        places: Where each of them lies.
        threshold: From which cosine a row repeats another one.
        best: Each row's highest cosine with what is kept before the block, in which the block's own are merged.
        witness: With which vector; below 0 where the row is kept.
    """
    for row in range(len(places)):
        for earlier in range(row):
            cosine = cosines[row, earlier]
            if witness[earlier] < 0 and cosine >= threshold and cosine > best[row]:
                best[row], witness[row] = cosine, places[earlier]
