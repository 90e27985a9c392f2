"""Whether two answers to one question say the same: a repetition does, a contradiction does not."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.similarity import similarities
from tunesmith.curate.prompt_keys import answer_to, numbers_key
from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORT_CHARACTERS = 48
"""Up to this length answers are labels or short sentences, in which every word counts."""
OTHER_WORDS = 0.2
"""Jaccard similarity of five-character shingles from which two longer answers may be one in other words: in a trial
paraphrases had 0.23 to 0.52, answers to other questions 0.01 to 0.1."""
NEGATION = re.compile(
    r"\b(?:no|not|none|never|nothing|nobody|neither|nor|cannot|without"
    r"|nein|nicht|nichts|nie|niemals|ohne|kein(?:e[mnrs]?)?"
    r"|non|ne|pas|jamais|sans|aucune?|nunca|sin|ningun[ao]?|ningún|não|nem|sem|senza|nessun[ao]?"
    r"|niet|geen|nooit|zonder|bez|не|нет|без)\b|n['’]t\b|[不没沒]|ない|ません"
)
"""Words that turn an answer round: English, German, Romance, Dutch, Polish, Russian, Chinese, Japanese."""
MOST_CERTAIN = 0.9
"""Nearly the same words, but for a negation or a number."""
CERTAIN = 0.8
"""Short answers without a word in common; a list of valid answers is what speaks against it."""
UNCERTAIN = 0.6
"""The same of longer ones, of which there may be many that are right."""


class Answer(NamedTuple):
    """What is compared of an answer beside its words."""

    characters: int
    negations: int
    numbers: int
    """Hash of its numbers, in their order."""


def oppositions(
    rows: Rows, pairs: "NDArray[np.int64]", *, near: float, numbers_matter: bool
) -> "NDArray[np.float64]":
    """How sure it is, for each pair of rows by position, that their answers contradict each other; see `opposition`."""
    import numpy as np

    positions, inverse = np.unique(pairs, return_inverse=True)
    places: NDArray[np.int32] = inverse.reshape(-1, 2).astype(np.int32)
    answers: list[Answer] = []
    texts = noting(map(answer_to, rows.examples(positions)), answers)
    with rows.columns.folded(texts) as folded:
        likeness = similarities(places, folded.of)
    return opposition(places, likeness, answers, near=near, numbers_matter=numbers_matter)


def noting(texts: Iterable[str], answers: list[Answer]) -> Iterator[str]:
    """The texts, unchanged; of each that goes by, what is compared beside its words is added to `answers`."""
    for text in texts:
        negations = len(NEGATION.findall(text.casefold()))
        answers.append(Answer(len(text), negations, numbers_key(text)))
        yield text


def opposition(
    pairs: "NDArray[np.int32]",
    likeness: "NDArray[np.float32]",
    answers: Sequence[Answer],
    *,
    near: float,
    numbers_matter: bool,
) -> "NDArray[np.float64]":
    """How sure it is that one of two answers to a question is wrong; 0 where both may say the same.

    They do not if only one is negated or has a number, if they are short and not nearly the same, or long with hardly
    a word in common.

    Args:
        pairs: Places in `answers`.
        likeness: Jaccard similarity of the shingles of each pair.
        answers: As `noting` has noted them.
        near: Similarity from which short answers are nearly the same.
        numbers_matter: Answers with other numbers do not say the same.
    """
    import numpy as np

    characters, negations, numbers = (
        np.array(column)[pairs] for column in zip(*answers, strict=True)
    )
    is_short = characters.max(axis=1) <= SHORT_CHARACTERS
    is_turned = negations[:, 0] != negations[:, 1]
    if numbers_matter:
        is_turned |= numbers[:, 0] != numbers[:, 1]
    is_unlike = likeness < np.where(is_short, near, OTHER_WORDS)
    # Where all else is said alike, what turns it is no accident.
    turned = np.where(is_turned, 0.5 + (MOST_CERTAIN - 0.5) * likeness, 0)
    unlike = np.where(is_unlike, np.where(is_short, CERTAIN, UNCERTAIN) * (1 - likeness), 0)
    found: NDArray[np.float64] = np.maximum(turned, unlike)
    return found
