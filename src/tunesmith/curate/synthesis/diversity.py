"""How near a new question is to all there are: the share of letter sequences it has in common with the nearest.

`core.similarity` compares whole datasets at once; here texts come one by one, and each must know those before it.
"""

from collections import Counter
from typing import NamedTuple

from tunesmith.core.text import normalise

LETTERS = 5
"""Length of a sequence: about a word, so that endings and small words do not make texts alike."""


class Nearest(NamedTuple):
    """The text most like another."""

    similarity: float
    """Jaccard similarity of the sets of letter sequences, 0 to 1."""
    text: str


class Neighbourhood:
    """Texts by the letter sequences in them; grows as texts are added."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._sizes: list[int] = []
        self._holders: dict[str, list[int]] = {}

    def add(self, text: str) -> None:
        """Count this text among those there are."""
        sequences = _sequences(text)
        for sequence in sequences:
            self._holders.setdefault(sequence, []).append(len(self._texts))
        self._texts.append(text)
        self._sizes.append(len(sequences))

    def nearest(self, text: str) -> Nearest:
        """The text most like this one; similarity 0 if there is none with anything in common."""
        sequences = _sequences(text)
        shared: Counter[int] = Counter()
        for sequence in sequences:
            shared.update(self._holders.get(sequence, ()))
        best = Nearest(0.0, "")
        for place, count in shared.items():
            similarity = count / (len(sequences) + self._sizes[place] - count)
            if similarity > best.similarity:
                best = Nearest(similarity, self._texts[place])
        return best


def _sequences(text: str) -> set[str]:
    plain = normalise(text)
    return {plain[start : start + LETTERS] for start in range(max(1, len(plain) - LETTERS + 1))}
