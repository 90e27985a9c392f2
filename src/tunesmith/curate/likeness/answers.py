"""Whether two answers to one question say the same: a repetition does, a contradiction does not."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.core.similarity import fold, similarities
from tunesmith.curate.prompt_keys import numbers_key
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

TextOf = Callable[[Example], str]
MARKS = 3
"""What counts in a text beside its words: characters, negations, and a hash of the numbers in their order."""


class Compared(NamedTuple):
    """Pairs of texts."""

    likeness: "NDArray[np.float32]"
    """Jaccard similarity of their shingles, one a pair."""
    marks: "NDArray[np.uint64]"
    """By pair, side and mark; see `MARKS`."""

    def is_turned(self, *, numbers_matter: bool) -> "NDArray[np.bool_]":
        """Where only one side is negated, or, if that matters, has a number."""
        _, negations, numbers = (self.marks[:, 0] != self.marks[:, 1]).T
        found: NDArray[np.bool_] = negations | (numbers & numbers_matter)
        return found

    def opposition(self, near: float, *, numbers_matter: bool) -> "NDArray[np.float64]":
        """How sure it is that one of two answers to a question is wrong; 0 where both may say the same.

        They do not if one is turned, if they are short and not nearly the same, or long with hardly a word in common.

        Args:
            near: Similarity from which short answers are nearly the same.
            numbers_matter: Answers with other numbers do not say the same.
        """
        import numpy as np

        is_short = self.marks[:, :, 0].max(axis=1) <= SHORT_CHARACTERS
        is_unlike = self.likeness < np.where(is_short, near, OTHER_WORDS)
        # Where all else is said alike, what turns it is no accident.
        turned = 0.5 + (MOST_CERTAIN - 0.5) * self.likeness
        unlike = np.where(is_short, CERTAIN, UNCERTAIN) * (1 - self.likeness)
        is_turned = self.is_turned(numbers_matter=numbers_matter)
        found: NDArray[np.float64] = np.maximum(is_turned * turned, is_unlike * unlike)
        return found


def compare_rows(rows: Rows, pairs: "NDArray[np.int64]", text_of: TextOf) -> Compared:
    """Pairs of rows, by position; texts are read a shard at a time."""
    found, places = _numbered(pairs)
    marks = array("Q")
    with rows.columns.folded(_noting(map(text_of, rows.examples(found)), marks)) as texts:
        return Compared(similarities(places, texts.of), _by_pair(marks, places))


def compare_examples(
    examples: Sequence[Example], pairs: "NDArray[np.int64]", text_of: TextOf
) -> Compared:
    """Pairs of examples in memory."""
    found, places = _numbered(pairs)
    marks = array("Q")
    texts = list(_noting((text_of(examples[place]) for place in found.tolist()), marks))
    likeness = similarities(places, lambda some: fold(texts[place] for place in some.tolist()))
    return Compared(likeness, _by_pair(marks, places))


def _numbered(pairs: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.int32]]":
    """What occurs in the pairs, and the pairs by place in that."""
    import numpy as np

    found, places = np.unique(pairs, return_inverse=True)
    return found, places.reshape(-1, 2).astype(np.int32)


def _noting(texts: Iterable[str], marks: "array[int]") -> Iterator[str]:
    """The texts, unchanged; what counts beside their words is added to `marks`."""
    for text in texts:
        negations = len(NEGATION.findall(text.casefold()))
        marks.extend((len(text), negations, numbers_key(text)))
        yield text


def _by_pair(marks: "array[int]", places: "NDArray[np.int32]") -> "NDArray[np.uint64]":
    import numpy as np

    found: NDArray[np.uint64] = np.array(marks, dtype=np.uint64).reshape(-1, MARKS)[places]
    return found
