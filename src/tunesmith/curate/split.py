"""Which side of a split a row belongs to: rows that belong together move together, and a hash decides for them."""

from typing import TYPE_CHECKING

from tunesmith.curate.prompt_keys import hash64
from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def unit_shares(
    rows: Rows, positions: "NDArray[np.int64]", *, purpose: str, seed: int
) -> "NDArray[np.float64]":
    """For each of these rows a number in [0, 1), the same for all rows that must stay together.

    Rows stay together that share an opening question or a group, directly or through others. The number depends on
    the smallest hash among these, on purpose and on seed alone, so that adding rows moves no other.
    """
    import numpy as np

    unit = units(rows, positions)
    links = rows.lists("links")
    smallest = np.minimum.reduceat(links.values, links.offsets[:-1][positions])
    by_unit = np.full(unit.max(initial=-1) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(by_unit, unit, smallest)
    mixed = _mix(by_unit ^ np.uint64(hash64(f"{purpose}\x1f{seed}")))
    shares: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64)[unit] / 2**53
    return shares


def held_out(
    rows: Rows, positions: "NDArray[np.int64]", *, purpose: str, share: float, seed: int
) -> "NDArray[np.int64]":
    """Those of these rows that are held out for `purpose`; `share` of every stratum where rows have strata."""
    import numpy as np

    shares = unit_shares(rows, positions, purpose=purpose, seed=seed)
    strata = rows.stratum[positions]
    limit = np.full(len(positions), share)
    if len(np.unique(strata)) > 1:
        order = np.lexsort((shares, strata))
        _, start, size = np.unique(strata[order], return_index=True, return_counts=True)
        wanted = np.round(size * share).astype(np.int64)
        boundary = np.where(
            wanted < size, shares[order][np.minimum(start + wanted, start + size - 1)], 1.0
        )
        limit[order] = np.repeat(boundary, size)
    # A whole unit has one number, so that it falls on one side of the limit of its stratum.
    found: NDArray[np.int64] = positions[shares < limit]
    return found


def units(rows: Rows, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """For each of these rows the number of its unit: the rows that are linked to it, directly or through others."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = rows.lists("links")
    owners = links.owners()
    mine = np.isin(owners, positions)
    row = np.searchsorted(positions, owners[mine])
    _, link = np.unique(links.values[mine], return_inverse=True)
    count = len(positions) + link.max(initial=-1) + 1
    bonds = rows.bonds[np.isin(rows.bonds, positions).all(axis=1)]
    one, other = np.searchsorted(positions, bonds).T
    ends = np.concatenate([row, one]), np.concatenate([len(positions) + link, other])
    graph = coo_array((np.ones(len(ends[0]), dtype=bool), ends), (count, count))
    found: NDArray[np.int64] = connected_components(graph, directed=False)[1][: len(positions)]
    return found


def _mix(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Spread evenly. Source: the finaliser of SplitMix64, Steele et al. (2014), OOPSLA, 453-472."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
