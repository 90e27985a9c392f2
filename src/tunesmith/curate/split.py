"""Which side of a split a row belongs to: rows that belong together move together, and a hash decides for them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.hashes import is_among, repeated_ones
from tunesmith.curate.prompt_keys import hash64
from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Linked(NamedTuple):
    """Rows that belong together with others, as arrays of the same length."""

    places: "NDArray[np.int32]"
    unit: "NDArray[np.int32]"
    """Equal for rows that must stay together."""


def unit_shares(
    rows: Rows, positions: "NDArray[np.int64]", *, purpose: str, seed: int
) -> "NDArray[np.float64]":
    """For each of these rows a number in [0, 1), the same for all rows that must stay together.

    Rows stay together that share an opening question or a group, directly or through others. The number depends on
    the smallest hash among these, on purpose and on seed alone, so that adding rows moves no other.
    """
    import numpy as np

    smallest = np.full(len(positions), np.iinfo(np.uint64).max, dtype=np.uint64)
    for places, links in _links(rows, positions):
        np.minimum.at(smallest, places, links)
    linked = _linked(rows, positions)
    by_unit = np.full(linked.unit.max(initial=-1) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(by_unit, linked.unit, smallest[linked.places])
    smallest[linked.places] = by_unit[linked.unit]
    mixed = _mix(smallest ^ np.uint64(hash64(f"{purpose}\x1f{seed}")))
    shares: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / 2**53
    return shares


def held_out(
    rows: Rows, positions: "NDArray[np.int64]", *, purpose: str, share: float, seed: int
) -> "NDArray[np.int64]":
    """Those of these rows that are held out for `purpose`; `share` of every stratum where rows have strata."""
    import numpy as np

    shares = unit_shares(rows, positions, purpose=purpose, seed=seed)
    strata = rows.columns.values("stratum")[positions]
    if len(strata) and (strata != strata[0]).any():
        strata = _by_unit(strata, shares)
        limit = np.full(len(positions), share)
        order = np.lexsort((shares, strata))
        _, start, size = np.unique(strata[order], return_index=True, return_counts=True)
        wanted = np.round(size * share).astype(np.int64)
        boundary = np.where(
            wanted < size, shares[order][np.minimum(start + wanted, start + size - 1)], 1.0
        )
        limit[order] = np.repeat(boundary, size)
        is_held_out = shares < limit
    else:
        is_held_out = shares < share
    # A whole unit has one number and one stratum, so that it falls on one side of the limit.
    return positions[is_held_out]


def _by_unit(
    strata: "NDArray[np.uint64]", shares: "NDArray[np.float64]"
) -> "NDArray[np.signedinteger]":
    """For each row a number for the stratum that most rows of its unit are in; a unit's rows have one share."""
    import numpy as np

    names, stratum = np.unique(strata, return_inverse=True)
    units, unit = np.unique(shares, return_inverse=True)
    pairs, counts = np.unique(unit * len(names) + stratum, return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // len(names)))
    first = np.searchsorted(pairs[order] // len(names), np.arange(len(units)))
    commonest: NDArray[np.signedinteger] = (pairs[order] % len(names))[first]
    return commonest[unit]


def _links(
    rows: Rows, positions: "NDArray[np.int64]"
) -> "Iterator[tuple[NDArray[np.int32], NDArray[np.uint64]]]":
    """The links of these rows, some at a time, each with its row's place in `positions`."""
    import numpy as np

    place = np.full(len(rows), -1, dtype=np.int32)
    place[positions] = np.arange(len(positions), dtype=np.int32)
    for owners, links in rows.columns.lists("links").blocks():
        places = place[owners]
        yield places[places >= 0], links[places >= 0]


def _linked(rows: Rows, positions: "NDArray[np.int64]") -> Linked:
    """These rows' units, as far as others belong to them: directly or through others."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    none = np.empty(0, dtype=np.uint64)
    shared = repeated_ones(np.concatenate([none, *(links for _, links in _links(rows, positions))]))
    bonds = rows.bonds[np.isin(rows.bonds, positions).all(axis=1)]
    ends, others = [np.searchsorted(positions, end).astype(np.int32) for end in bonds.T]
    by_row, by_link = [ends], [others]
    for places, links in _links(rows, positions):
        is_shared = is_among(links, shared)
        by_row.append(places[is_shared])
        # Shared links are numbered behind the rows, so that one graph holds both.
        by_link.append(np.searchsorted(shared, links[is_shared]).astype(np.int32) + len(positions))
    involved, nodes = np.unique(np.concatenate([*by_row, *by_link]), return_inverse=True)
    edges = nodes.reshape(2, -1)
    graph = coo_array((np.ones(edges.shape[1], dtype=bool), tuple(edges)), (len(involved),) * 2)
    unit = connected_components(graph, directed=False)[1]
    is_row = involved < len(positions)
    return Linked(involved[is_row], unit[is_row])


def _mix(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Spread evenly. Source: the finaliser of SplitMix64, Steele et al. (2014), OOPSLA, 453-472."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
