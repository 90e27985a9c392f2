"""Vectors that nearly repeat a better one, found exactly without comparing every pair at full length."""

from typing import TYPE_CHECKING

from tunesmith.core.similarity import NearDuplicates
from tunesmith.curate.likeness.tiles import COLUMNS, in_threads, quiet_products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AXES = 64
"""Directions in which most of the vectors' length lies, and in which every pair is compared."""
SAMPLE = 20_000
"""Vectors, evenly spaced, that these directions are taken from."""
BLOCK = 1_024
"""Vectors compared with all that are kept before them, and then with one another."""
SLACK = 1e-4
"""More than rounding takes from a bound: some 384 products of 24 bits."""


def repeated(vectors: "NDArray[np.float32]", threshold: float) -> NearDuplicates:
    """What to leave out so that no two vectors of that cosine are left, each with the kept one most like it.

    Of two alike the first stays. A pair's cosine is at most the product of their parts along some directions plus the
    product of the lengths of what is left of either (Cauchy and Schwarz). Where that reaches the threshold, and only
    there, the cosine itself is computed: nothing is missed, and little is computed. Memory is that of the vectors
    and of `AXES` numbers a vector more, time grows with the square.

    Args:
        vectors: Rows of length 1, the best first.
        threshold: Cosine from which two are alike, above 0.
    """
    import numpy as np

    with quiet_products():
        found = _Repetitions(vectors, threshold)
        for first in range(0, len(vectors), BLOCK):
            found.add(slice(first, min(first + BLOCK, len(vectors))))
    gone = np.flatnonzero(found.witness >= 0)
    return NearDuplicates(gone, found.witness[gone], np.minimum(found.best[gone], 1))


class _Repetitions:
    """What is kept of the vectors looked at so far, and what the others repeat."""

    def __init__(self, vectors: "NDArray[np.float32]", threshold: float) -> None:
        import numpy as np

        count = len(vectors)
        self._vectors, self._threshold = vectors, threshold
        self._short = _shortened(vectors) if count > BLOCK else vectors[:, :0]
        """Of all vectors; once looked at, of the kept ones alone, at the front in one piece."""
        self._kept, self._size = np.empty(count, dtype=np.int64), 0
        below = np.nextafter(np.float32(threshold), np.float32(0))
        self.best = np.full(count, below, dtype=np.float32)
        """Highest cosine with a kept vector."""
        self.witness = np.full(count, -1, dtype=np.int64)
        """Which one that is; below 0 where none reaches the threshold."""

    def add(self, block: slice) -> None:
        """Look at the next vectors."""
        import numpy as np

        from tunesmith.curate.likeness import scanning

        places = np.arange(block.start, block.stop)
        among = np.empty((len(places), len(places)), dtype=np.float32)

        def search(first: int, last: int) -> None:
            among[first:last] = self._vectors[places[first:last]] @ self._vectors[block].T
            self._search(places[first:last])

        in_threads(search, len(places))
        scanning.settle(among, places, self._threshold, self.best[block], self.witness[block])
        stay = places[self.witness[block] < 0]
        end = self._size + len(stay)
        self._short[self._size : end] = self._short[stay]
        self._kept[self._size : end] = stay
        self._size = end

    def _search(self, places: "NDArray[np.int64]") -> None:
        """Compare consecutive vectors with all that are kept."""
        from tunesmith.curate.likeness import scanning

        mine = slice(places[0], places[-1] + 1)
        for first in range(0, self._size, COLUMNS):
            others = slice(first, min(first + COLUMNS, self._size))
            scanning.find_repeated(
                self._short[mine] @ self._short[others].T,
                self._vectors,
                places,
                self._kept[others],
                self.best[mine],
                self.witness[mine],
            )


def _shortened(vectors: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Vectors whose products are at least those of the given ones: main directions, and the length of the rest."""
    import numpy as np

    sample = vectors[:: max(1, len(vectors) // SAMPLE)]
    _, directions = np.linalg.eigh(sample.T @ sample)
    directions = directions[:, -AXES:]
    short = np.empty((len(vectors), directions.shape[1] + 1), dtype=np.float32)

    def shorten(first: int, last: int) -> None:
        main = vectors[first:last] @ directions
        rest = 1 - np.einsum("ij,ij->i", main, main)
        short[first:last, :-1] = main
        # The product of two such lengths is by SLACK, at least, higher than that of the true ones.
        short[first:last, -1] = np.sqrt(np.maximum(rest, 0) + SLACK)

    in_threads(shorten, len(vectors))
    return short
