"""Rows that nearly say what another row says, and questions that nearly ask what another one asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core.similarity import candidate_pairs, leave_out, similarities
from tunesmith.curate.column import Chosen
from tunesmith.curate.likeness.answers import compare_rows
from tunesmith.curate.prompt_keys import answer_to
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import VERDICTS, Part, Rows
from tunesmith.curate.steps.preference import ranking
from tunesmith.curate.steps.repetition import repetitions, say_equal_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RULE = "near_duplicate"
REASON = "says nearly the same as {source} ({score:.0%} alike)"


def find_near_duplicates(
    rows: Rows, threshold: float, *, numbers_matter: bool = True
) -> Iterator[Removal]:
    """All rows to leave out so that no two similar ones are left; the best of them stay.

    Verdicts are compared with verdicts of the same kind: a thumb down is no repetition of the answer it is about. Nor
    is a row whose answer contradicts the other's, however long the question that they share.

    Args:
        rows: All rows.
        threshold: Jaccard similarity of the sets of five-character shingles from which two rows are similar.
        numbers_matter: Rows with different numbers are not similar.
    """
    for verdict in VERDICTS:
        positions = rows.kept_of(verdict)
        order = ranking(rows, positions, longest=True)
        signatures = Chosen(rows.signatures("said"), positions)
        pairs = candidate_pairs(signatures, threshold, order=order)
        if numbers_matter:
            pairs = pairs[say_equal_numbers(rows, positions, pairs, "said")]
        pairs, scores = _similar(rows, positions, pairs, "said", threshold)
        agree = _agree(rows, positions, pairs, threshold, numbers_matter=numbers_matter)
        pairs, scores = pairs[agree], scores[agree]
        found = leave_out(len(positions), pairs, scores, order=order)
        yield from repetitions(rows, positions, found, rule=RULE, reason=REASON)


def near_questions(
    rows: Rows, threshold: float, *, numbers_matter: bool = True
) -> "NDArray[np.int64]":
    """Pairs of kept rows whose opening questions are similar, so that no split may part them.

    Not all such pairs: enough that rows which are similar hang together, directly or through others.
    """
    positions = rows.kept
    pairs = candidate_pairs(Chosen(rows.signatures("question"), positions), threshold)
    if numbers_matter:
        pairs = pairs[say_equal_numbers(rows, positions, pairs, "question")]
    pairs, _ = _similar(rows, positions, pairs, "question", threshold)
    found: NDArray[np.int64] = positions[pairs]
    return found


def _similar(
    rows: Rows,
    positions: "NDArray[np.int64]",
    pairs: "NDArray[np.int32]",
    part: Part,
    threshold: float,
) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
    """Those of these pairs that are similar, by place in `positions`, with their similarity."""
    import numpy as np

    found, places = np.unique(pairs, return_inverse=True)
    with rows.columns.folded(rows.texts(positions[found], part)) as texts:
        scores = similarities(places.reshape(-1, 2).astype(np.int32), texts.of)
    is_similar = scores >= threshold
    return pairs[is_similar], scores[is_similar]


def _agree(
    rows: Rows,
    positions: "NDArray[np.int64]",
    pairs: "NDArray[np.int32]",
    threshold: float,
    *,
    numbers_matter: bool,
) -> "NDArray[np.bool_]":
    """Which of these pairs' answers do not contradict each other; only those that differ are looked at."""
    hashes = rows.columns.values("answer")[positions][pairs]
    agree: NDArray[np.bool_] = hashes[:, 0] == hashes[:, 1]
    if not agree.all():
        answers = compare_rows(rows, positions[pairs[~agree]], answer_to)
        agree[~agree] = answers.opposition(threshold, numbers_matter=numbers_matter) == 0
    return agree
