"""The inner loops of `similarity`, compiled: shingle hashes, MinHash bands, buckets, exact Jaccard similarity."""

import numpy as np
from numba import njit

SHINGLE = 5
"""Characters of a shingle: long enough that unrelated texts share few, short enough to survive a typing error."""
BINS = 128
"""MinHash values of a text; the seven top bits of a shingle's hash choose the bin."""
BIN_SHIFT = np.uint64(57)
EMPTY = np.uint32(0xFFFFFFFF)
SPACE = np.uint32(32)
LETTER_A, LETTERS = np.uint32(65), np.uint32(26)
HIGH, LOW = np.uint64(0xFFFFFFFF00000000), np.uint64(0xFFFFFFFF)
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


@njit(nogil=True, cache=True)
def _mix(value):  # type: ignore[no-untyped-def]
    """Spread evenly over 64 bits. Source: the finaliser of MurmurHash3, A. Appleby (2011)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


@njit(nogil=True, cache=True)
def _characters(text, codes):  # type: ignore[no-untyped-def]
    """Decode UTF-8 into code points, ASCII letters small, runs of white space as one space; returns how many."""
    count, position, end = 0, 0, len(text)
    previous = SPACE
    while position < end:
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
        # Written in any case, counted only if it stands: a branch would be guessed wrong at every other word.
        code = max(code, SPACE) + (np.uint32(code - LETTER_A < LETTERS) << np.uint32(5))
        codes[count] = code
        count += (code != SPACE) | (previous != SPACE)
        previous = code
    return count - 1 if count and codes[count - 1] == SPACE else count


@njit(nogil=True, cache=True)
def _shingles(text, codes, hashes):  # type: ignore[no-untyped-def]
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
        # Never 0, which marks an empty slot of a table.
        hashes[start] = _mix(hashed) | np.uint64(1 << 40)
    return total


@njit(nogil=True, cache=True)
def signatures(data, offsets, found):  # type: ignore[no-untyped-def]
    """Fill `found` with the signature of each text: a byte a bin, of two texts' the more equal the more similar.

    One permutation whose bins keep the lowest eight bits of their lowest hash; an empty bin takes the byte of another
    that its number and the attempt choose. The last byte is the number of bins that were not empty.
    Sources: Li and Koenig (2010), b-Bit Minwise Hashing, WWW; Shrivastava (2017), Optimal Densification for Fast and
    Accurate Minwise Hashing, ICML.
    """
    codes, hashes, _ = _scratch(offsets, np.arange(len(offsets) - 1))
    lowest = np.empty(BINS, dtype=np.uint32)
    for row in range(len(offsets) - 1):
        total = _shingles(data[offsets[row] : offsets[row + 1]], codes, hashes)
        lowest[:] = EMPTY
        for index in range(total):
            chosen = np.int64(hashes[index] >> BIN_SHIFT)
            # Below EMPTY.
            value = np.uint32((hashes[index] >> np.uint64(16)) & np.uint64(0x7FFFFFFF))
            lowest[chosen] = min(lowest[chosen], value)
        filled = 0
        for place in range(BINS):
            source, attempt = np.int64(place), np.uint64(0)
            filled += lowest[place] != EMPTY
            while lowest[source] == EMPTY:
                attempt += np.uint64(1)
                source = np.int64(_mix(np.uint64(place) + attempt * ODD[0]) >> BIN_SHIFT)
            found[row, place] = np.uint8(lowest[source] & np.uint32(255))
        found[row, BINS] = filled


@njit(nogil=True, cache=True)
def band_keys(found, order, first, width, keys):  # type: ignore[no-untyped-def]
    """Fill `keys` with a hash of the bytes `first : first + width` above, and the rank of the row below, 32 bits each.

    Sorted, rows that share these bytes follow one another, the best first.

    Args:
        found: Signatures.
        order: Rows, the best first.
        first: Where the band begins.
        width: Bytes of a band.
        keys: One a row.
    """
    for rank in range(len(order)):
        row, key = order[rank], np.uint64(0)
        for place in range(first, first + width):
            key = (key << np.uint64(8) | key >> np.uint64(56)) ^ np.uint64(found[row, place])
        keys[rank] = (_mix(key) & HIGH) | np.uint64(rank)


@njit(nogil=True, cache=True)
def bucket_pairs(keys, pairs):  # type: ignore[no-untyped-def]
    """Fill `pairs` with the ranks of rows that share a bucket, the better above, 32 bits each; returns how many.

    Every row is paired with the best row of its bucket and with the one before it. Not with all others: the pairs of
    a bucket would grow with the square of its size, and rows that are similar share many buckets.

    Args:
        keys: As from `band_keys`, sorted.
        pairs: Twice as long as there are rows.
    """
    count, best = 0, 0
    for place in range(1, len(keys)):
        if (keys[place] ^ keys[best]) & HIGH:
            best = place
            continue
        rank = keys[place] & LOW
        pairs[count] = keys[best] << np.uint64(32) | rank
        count += 1
        if best != place - 1:
            pairs[count] = keys[place - 1] << np.uint64(32) | rank
            count += 1
    return count


@njit(nogil=True, cache=True)
def look_similar(found, pairs, limits, is_similar):  # type: ignore[no-untyped-def]
    """Fill `is_similar` with whether enough bytes of a pair's signatures are equal to compare its texts.

    Args:
        found: Signatures.
        pairs: Rows, two a pair.
        limits: By the number of filled bins, how many bytes must be equal.
        is_similar: One a pair.
    """
    for index in range(len(pairs)):
        is_similar[index] = _looks_similar(found[pairs[index, 0]], found[pairs[index, 1]], limits)


@njit(nogil=True, cache=True)
def look_alikes(found, one, limits, rows):  # type: ignore[no-untyped-def]
    """Fill `rows` with those whose signatures look similar to `one`; returns how many."""
    count = 0
    for row in range(len(found)):
        if _looks_similar(found[row], one, limits):
            rows[count] = row
            count += 1
    return count


@njit(nogil=True, cache=True)
def _looks_similar(one, other, limits):  # type: ignore[no-untyped-def]
    equal = 0
    for place in range(BINS):
        equal += one[place] == other[place]
    return equal >= limits[min(one[BINS], other[BINS])]


@njit(nogil=True, cache=True)
def jaccard(data, offsets, pairs, scores):  # type: ignore[no-untyped-def]
    """Fill `scores` with the share of all shingles of a pair that both of its texts have.

    Fast where pairs with the same first row follow one another, whose shingles are hashed once.

    Args:
        data: All texts' bytes.
        offsets: Where each text begins.
        pairs: Rows, two a pair.
        scores: One a pair.
    """
    codes, hashes, keys = _scratch(offsets, pairs.ravel())
    other_keys = np.empty_like(keys)
    seen = np.zeros(len(keys), dtype=np.int32)
    previous, size, mask = -1, 0, 0
    for index in range(len(pairs)):
        row, other = pairs[index]
        if row != previous:
            previous = row
            total = _shingles(data[offsets[row] : offsets[row + 1]], codes, hashes)
            mask, size = _mask(total), 0
            keys[: mask + 1] = 0
            for place in range(total):
                size += _insert(hashes[place], keys, mask)
        total = _shingles(data[offsets[other] : offsets[other + 1]], codes, hashes)
        other_mask = _mask(total)
        other_keys[: other_mask + 1] = 0
        shared, extra = 0, 0
        for place in range(total):
            hashed = hashes[place]
            slot = np.int64(hashed & np.uint64(mask))
            while keys[slot] and keys[slot] != hashed:
                slot = (slot + 1) & mask
            if not keys[slot]:
                extra += _insert(hashed, other_keys, other_mask)
            elif seen[slot] != index + 1:
                seen[slot] = index + 1
                shared += 1
        scores[index] = shared / (size + extra)


@njit(nogil=True, cache=True)
def _scratch(offsets, rows):  # type: ignore[no-untyped-def]
    """Arrays that hold the longest of these texts: code points, shingle hashes, a hash table."""
    longest = SHINGLE
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes = np.empty(longest + SHINGLE, dtype=np.uint32)
    hashes = np.empty(longest + SHINGLE, dtype=np.uint64)
    return codes, hashes, np.empty(_mask(longest) + 1, dtype=np.uint64)


@njit(nogil=True, cache=True)
def _mask(total):  # type: ignore[no-untyped-def]
    """One less than a power of two that is at least four times `total`: a table this size has few clashes."""
    size = 16
    while size < 4 * total:
        size *= 2
    return size - 1


@njit(nogil=True, cache=True)
def _insert(hashed, keys, mask):  # type: ignore[no-untyped-def]
    """Put a hash into a table whose empty slots are 0; returns whether it was new."""
    slot = np.int64(hashed & np.uint64(mask))
    while keys[slot] and keys[slot] != hashed:
        slot = (slot + 1) & mask
    is_new = keys[slot] == 0
    keys[slot] = hashed
    return is_new


@njit(nogil=True, cache=True)
def keep_best(pairs, scores, is_alive, witness, similarity):  # type: ignore[no-untyped-def]
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
