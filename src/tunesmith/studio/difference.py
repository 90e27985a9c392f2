"""Two texts side by side: which words they share and which they do not."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

MOST_COMPARISONS = 4_000_000
"""Above this many pairs of words whole lines are compared: a page must not take seconds."""


class Piece(NamedTuple):
    """A stretch of a text."""

    text: str
    is_shared: bool
    """Whether the other text has it too, in the same place."""


class Sides(NamedTuple):
    """Both texts in pieces; joined, the pieces of a side are its text."""

    left: list[Piece]
    right: list[Piece]


def compare(left: str, right: str) -> Sides:
    """Both texts cut where they begin and cease to differ, at the borders of words."""
    lefts, rights = _words(left), _words(right)
    if len(lefts) * len(rights) > MOST_COMPARISONS:
        lefts, rights = left.splitlines(keepends=True), right.splitlines(keepends=True)
    sides = Sides([], [])
    for change, a, b, c, d in SequenceMatcher(None, lefts, rights, autojunk=False).get_opcodes():
        for pieces, words in ((sides.left, lefts[a:b]), (sides.right, rights[c:d])):
            if words:
                pieces.append(Piece("".join(words), change == "equal"))
    return sides


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)
