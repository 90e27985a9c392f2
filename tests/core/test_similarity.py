"""Near-duplicates: compiled code against plain Python sets, and against comparing every pair."""

import random
import re
import unicodedata
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tunesmith.core.similarity import (
    band_width,
    candidate_pairs,
    fold,
    near_duplicates,
    signatures,
    similarities,
)


def plain(text: str) -> str:
    """The definition, in plain Python."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub("[\0-\x20]+", " ", folded).strip(" ")


def shingles(text: str) -> set[str]:
    """The definition, in plain Python."""
    padded = plain(text).ljust(5, "\0")
    return {padded[start : start + 5] for start in range(len(padded) - 4)}


def similarity(one: str, other: str) -> float:
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def measured(one: str, other: str) -> float:
    return float(similarities(np.array([[0, 1]], dtype=np.int32), lambda _: fold([one, other]))[0])


TEXT = some.text(some.characters(codec="utf-8"), max_size=60) | some.text("ab \n", max_size=60)
# Compiled code takes 32 plain bytes in one step: what is not plain falls before, into, behind and across such steps.
PIECE = some.sampled_from(
    ["Twelve words", " ", "\n\n ", "é", "語", "\U0001f600", "\0", "ǅ", "ﬁ", "A" * 31]
)
LONG_TEXT = some.lists(PIECE, max_size=20).map("".join)


@settings(max_examples=200, deadline=None)
@given(one=TEXT | LONG_TEXT, other=TEXT | LONG_TEXT)
def test_similarity_is_the_jaccard_index_of_shingle_sets_in_any_script(one, other):
    assert measured(one, other) == pytest.approx(similarity(one, other))
    assert measured(one, plain(one)) == pytest.approx(similarity(one, plain(one)))


def test_white_space_is_one_space_wherever_it_stands():
    letters = "".join(chr(ord("a") + n * n % 26) for n in range(100))

    for place in range(1, 70):
        before, after = letters[:place], letters[place:]
        assert measured(f"{before} {after}", f"{before} \n{after}") == 1.0


def test_similarity_of_a_pair_worked_by_hand():
    # abcde bcdef | abcde bcdeX: one shared of three.
    assert measured("abcdef", "ABCDEX") == pytest.approx(1 / 3)


def edited(text: str, rng: random.Random) -> str:
    words = text.split()
    words[rng.randrange(len(words))] += rng.choice("xyz")
    return " ".join(words)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """300 sentences of few words, so that many are a little similar, and 100 edits of them."""
    rng = random.Random(0)  # noqa: S311 - repeatable texts
    words = ["".join(rng.choices("etaoinshr", k=rng.randint(2, 8))) for _ in range(150)]
    first = [" ".join(rng.choices(words, k=rng.randint(3, 60))) for _ in range(300)]
    return first + [edited(rng.choice(first), rng) for _ in range(100)]


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
def test_no_similar_pair_is_left_and_every_witness_is_kept_and_similar(texts, threshold):
    order = np.argsort([-len(text) for text in texts], kind="stable")

    found = near_duplicates(texts, threshold, order=order)

    gone = set(found.positions.tolist())
    rank = {position: place for place, position in enumerate(order.tolist())}
    for position, witness, score in zip(*map(np.ndarray.tolist, found), strict=True):
        assert witness not in gone
        assert rank[witness] < rank[position]
        assert threshold <= score == pytest.approx(similarity(texts[position], texts[witness]))
    similar = [
        pair
        for pair in combinations(range(len(texts)), 2)
        if similarity(texts[pair[0]], texts[pair[1]]) >= threshold
    ]
    assert len(similar) >= 30
    assert [pair for pair in similar if not gone & set(pair)] == []


def test_the_share_of_equal_bytes_estimates_the_similarity(texts):
    found = signatures(texts)

    pairs = [
        (n, m) for n, m in combinations(range(0, 400, 7), 2) if len(texts[n]) > 200 < len(texts[m])
    ]
    errors = [
        (found[n, :128] == found[m, :128]).mean() - similarity(texts[n], texts[m]) for n, m in pairs
    ]

    # 128 samples of a share deviate by at most sqrt(0.25 / 128) = 0.044 each; the mean of many hardly.
    assert len(errors) > 300
    assert abs(np.mean(errors)) < 0.01
    assert np.sqrt(np.mean(np.square(errors))) < 0.05


def test_rows_of_a_bucket_are_paired_with_its_best_and_with_the_one_before_wherever_they_stand():
    """10,000 rows, more than are put into buckets at a time, a third of them copies with a few bytes changed."""
    rng = np.random.default_rng(0)
    found = rng.integers(0, 256, (10_000, 129), dtype=np.uint8)
    found[:, 128] = 128
    copies = rng.choice(10_000, 3_000, replace=False)
    found[copies] = found[rng.choice(copies[:900], 3_000)]
    for changed in range(6):
        found[copies, rng.integers(0, 128, 3_000)] = changed
    order = rng.permutation(10_000)

    pairs = candidate_pairs(found, 0.8, order=order)

    width, expected = band_width(0.8), set()
    for first in range(0, 128 // width * width, width):
        buckets: dict[bytes, list[int]] = {}
        for row in order.tolist():
            bucket = buckets.setdefault(found[row, first : first + width].tobytes(), [])
            expected |= {(bucket[0], row), (bucket[-1], row)} if bucket else set()
            bucket.append(row)
    alike = {(n, m) for n, m in expected if (found[n, :128] == found[m, :128]).sum() > 100}
    assert len(alike) > 3_000
    assert sorted(map(tuple, pairs.tolist())) == sorted(alike)


def test_few_texts_and_equal_texts_in_one_bucket_make_few_pairs():
    assert len(candidate_pairs(signatures(["one"]), 0.8)) == 0
    assert len(near_duplicates([], 0.8).positions) == 0
    assert len(candidate_pairs(signatures(["the same words again"] * 1000), 0.8)) == 2 * 999 - 1
    assert near_duplicates(["a", "b", "A "], 0.8).positions.tolist() == [2]
