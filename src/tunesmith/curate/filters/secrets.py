"""Keys and passwords that a model must not learn."""

import json
import math
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter

ASSIGNED = re.compile(
    r"(?i)(?<![\w-])[\w-]{0,64}?(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)(?:[_-](?:key|id))?"
    r"[\"']?\s*[:=]\s*[\"']?([^\s\"',;]{8,200})"
)
"""Also with words before it, as in AWS_SECRET_ACCESS_KEY, client-secret and dbPassword."""
BEARER = re.compile(r"(?i)\bbearer\s+([\w.~+/=-]{16,200})")
IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@]{0,64}:[^\s:/@]{6,64}@[^\s/]+")
TELLING = ("passw", "pwd", "secret", "token", "key", "bearer")
RANDOM_BITS = 3.5
"""Entropy of a random key's characters, in bits each; words and placeholders stay below."""
SHOWN_CHARACTERS = 4
"""Enough to find the key, too little to use it."""


@row_filter
def secrets() -> RowFilter:
    """Remove rows with private keys or keys of known services; note what looks like a password."""

    def check(example: Example) -> Finding | None:
        text = "\n".join(said for _, said in example.texts)
        for kind in _kinds():
            if any(part in text for part in kind.holds) and (found := kind.pattern.search(text)):
                return Finding(1.0, f"holds {kind.name}: {_hidden(found.group())}")
        if "://" in text and (found := IN_ADDRESS.search(text)):
            return Finding(0.8, f"holds an address with a password: {_hidden(found.group())}")
        if not any(word in text.lower() for word in TELLING):
            return None
        for found in chain(ASSIGNED.finditer(text), BEARER.finditer(text)):
            if entropy(found.group(1)) >= RANDOM_BITS and not found.group(1).isalpha():
                return Finding(0.8, f"holds what looks like a password: {_hidden(found.group(1))}")
        return None

    return check


def entropy(text: str) -> float:
    """Shannon entropy of a text's characters, in bits a character.

    >>> entropy("aabb")
    1.0
    """
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _hidden(secret: str) -> str:
    return f"{secret[:SHOWN_CHARACTERS]}\u2026 ({len(secret)} characters)"


class _Kind(NamedTuple):
    name: str
    holds: list[str]
    """Parts one of which every such key has: looked for first, for it is quick."""
    pattern: re.Pattern[str]


@cache
def _kinds() -> list[_Kind]:
    """The kinds of keys in `secrets.json`."""
    text = files("tunesmith.curate.filters").joinpath("secrets.json").read_text(encoding="utf-8")
    return [
        _Kind(name, kind["holds"], re.compile(kind["pattern"]))
        for name, kind in json.loads(text).items()
    ]
