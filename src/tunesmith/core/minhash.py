"""The inner loops of `similarity`, compiled: shingle hashes, MinHash bands, buckets, exact Jaccard similarity.

In one file because the compiler's cache on disk notices no change in another. Indexes are unsigned where the compiler
could not see that they are not negative: from a negative one it would have to count from the end.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

SHINGLE = 5
"""Characters of a shingle: long enough that unrelated texts share few, short enough to survive a typing error."""
BINS = 128
"""MinHash values of a text; the seven top bits of a shingle's hash choose the bin."""
BIN_SHIFT = np.uint64(57)
EMPTY = np.uint64(0)
"""No hash of a shingle: marks empty bins and empty slots of tables."""
SPACE = np.uint32(32)
LETTER_A, LETTERS = np.uint32(65), np.uint32(26)
STRIDE = 32
"""Bytes looked at together: what a vector register holds."""
NOT_ASCII = np.uint8(0x80)
ONE, LOW_BYTE = np.uint64(1), np.uint64(0xFF)
LOW = np.uint64(0xFFFFFFFF)
NOBODY = np.uint32(0xFFFFFFFF)
"""No rank of a row: marks empty slots of tables of ranks."""
ODD = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
    ],
    dtype=np.uint64,
)
"""A random odd multiplier for each character of a shingle."""

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function as machine code, made at the first call and kept on disk; it runs beside other threads."""
    fast: Function = njit(nogil=True, cache=True)(function)
    return fast


@compiled
def _mix(value: np.uint64) -> np.uint64:
    """Spread evenly over 64 bits. Source: the finaliser of MurmurHash3, A. Appleby (2011)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


@compiled
def _characters(text: NDArray[np.uint8], codes: NDArray[np.uint32]) -> int:
    """Decode UTF-8 into code points, ASCII letters small, runs of white space as one space; returns how many."""
    count, position, end = 0, 0, len(text)
    previous = SPACE
    while position < end:
        stop = min(position + STRIDE, end) if position else 1
        if stop - position == STRIDE and _is_plain(text[position - 1 : stop]):
            _copy_plain(text[position:stop], codes[count : count + STRIDE])
            count, position, previous = count + STRIDE, stop, codes[count + STRIDE - 1]
        while position < stop:
            byte = np.uint32(text[position])
            if byte < 128:
                code, length = byte, 1
            elif byte < 224:
                code, length = byte & np.uint32(31), 2
            elif byte < 240:
                code, length = byte & np.uint32(15), 3
            else:
                code, length = byte & np.uint32(7), 4
            for more in range(1, length):
                code = (code << np.uint32(6)) | (np.uint32(text[position + more]) & np.uint32(63))
            position += length
            code = _small(code)
            # Written in any case, counted only if it stands: a branch would be guessed wrong at every other word.
            codes[count] = code
            count += (code != SPACE) | (previous != SPACE)
            previous = code
    return count - 1 if count and codes[count - 1] == SPACE else count


@compiled
def _small(code: np.uint32) -> np.uint32:
    """The code point as it is compared: white space as a space, an ASCII letter small."""
    return max(code, SPACE) + (np.uint32(code - LETTER_A < LETTERS) << np.uint32(5))


@compiled
def _is_plain(block: NDArray[np.uint8]) -> bool:
    """Whether every byte after the first is an ASCII character that stands: no white space behind white space."""
    odd = np.uint8(0)
    for place in range(1, STRIDE + 1):
        byte, previous = block[place], block[place - 1]
        odd |= (byte & NOT_ASCII) | (np.uint8(byte <= SPACE) & np.uint8(previous <= SPACE))
    return bool(odd == 0)


@compiled
def _copy_plain(block: NDArray[np.uint8], codes: NDArray[np.uint32]) -> None:
    for place in range(STRIDE):
        codes[place] = _small(np.uint32(block[place]))


@compiled
def _shingles(
    text: NDArray[np.uint8], codes: NDArray[np.uint32], hashes: NDArray[np.uint64]
) -> int:
    """Hash every shingle of a text; a text shorter than a shingle is one shingle. Returns how many."""
    count = _characters(text, codes)
    if count < SHINGLE:
        codes[count:SHINGLE] = 0
        count = SHINGLE
    total = count - SHINGLE + 1
    for start in range(total):
        hashed = np.uint64(0)
        for offset in range(SHINGLE):
            hashed += np.uint64(codes[start + offset]) * ODD[offset]
        # Never EMPTY.
        hashes[start] = _mix(hashed) | np.uint64(1 << 40)
    return total


