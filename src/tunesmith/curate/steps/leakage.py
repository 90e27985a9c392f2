"""Rows that give a golden case away: they ask its question, or come from its thread."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from tunesmith.core.conversation import Case
from tunesmith.core.similarity import Texts, fold, look_alikes, signatures, similarities
from tunesmith.curate.prompt_keys import numbers_key, question
from tunesmith.curate.rows import Removal, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RULE = "golden"


def find_leaks(rows: Rows, secrets: Mapping[int, str]) -> Iterator[Removal]:
    """Kept rows that ask, anywhere in their conversation, what a golden case asks, or belong to its group.

    Args:
        rows: All rows.
        secrets: What each golden case's question and groups hash to, and where that case lies.
    """
    import numpy as np

    wanted = np.fromiter(secrets, dtype=np.uint64, count=len(secrets))
    reasons = {
        "asked": "asks what the golden case {} asks",
        "links": "belongs with the golden case {}",
    }
    for column, reason in reasons.items():
        hashes = rows.lists(column)
        owners = hashes.owners()[np.isin(hashes.values, wanted)]
        for position in np.unique(owners).tolist():
            witness = next(secrets[key] for key in hashes.of(position).tolist() if key in secrets)
            yield Removal(position, RULE, reason.format(witness), 1.0, witness)


def find_near_leaks(
    rows: Rows, cases: Sequence[Case], threshold: float, *, numbers_matter: bool = True
) -> Iterator[Removal]:
    """Kept rows whose opening question is nearly that of a golden case.

    Args:
        rows: All rows.
        cases: The golden cases; each is compared with every row.
        threshold: Jaccard similarity of the sets of five-character shingles from which questions are similar.
        numbers_matter: Questions with different numbers are not similar.
    """
    import numpy as np

    positions = rows.kept
    texts = [question(case.messages) for case in cases]
    pairs = look_alikes(rows.signatures("question")[positions], signatures(texts), threshold)
    if numbers_matter:
        of_cases = np.array([numbers_key(text) for text in texts], dtype=np.uint64)
        of_rows = rows.numbers("question")[positions]
        pairs = pairs[of_rows[pairs[:, 0]] == of_cases[pairs[:, 1]]]
    # Cases are numbered behind the rows, so that one call can fetch both.
    numbered = (pairs + np.array([0, len(positions)])).astype(np.int32)
    scores = similarities(numbered, lambda some: _both(rows, positions, texts, some))
    for (place, other), score in zip(pairs.tolist(), scores.tolist(), strict=True):
        if score >= threshold:
            witness = cases[other].source
            reason = f"asks nearly what the golden case {witness} asks ({score:.0%} alike)"
            yield Removal(int(positions[place]), RULE, reason, score, witness)


def _both(
    rows: Rows, positions: "NDArray[np.int64]", cases: Sequence[str], some: "NDArray[np.int64]"
) -> Texts:
    is_row = some < len(positions)
    asked = rows.examples(positions[some[is_row]])
    others = (cases[number] for number in (some[~is_row] - len(positions)).tolist())
    return fold(chain((question(example.messages) for example in asked), others))
