"""Rows that mean what another row means, in other words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core.progress import track
from tunesmith.curate.prompt_keys import said
from tunesmith.curate.rows import Removal, Rows
from tunesmith.curate.steps.repetition import repetitions, say_equal_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RULE = "semantic_duplicate"
REASON = "means the same as {source} (cosine {score:.2f})"
BLOCK = 2_048
"""Rows compared with all others at once."""


def find_semantic_duplicates(
    rows: Rows, threshold: float, *, numbers_matter: bool = True, is_quiet: bool = True
) -> Iterator[Removal]:
    """All rows to leave out so that no two of like meaning are left; verdicts aside.

    Every pair is compared, so that time grows with the square of the rows: 100,000 take minutes.

    Args:
        rows: All rows.
        threshold: Cosine similarity of sentence vectors from which two rows mean the same.
        numbers_matter: Rows with different numbers do not.
        is_quiet: Show no progress.

    Raises:
        MissingDependencyError: If the model's package is not installed.
    """
    from tunesmith.models.sentences import encode

    positions = rows.kept[rows.verdicts[rows.kept] == ""]
    texts = [said(example) for example in rows.examples(positions)]
    with track("curate: meaning", len(texts), is_quiet=is_quiet) as progress:
        pairs, scores = similar_vectors(encode(texts, on_done=progress.advance), threshold)
    if numbers_matter:
        is_equal = say_equal_numbers(rows, positions, pairs, "said")
        pairs, scores = pairs[is_equal], scores[is_equal]
    yield from repetitions(rows, positions, pairs, scores, rule=RULE, reason=REASON)


def similar_vectors(
    vectors: "NDArray[np.float32]", threshold: float
) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
    """All pairs of unit vectors whose cosine reaches the threshold, and their cosines."""
    import numpy as np

    pairs = [np.empty((0, 2), dtype=np.int32)]
    scores = [np.empty(0, dtype=np.float32)]
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        cosines = block @ vectors[: start + len(block)].T
        later, earlier = np.nonzero(cosines >= threshold)
        is_pair = earlier < later + start
        later, earlier = later[is_pair], earlier[is_pair]
        pairs.append(np.stack([earlier, later + start], axis=1).astype(np.int32))
        scores.append(np.minimum(cosines[later, earlier], 1.0))
    return np.concatenate(pairs), np.concatenate(scores)
