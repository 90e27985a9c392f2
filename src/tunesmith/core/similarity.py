"""Which texts are nearly the same: MinHash finds candidates, their true Jaccard similarity decides."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSED_SHARE = 2e-3
"""Share of pairs exactly at the threshold that may share no band; a little above it hardly any is missed."""
SIGNATURE_BYTES = 129
"""A byte for each of 128 bins, and how many of these a shingle fell into."""
SURE_DEVIATIONS = 4.0
"""A pair is not compared if its signature's estimate lies this many standard deviations below the threshold."""
TEXTS_AT_ONCE = 512
"""Texts that are folded and hashed together: so few that they stay in a core's cache, and that the memory they take is
used again; larger pieces go back to the operating system each time, and new ones cost more than the hashing."""
PAIRS_AT_ONCE = 256
"""Pairs whose texts are folded together where all texts are in memory: twice as many texts."""
PAIRS_FETCHED = 4_096
"""Pairs whose texts are fetched together where they have to be read; 4 MB for texts of 500 characters."""
PAIRS_LOOKED_AT = 16_384
"""Pairs whose signatures are compared together."""
BANDS_AT_ONCE = 4
"""Bands whose keys are computed together: each signature is read once for all of them."""
KEYS_AT_ONCE = 1 << 20
"""Keys that a thread holds; of more texts than a quarter of this the keys of fewer bands are computed together."""
ROWS_AT_ONCE = 8_192
"""Signatures that are read together: 1 MB, which stays in a core's cache."""


class Texts(NamedTuple):
    """Many texts in one array of bytes, case and compatibility forms unified; text i begins at `offsets[i]`."""

    data: "NDArray[np.uint8]"
    offsets: "NDArray[np.int64]"

    def __len__(self) -> int:
        """How many texts."""
        return len(self.offsets) - 1


class Signatures(Protocol):
    """Rows of `SIGNATURE_BYTES` bytes that need not be in memory; an array of them is one of these."""

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, where: "slice | NDArray[np.signedinteger]") -> "NDArray[np.uint8]":
        """Those of a range, or at these ascending positions."""


Fetch = Callable[["NDArray[np.int64]"], Texts]
"""Called with ascending positions, gives these texts in this order."""


class NearDuplicates(NamedTuple):
    """Texts that nearly say what a better one says, as arrays of the same length."""

    positions: "NDArray[np.int64]"
    witnesses: "NDArray[np.int64]"
    """For each the kept text that it repeats."""
    similarities: "NDArray[np.float32]"
    """True Jaccard similarity of their shingles, never below the threshold."""


def near_duplicates(
    texts: Sequence[str], threshold: float, *, order: "NDArray[np.int64] | None" = None
) -> NearDuplicates:
    """All texts to leave out so that no two similar ones are left, each with the kept text that it repeats.

    Args:
        texts: Case, white space and compatibility forms make no difference.
        threshold: Jaccard similarity of the sets of five-character shingles, above 0 and at most 1.
        order: Positions of all texts, the best first: of two similar ones the better is kept. By default the first.
    """
    pairs = candidate_pairs(signatures(texts), threshold, order=order)
    scores = similarities(
        pairs, lambda positions: fold(texts[i] for i in positions.tolist()), at_once=PAIRS_AT_ONCE
    )
    is_near = scores >= threshold
    return leave_out(len(texts), pairs[is_near], scores[is_near], order=order)


def band_width(threshold: float) -> int:
    """The most bytes a band can have so that hardly a pair at the threshold is missed.

    A pair of similarity s shares a band of r bytes with probability s^r, or a little more.
    Source: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets (3rd edition), 3.4.
    """
    from tunesmith.core.minhash import BINS

    widths = range(BINS, 1, -1)
    good = (r for r in widths if (1 - threshold**r) ** (BINS // r) <= MISSED_SHARE)
    return next(good, 1)


def fold(texts: Iterable[str]) -> Texts:
    """Texts in the form in which they are compared; control characters count as spaces."""
    import numpy as np

    blocks = list(fold_blocks(texts))
    data = np.concatenate([np.empty(0, dtype=np.uint8), *(block.data for block in blocks)])
    sizes = [np.diff(block.offsets) for block in blocks]
    return Texts(data, np.cumsum(np.concatenate([[0], *sizes]), dtype=np.int64))


def fold_blocks(texts: Iterable[str]) -> Iterator[Texts]:
    """The same a block at a time, for more texts than fit into memory."""
    remaining = iter(texts)
    while block := list(islice(remaining, TEXTS_AT_ONCE)):
        yield _fold_block(block)


def _fold_block(parts: Sequence[str]) -> Texts:
    """The texts; few enough to stay in a core's cache from one form to the next."""
    import numpy as np

    joined = "".join(parts)
    if joined.isascii():
        # ASCII letters are made small where texts are cut into characters.
        content, sizes = joined.encode(), map(len, parts)
    else:
        folded = [_fold_one(part) for part in parts]
        content, sizes = b"".join(folded), map(len, folded)
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, dtype=np.int64, count=len(parts)), out=offsets[1:])
    return Texts(np.frombuffer(content, dtype=np.uint8), offsets)