@compiled
def signatures(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], found: NDArray[np.uint8]
) -> None:
    """Fill `found` with the signature of each text: a byte a bin, of two texts' the more equal the more similar.

    One permutation whose bins keep the low byte of their highest hash; an empty bin takes the byte of another that its
    number and the attempt choose. The last byte is the number of bins that were not empty.
    Sources: Li and Koenig (2010), b-Bit Minwise Hashing, WWW; Shrivastava (2017), Optimal Densification for Fast and
    Accurate Minwise Hashing, ICML.
    """
    codes, hashes, _ = _scratch(offsets, np.arange(len(offsets) - 1))
    highest = np.empty(BINS, dtype=np.uint64)
    empty = np.empty(BINS, dtype=np.uint64)
    for row in range(len(offsets) - 1):
        total = _shingles(data[offsets[row] : offsets[row + 1]], codes, hashes)
        highest[:] = EMPTY
        for hashed in hashes[:total]:
            chosen = hashed >> BIN_SHIFT
            highest[chosen] = max(highest[chosen], hashed)
        signature, missing = found[row], 0
        for place in range(BINS):
            signature[place] = np.uint8(highest[place] & LOW_BYTE)
            empty[missing] = place
            missing += highest[place] == EMPTY
        signature[BINS] = BINS - missing
        for place in empty[:missing]:
            source, attempt = place, np.uint64(0)
            while highest[source] == EMPTY:
                attempt += ONE
                source = _mix(place + attempt * ODD[0]) >> BIN_SHIFT
            signature[place] = signature[source]


@compiled
def band_keys(
    found: NDArray[np.uint8],
    ranks: NDArray[np.uint32],
    first: int,
    width: int,
    keys: NDArray[np.uint32],
) -> None:
    """Fill `keys` with hashes of bands: rows that share these bytes have the same.

    Args:
        found: Signatures.
        ranks: Of each of their rows, 0 for the best of all.
        first: The first byte of the first band.
        width: Bytes of a band.
        keys: A line a band, by rank; several bands at once, so that signatures are read once.
    """
    for row in range(len(found)):
        for band in range(len(keys)):
            start, key = first + band * width, np.uint64(0)
            for byte in found[row, start : start + width]:
                key = (key << np.uint64(8) | key >> np.uint64(56)) ^ np.uint64(byte)
            keys[band, ranks[row]] = _mix(key) >> np.uint64(32)


@compiled
def bucket_pairs(
    keys: NDArray[np.uint32],
    first: int,
    last: int,
    table: NDArray[np.uint32],
    latest: NDArray[np.uint32],
    pairs: NDArray[np.uint64],
) -> int:
    """Put ranks into buckets, fill `pairs` with those that share one, the better above, 32 bits each; returns how many.

    Every rank is paired with the best of its bucket and with the one before it. Not with all others: the pairs of a
    bucket would grow with the square of its size, and rows that are similar share many buckets.

    Args:
        keys: Of one band, as from `band_keys`.
        first: The first rank to put in, the one behind those of the call before.
        last: Where to stop.
        table: The best rank of each bucket, `NOBODY` in empty slots; a power of two long, and longer than `keys`.
        latest: By a bucket's best rank, the one that came last.
        pairs: Twice as long as there are ranks to put in.
    """
    count, mask = 0, np.uint32(len(table) - 1)
    for rank in range(np.uint64(first), np.uint64(last)):
        slot = keys[rank] & mask
        while table[slot] != NOBODY and keys[table[slot]] != keys[rank]:
            slot = (slot + ONE) & mask
        best = table[slot]
        if best == NOBODY:
            table[slot] = rank
            latest[rank] = rank
            continue
        pairs[count] = np.uint64(best) << np.uint64(32) | np.uint64(rank)
        count += 1
        if latest[best] != best:
            pairs[count] = np.uint64(latest[best]) << np.uint64(32) | np.uint64(rank)
            count += 1
        latest[best] = rank
    return count


@compiled
def look_similar(
    found: NDArray[np.uint8],
    pairs: NDArray[np.int32],
    limits: NDArray[np.int32],
    is_similar: NDArray[np.bool_],
) -> None:
    """Fill `is_similar` with whether enough bytes of a pair's signatures are equal to compare its texts.

    Args:
        found: Signatures.
        pairs: Rows, two a pair.
        limits: By the number of filled bins, how many bytes must be equal.
        is_similar: One a pair.
    """
    for index in range(len(pairs)):
        is_similar[index] = _looks_similar(found[pairs[index, 0]], found[pairs[index, 1]], limits)


