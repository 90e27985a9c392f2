"""The nearest of every vector."""

from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.likeness.tiles import COLUMNS, in_threads, quiet_products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Nearest(NamedTuple):
    """For each vector some others, the nearest first: arrays of shape (vectors, some)."""

    places: "NDArray[np.int64]"
    cosines: "NDArray[np.float32]"


def nearest(
    vectors: "NDArray[np.float32]", count: int, *, among: "NDArray[np.float32] | None" = None
) -> Nearest:
    """The `count` nearest of `among`, or of the other vectors, for each vector; fewer where there are fewer.

    Every pair is compared, a tile at a time: memory is that of the result, time grows with the square.

    Args:
        vectors: Rows of length 1.
        count: How many.
        among: Rows of length 1; by default `vectors` themselves, of which none is its own neighbour.
    """
    import numpy as np

    from tunesmith.curate.likeness import scanning

    others = vectors if among is None else among
    count = min(count, len(others) - (among is None))
    places = np.full((len(vectors), count), -1, dtype=np.int64)
    cosines = np.full((len(vectors), count), -np.inf, dtype=np.float32)

    def search(first: int, last: int) -> None:
        mine = slice(first, last)
        own = first if among is None else -len(vectors)
        for start in range(0, len(others), COLUMNS):
            tile = vectors[mine] @ others[start : start + COLUMNS].T
            scanning.keep_nearest(tile, start, own, places[mine], cosines[mine])

    if count > 0:
        with quiet_products():
            in_threads(search, len(vectors))
    return Nearest(places, cosines)
