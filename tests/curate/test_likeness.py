"""Search among vectors gives what comparing every pair gives, however the work is cut."""

import numpy as np
import pytest

from tunesmith.curate.likeness import neighbours, repeated, tiles


@pytest.fixture(params=[48, 100])
def vectors(request):
    """1,500 unit vectors in fewer or more dimensions than are compared first, a third of them near to another one."""
    rng = np.random.default_rng(0)
    size = np.geomspace(1, 0.05, request.param)
    found = rng.normal(size=(1_500, request.param)) * size
    found[1_000:] = found[:500] + rng.normal(size=(500, request.param)) * size * rng.uniform(
        0, 0.8, (500, 1)
    )
    found = found[rng.permutation(len(found))]
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "ROWS", 70)
    monkeypatch.setattr(neighbours, "COLUMNS", 130)
    monkeypatch.setattr(repeated, "COLUMNS", 130)
    monkeypatch.setattr(repeated, "BLOCK", 200)


def kept_one_by_one(vectors, threshold):
    """Every vector against all that are kept before it."""
    kept, witnesses = [], {}
    for place, likeness in enumerate(vectors @ vectors.T):
        best = max(kept, key=lambda other: likeness[other], default=None)
        if best is not None and likeness[best] >= threshold:
            witnesses[place] = best
        else:
            kept.append(place)
    return witnesses


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95])
def test_what_is_left_out_and_for_which_vector_is_what_comparing_every_pair_gives(
    vectors, threshold
):
    expected = kept_one_by_one(vectors, threshold)

    found = repeated.repeated(vectors, threshold)

    assert 100 < len(expected) < 1_400
    assert dict(zip(found.positions.tolist(), found.witnesses.tolist(), strict=True)) == expected
    true = np.einsum("ij,ij->i", vectors[found.positions], vectors[found.witnesses])
    assert found.similarities == pytest.approx(true, abs=1e-5)


def test_a_bound_never_lies_below_the_cosine(vectors):
    short = repeated._shortened(vectors)

    assert (short @ short.T - vectors @ vectors.T).min() > 0
    assert short.shape[1] <= repeated.AXES + 1


def test_the_nearest_are_those_of_all_pairs_and_no_vector_is_its_own(vectors):
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    expected = np.argsort(-likeness, axis=1, kind="stable")[:, :7]

    found = neighbours.nearest(vectors, 7)

    assert found.cosines == pytest.approx(np.take_along_axis(likeness, expected, 1), abs=1e-5)
    assert (found.places == expected).mean() > 0.999  # two may be equally near, up to rounding


def test_the_nearest_among_others_may_be_the_same_vector_and_are_fewer_where_there_are_fewer():
    vectors = np.eye(3, dtype=np.float32)

    assert neighbours.nearest(vectors, 1, among=vectors).places.tolist() == [[0], [1], [2]]
    assert neighbours.nearest(vectors, 5).places.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert neighbours.nearest(vectors[:1], 1).places.shape == (1, 0)
