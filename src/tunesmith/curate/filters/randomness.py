"""Whether a text was drawn at random, as keys are, or written by somebody: words, names, placeholders."""

import math
import re
from collections import Counter

from tunesmith.curate.filters.phrases import listed

PLACEHOLDER = re.compile(r"<.+|\$\{.+|\$[A-Z_]+|\{\{.+|\[.+\]|%\w+%")
"""`<token>`, `${TOKEN}`, `$TOKEN`, `{{ token }}`, `[token]`, `%TOKEN%`; the values of code end at a space."""
BETWEEN_WORDS = re.compile(r"[-_.:/()\[\]]+|(?<=[a-z])(?=[A-Z])")
WORD = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,3}|\d{1,4}")
WORD_CHARACTERS = 4
"""Least mean length of words with what parts them; random letters fall into shorter pieces at capitals and marks."""
KEY_BITS = 2.8
"""Least entropy of a key's characters, in bits each; 16 letters, the shortest, have 3.6 on average."""


def is_random(text: str, *, least_bits: float = KEY_BITS) -> bool:
    """Whether a text has the disorder of a key: no placeholder, no words in a row, no 1234abcd.

    >>> is_random("fading-circle-with-twelve-dots"), is_random("1234567890abcdefghij")
    (False, False)
    >>> is_random("x8Kq2Lm9Zt4Rv7Wp1Ys6")
    True
    """
    return (
        entropy(text) >= least_bits
        and not is_placeholder(text)
        and not _counts_up(text)
        and not _is_words(text)
    )


def is_placeholder(text: str) -> bool:
    """Whether a value says that a real one goes in its place, or is printed in documentation."""
    small = text.casefold()
    return any(part in small for part in listed("placeholders")) or bool(
        PLACEHOLDER.fullmatch(text)
    )


def entropy(text: str) -> float:
    """Shannon entropy of a text's characters, in bits a character.

    >>> entropy("aabb")
    1.0
    """
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _counts_up(text: str) -> bool:
    """Whether most characters repeat or follow the one before, or the one before that, as in a1b2c3."""
    codes = [ord(character) for character in text.lower()]
    return any(
        sum(abs(one - other) <= 1 for one, other in zip(codes, codes[stride:], strict=False))
        > len(codes) / 2
        for stride in (1, 2)
    )


def _is_words(text: str) -> bool:
    """Whether a text is several words or numbers, as file names, classes of CSS and code are."""
    pieces = [piece for piece in BETWEEN_WORDS.split(text) if piece]
    return 1 < len(pieces) <= len(text) / WORD_CHARACTERS and all(map(WORD.fullmatch, pieces))