@compiled
def look_alikes(
    found: NDArray[np.uint8],
    one: NDArray[np.uint8],
    limits: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> int:
    """Fill `rows` with those whose signatures look similar to `one`; returns how many."""
    count = 0
    for row in range(len(found)):
        if _looks_similar(found[row], one, limits):
            rows[count] = row
            count += 1
    return count


@compiled
def _looks_similar(
    one: NDArray[np.uint8], other: NDArray[np.uint8], limits: NDArray[np.int32]
) -> bool:
    equal = 0
    for place in range(BINS):
        equal += one[place] == other[place]
    return bool(equal >= limits[min(one[BINS], other[BINS])])


@compiled
def jaccard(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    pairs: NDArray[np.signedinteger],
    scores: NDArray[np.float32],
) -> None:
    """Fill `scores` with the share of all shingles of a pair that both of its texts have.

    Fast where pairs with the same first row follow one another, whose shingles are hashed once.

    Args:
        data: All texts' bytes.
        offsets: Where each text begins.
        pairs: Rows, two a pair.
        scores: One a pair.
    """
    codes, hashes, keys = _scratch(offsets, pairs.ravel())
    other_keys = np.full_like(keys, EMPTY)
    seen = np.zeros(len(keys), dtype=np.int64)
    slots = np.empty_like(hashes)
    previous, size, mask = -1, 0, ONE
    for index in range(len(pairs)):
        row, other = pairs[index]
        if row != previous:
            previous = row
            total = _shingles(data[offsets[row] : offsets[row + 1]], codes, hashes)
            mask = _mask(total)
            keys[: mask + ONE] = EMPTY
            size = _insert(hashes[:total], keys, mask, slots)
        total = _shingles(data[offsets[other] : offsets[other + 1]], codes, hashes)
        shared, strange = 0, 0
        for hashed in hashes[:total]:
            slot = _slot(hashed, keys, mask)
            if keys[slot] == EMPTY:
                hashes[strange] = hashed
                strange += 1
            else:
                shared += seen[slot] != index + 1
                seen[slot] = index + 1
        extra = _insert(hashes[:strange], other_keys, _mask(strange), slots)
        for slot in slots[:extra]:
            other_keys[slot] = EMPTY
        scores[index] = shared / (size + extra)


@compiled
def _insert(
    hashes: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    mask: np.uint64,
    slots: NDArray[np.uint64],
) -> int:
    """Put hashes into a table, and where the new ones went into `slots`; returns how many were new."""
    count = 0
    for hashed in hashes:
        slot = _slot(hashed, keys, mask)
        slots[count] = slot
        count += keys[slot] == EMPTY
        keys[slot] = hashed
    return count


@compiled
def _slot(hashed: np.uint64, keys: NDArray[np.uint64], mask: np.uint64) -> np.uint64:
    """Where in a table a hash is, or could be put."""
    slot = hashed & mask
    while keys[slot] != EMPTY and keys[slot] != hashed:
        slot = (slot + ONE) & mask
    return slot


@compiled
def _mask(total: int) -> np.uint64:
    """One less than a power of two that is at least four times `total`: a table this size has few clashes."""
    size = 16
    while size < 4 * total:
        size *= 2
    return np.uint64(size - 1)


@compiled
def _scratch(
    offsets: NDArray[np.int64], rows: NDArray[np.signedinteger]
) -> tuple[NDArray[np.uint32], NDArray[np.uint64], NDArray[np.uint64]]:
    """Arrays that hold the longest of these texts: code points, shingle hashes, a hash table."""
    longest = SHINGLE
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest + SHINGLE, dtype=np.uint32)
    hashes = np.empty(longest + SHINGLE, dtype=np.uint64)
    return codes, hashes, np.empty(_mask(longest) + ONE, dtype=np.uint64)


@compiled
def keep_best(
    pairs: NDArray[np.int32],
    scores: NDArray[np.float32],
    is_alive: NDArray[np.bool_],
    witness: NDArray[np.int32],
    similarity: NDArray[np.float32],
) -> None:
    """Walk rows from the best to the worst: a row that is similar to a kept one goes, and that one is its witness.

    Args:
        pairs: Ranks, the better one first, sorted by the second and then by falling similarity.
        scores: Of each pair.
        is_alive: Of each rank; cleared for those that go.
        witness: Filled with the rank of the kept row.
        similarity: Filled with the similarity to it.
    """
    for index in range(len(pairs)):
        better, worse = pairs[index]
        if is_alive[worse] and is_alive[better]:
            is_alive[worse] = False
            witness[worse], similarity[worse] = better, scores[index]
