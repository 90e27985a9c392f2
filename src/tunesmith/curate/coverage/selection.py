"""Which few examples stand best for all: facility location, and how much more each further one adds."""

import heapq
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.likeness.neighbours import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 64
"""Nearest points that an example can stand for; memory is this many floats a point."""


class Selection(NamedTuple):
    """Points in the order in which they were chosen."""

    order: list[int]
    coverage: list[float]
    """After each choice, the mean similarity of all points to the nearest chosen one; never falls."""


def facility_location(points: "NDArray[np.float32]", count: int) -> Selection:
    """Up to `count` points that stand for all points best: greedy, within 1 - 1/e of the optimum.

    Similarities below 0, and those to points beyond the 64 nearest, count as 0.

    Args:
        points: (points, dimensions), rows of length 1.
        count: How many to choose.

    Source: Mirzasoleiman et al. (2013), NeurIPS 26; lazy evaluation by Minoux (1978).
    """
    import numpy as np

    neighbours, similarity = _nearest(points)
    best = np.zeros(len(points), dtype=np.float32)
    gains = np.bincount(neighbours.ravel(), similarity.ravel(), len(points))
    who, how_near = _reversed(neighbours, similarity, len(points))
    queue = [(-gain, point) for point, gain in enumerate(gains.tolist())]
    heapq.heapify(queue)
    order: list[int] = []
    coverage: list[float] = []
    total = 0.0
    while queue and len(order) < count:
        stale, point = heapq.heappop(queue)
        better = np.maximum(how_near[point] - best[who[point]], 0)
        gain = float(better.sum())
        # A gain only ever falls, so the first one that is still the largest is the largest of all.
        if queue and gain < -queue[0][0] - 1e-9 and gain < -stale - 1e-9:
            heapq.heappush(queue, (-gain, point))
            continue
        best[who[point]] += better
        total += gain
        order.append(point)
        coverage.append(total / len(points))
    return Selection(order, coverage)


def needed_for(selection: Selection, share: float) -> int:
    """How many of the chosen reach `share` of the coverage that all of them together have."""
    if not selection.coverage:
        return 0
    target = share * selection.coverage[-1]
    return next(
        number for number, value in enumerate(selection.coverage, 1) if value >= target - 1e-9
    )


def _nearest(
    points: "NDArray[np.float32]",
) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """The point itself, and the nearest others."""
    import numpy as np

    found = nearest(points, NEIGHBOURS - 1)
    own = np.arange(len(points))[:, None]
    neighbours = np.concatenate([own, found.places], axis=1)
    itself = np.einsum("ij,ij->i", points, points)[:, None]
    similarity = np.concatenate([itself, found.cosines], axis=1)
    return neighbours, np.maximum(similarity, 0).astype(np.float32)


def _reversed(
    neighbours: "NDArray[np.int64]", similarity: "NDArray[np.float32]", count: int
) -> "tuple[list[NDArray[np.int64]], list[NDArray[np.float32]]]":
    """For each point, who has it among the nearest and how near it is to them."""
    import numpy as np

    order = np.argsort(neighbours.ravel(), kind="stable")
    borders = np.cumsum(np.bincount(neighbours.ravel(), minlength=count))[:-1]
    who = np.split(order // neighbours.shape[1], borders)
    return who, np.split(similarity.ravel()[order], borders)