def _fold_one(text: str) -> bytes:
    import unicodedata

    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
    return text.encode("utf-8", errors="replace")


def signatures(texts: Sequence[str]) -> "NDArray[np.uint8]":
    """One row a text; the share of equal bytes in two rows estimates the similarity of their texts."""
    import numpy as np

    from tunesmith.core import minhash

    found = np.empty((len(texts), SIGNATURE_BYTES), dtype=np.uint8)

    def fill(first: int, last: int) -> None:
        block = _fold_block(texts[first:last])
        minhash.signatures(block.data, block.offsets, found[first:last])

    _in_threads(fill, len(texts), TEXTS_AT_ONCE)
    return found


def candidate_pairs(
    found: "NDArray[np.uint8] | Signatures",
    threshold: float,
    *,
    order: "NDArray[np.int64] | None" = None,
) -> "NDArray[np.int32]":
    """Pairs of texts worth comparing, the better text first, no pair twice, sorted.

    Where signatures are not in memory, what is held is 4 bytes a text, at most 24 more for each thread, and the pairs.

    Args:
        found: Signatures.
        threshold: Pairs below it are of no interest.
        order: Positions of all texts, the best first.
    """
    import numpy as np

    from tunesmith.core import minhash

    count, width = len(found), band_width(threshold)
    ranks = np.arange(count, dtype=np.uint32)
    if order is not None:
        ranks[order] = np.arange(count, dtype=np.uint32)
    every = np.empty(0, dtype=np.uint64)
    alone = Lock()

    def search(first: int, last: int) -> None:
        keys = np.empty((last - first, count), dtype=np.uint32)
        for start in range(0, count, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            minhash.band_keys(found[part], ranks[part], first * width, width, keys)
        more = _distinct(part for band in keys for part in _bucket_pairs(band))
        nonlocal every
        with alone:
            every = _distinct([every, more])

    bands = min(BANDS_AT_ONCE, max(1, KEYS_AT_ONCE // max(1, count)))
    _in_threads(search, minhash.BINS // width, bands)
    pairs = np.stack([every >> np.uint64(32), every & minhash.LOW], axis=1).astype(np.int32)
    if order is not None:
        pairs = order[pairs].astype(np.int32)
    return pairs[_look_similar(found, pairs, threshold)]


def _bucket_pairs(keys: "NDArray[np.uint32]") -> "Iterator[NDArray[np.uint64]]":
    """Pairs of ranks that have the same key, a part at a time."""
    import numpy as np

    from tunesmith.core import minhash

    table = np.full(1 << (2 * len(keys)).bit_length(), minhash.NOBODY)
    latest, room = np.empty_like(keys), np.empty(2 * ROWS_AT_ONCE, dtype=np.uint64)
    for first in range(0, len(keys), ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, len(keys))
        yield room[: minhash.bucket_pairs(keys, first, last, table, latest, room)].copy()


def _distinct(parts: "Iterable[NDArray[np.uint64]]") -> "NDArray[np.uint64]":
    """All values of these arrays once, sorted. Takes a tenth of the time of `np.unique`, which hashes."""
    import numpy as np

    values = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
    values.sort(kind="stable")
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    return values[is_first]


def _look_similar(
    found: "NDArray[np.uint8] | Signatures", pairs: "NDArray[np.int32]", threshold: float
) -> "NDArray[np.bool_]":
    """Which pairs' signatures are so similar that their texts must be compared."""
    import numpy as np

    from tunesmith.core import minhash

    is_similar, limits = np.empty(len(pairs), dtype=bool), _limits(threshold)

    def look(first: int, last: int) -> None:
        part = slice(first, last)
        if isinstance(found, np.ndarray):
            minhash.look_similar(found, pairs[part], limits, is_similar[part])
            return
        rows, local = np.unique(pairs[part], return_inverse=True)
        some = local.reshape(-1, 2).astype(np.int32)
        minhash.look_similar(found[rows], some, limits, is_similar[part])

    _in_threads(look, len(pairs), PAIRS_LOOKED_AT)
    return is_similar


def look_alikes(
    found: "NDArray[np.uint8] | Signatures", others: "NDArray[np.uint8]", threshold: float
) -> "NDArray[np.int32]":
    """All pairs of a text of `found` and one of `others` worth comparing, by the latter; every pair is looked at.

    Where nothing may be missed and `others` are few: the time is that of 10 ns a pair.
    """
    import numpy as np

    from tunesmith.core import minhash

    limits = _limits(threshold)
    pairs: list[NDArray[np.int32]] = [np.empty((0, 2), dtype=np.int32)]

    def search(first: int, last: int) -> None:
        some, room = found[first:last], np.empty(last - first, dtype=np.int32)
        for other in range(len(others)):
            alike = room[: minhash.look_alikes(some, others[other], limits, room)]
            if len(alike):
                pairs.append(np.stack([alike + first, np.full_like(alike, other)], axis=1))

    _in_threads(search, len(found), ROWS_AT_ONCE)
    every = np.concatenate(pairs)
    return every[np.lexsort(every.T)]


def _limits(threshold: float) -> "NDArray[np.int32]":
    """By the number of filled bins, how many bytes are equal in all but some in 30,000 pairs at the threshold."""
    import numpy as np

    filled = np.maximum(np.arange(SIGNATURE_BYTES), 1)
    deviation = np.sqrt(threshold * (1 - threshold) / filled)
    limits = np.floor((threshold - SURE_DEVIATIONS * deviation) * (SIGNATURE_BYTES - 1))
    return limits.astype(np.int32)


def similarities(
    pairs: "NDArray[np.int32]", fetch: Fetch, *, at_once: int = PAIRS_FETCHED
) -> "NDArray[np.float32]":
    """Jaccard similarity of the sets of shingles of each pair; exact but for clashes of 64-bit hashes.

    Args:
        pairs: Positions of texts; sorted by the first of them it is fastest.
        fetch: Gives the texts; called with some of the positions at a time, from several threads.
        at_once: Pairs whose texts are fetched together.
    """
    import numpy as np

    from tunesmith.core import minhash

    scores = np.empty(len(pairs), dtype=np.float32)

    def compare(first: int, last: int) -> None:
        positions, local = np.unique(pairs[first:last], return_inverse=True)
        texts = fetch(positions.astype(np.int64))
        local = local.reshape(-1, 2).astype(np.int32)
        minhash.jaccard(texts.data, texts.offsets, local, scores[first:last])

    _in_threads(compare, len(pairs), at_once)
    return scores


def leave_out(
    count: int,
    pairs: "NDArray[np.int32]",
    scores: "NDArray[np.float32]",
    *,
    order: "NDArray[np.int64] | None" = None,
) -> NearDuplicates:
    """What to leave out of `count` texts so that of no pair both are kept; the better one stays."""
    import numpy as np

    from tunesmith.core import minhash

    order = np.arange(count) if order is None else order
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    ranks = np.sort(rank[pairs], axis=1)
    by_worse = np.lexsort((ranks[:, 0], -scores, ranks[:, 1]))
    is_kept, witness = np.ones(count, dtype=bool), np.full(count, -1, dtype=np.int32)
    similarity = np.zeros(count, dtype=np.float32)
    minhash.keep_best(ranks[by_worse], scores[by_worse], is_kept, witness, similarity)
    out = np.flatnonzero(~is_kept)
    positions = order[out]
    reading_order = np.argsort(positions)
    out = out[reading_order]
    return NearDuplicates(positions[reading_order], order[witness[out]], similarity[out])


def _in_threads(work: Callable[[int, int], None], count: int, step: int) -> None:
    """Call `work(first, last)` for all of `range(count)` in steps, on all cores; compiled code runs side by side."""
    ranges = [(first, min(first + step, count)) for first in range(0, count, step)]
    if len(ranges) < 2:
        for part in ranges:
            work(*part)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda part: work(*part), ranges))
