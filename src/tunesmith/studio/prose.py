"""Texts as they are shown: which stretches are code, which texts are long."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunesmith.core.text import is_json

LONG_CHARACTERS = 3_000
"""Longer texts are folded: about two screens."""
FENCED = re.compile(
    r"^ {0,3}(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$\n?|\Z)|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""A block of code in Markdown, fences included; one that is never closed lasts to the end."""


class Block(NamedTuple):
    """A stretch of a text."""

    text: str
    is_code: bool


def blocks(text: str) -> list[Block]:
    """The text cut at its code fences; joined, the blocks are the text."""
    return [block for block in _cut(text) if block.text]


def is_code(text: str) -> bool:
    """Whether a text holds fenced code, or is an object or a list in JSON."""
    return FENCED.search(text) is not None or is_data(text)


def is_data(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    return text.strip().startswith(("{", "[")) and is_json(text)


def is_long(text: str) -> bool:
    """Whether it would push everything else off the screen."""
    return len(text) > LONG_CHARACTERS


def _cut(text: str) -> Iterator[Block]:
    at = 0
    for found in FENCED.finditer(text):
        yield Block(text[at : found.start()], is_code=False)
        yield Block(found[0], is_code=True)
        at = found.end()
    yield Block(text[at:], is_code=False)
