"""Rows that give a golden case away: they ask its question, or come from its thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from tunesmith.core.conversation import Case, Example, Message
from tunesmith.core.similarity import look_alikes, signatures, similarities
from tunesmith.curate.column import Chosen
from tunesmith.curate.prompt_keys import numbers_key, question, said
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Part, Rows

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
        hashes = rows.columns.lists(column)
        told = {
            position
            for owners, values in hashes.blocks()
            for position in owners[np.isin(values, wanted)].tolist()
        }
        for position in sorted(told):
            witness = next(secrets[key] for key in hashes.at(position) if key in secrets)
            yield Removal(position, RULE, reason.format(witness), 1.0, witness)


def find_near_leaks(
    rows: Rows, cases: Sequence[Case], threshold: float, *, numbers_matter: bool = True
) -> Iterator[Removal]:
    """Kept rows whose opening question is nearly that of a golden case, or that nearly hold its whole conversation.

    A whole conversation counts only where what the user says in it is as near: long answers of one wording,
    behind different questions, give nothing away.

    Args:
        rows: All rows.
        cases: The golden cases; each is compared with every row.
        threshold: Jaccard similarity of the sets of five-character shingles from which texts are similar.
        numbers_matter: Texts with different numbers are not similar.
    """
    import numpy as np

    wholes = [_whole(case) for case in cases]
    looks: tuple[tuple[Part, Callable[[Example], str], str], ...] = (
        ("question", _question, "asks nearly what the golden case {} asks"),
        ("said", said, "says nearly what the golden case {} says"),
    )
    for part, text_of, what in looks:
        positions = rows.kept
        texts = [text_of(whole) for whole in wholes]
        pairs = look_alikes(Chosen(rows.signatures(part), positions), signatures(texts), threshold)
        if numbers_matter:
            of_cases = np.array([numbers_key(text) for text in texts], dtype=np.uint64)
            of_rows = rows.numbers(part)[positions]
            pairs = pairs[of_rows[pairs[:, 0]] == of_cases[pairs[:, 1]]]
        scores = _similar(rows, positions, wholes, pairs, text_of)
        if part == "said":
            scores = np.minimum(scores, _similar(rows, positions, wholes, pairs, _asked))
        for (place, other), score in zip(pairs.tolist(), scores.tolist(), strict=True):
            if score >= threshold:
                witness = cases[other].source
                reason = f"{what.format(witness)} ({score:.0%} alike)"
                yield Removal(int(positions[place]), RULE, reason, score, witness)


def _similar(
    rows: Rows,
    positions: "NDArray[np.int64]",
    wholes: Sequence[Example],
    pairs: "NDArray[np.int32]",
    text_of: Callable[[Example], str],
) -> "NDArray[np.float32]":
    """Jaccard similarity of each pair of a row, by place in `positions`, and a case."""
    import numpy as np

    found, places = np.unique(pairs[:, 0], return_inverse=True)
    # Cases are numbered behind the rows, so that one call can fetch both.
    numbered = np.stack([places, pairs[:, 1] + len(found)], axis=1).astype(np.int32)
    both = chain(rows.examples(positions[found]), wholes)
    with rows.columns.folded(map(text_of, both)) as texts:
        return similarities(numbered, texts.of)


def _whole(case: Case) -> Example:
    return Example(messages=(*case.messages, Message(role="assistant", content=case.expected)))


def _question(example: Example) -> str:
    return question(example.messages)


def _asked(example: Example) -> str:
    """All that the user says."""
    return "\n".join(turn.content for turn in example.messages if turn.role == "user")
