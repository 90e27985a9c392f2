"""A text as the parts that addresses are made of, and which of them name a street."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.words import WORD

POST_CODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|[A-Z]\d[A-Z] ?\d[A-Z]\d\b|[A-Z]{1,2}-\d{4,6}\b"
"""British, Canadian, and with the country before it."""
ORDINAL = r"\d+(?:st|nd|rd|th)\b"
TOKEN = re.compile(
    rf"(?<!\w)(?:{POST_CODE})|{ORDINAL}|\d+(?:[-/]\d+)*[A-Za-z]?\b|{WORD.pattern}|\n[\s>?|*•]*|[^\w\s]"
)
MISSING = frozenset({"nan", "null", "none"})
"""What exports of tables write where a part of an address is missing."""


class Token(NamedTuple):
    """A number, a word, a line break or a mark."""

    start: int
    end: int
    text: str
    kind: str
    """`number`, `unit` (Suite), `name` (capitalised, or a kind of street), `joiner` (de), or `word`, `comma`, `line`,
    `mark`."""


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`, in order."""
    return [
        Token(*match.span(), match.group(), _kind(match.group())) for match in TOKEN.finditer(text)
    ]


@cache
def streets() -> dict[str, frozenset[str]]:
    """The word lists of `data/streets.toml`."""
    source = files("tunesmith.core.privacy").joinpath("data", "streets.toml").read_text("utf-8")
    return {name: frozenset(entries) for name, entries in tomllib.loads(source).items()}


def _kind(token: str) -> str:
    first = token[0]
    if any(letter.isdigit() for letter in token):
        return "name" if token.endswith(("st", "nd", "rd", "th")) else "number"
    if not first.isalpha():
        return {"\n": "line", ",": "comma"}.get(first, "mark")
    folded = token.casefold()
    if folded in streets()["units"]:
        return "unit"
    if first.isupper() or _is_kind_of_street(folded):
        return "name"
    return "joiner" if folded in streets()["joiners"] or folded in MISSING else "word"


def _is_kind_of_street(folded: str) -> bool:
    named = streets()
    is_listed = folded in named["after"] or folded in named["before"] or _ends_like_street(folded)
    return folded in named["certain"] or (is_listed and folded not in table("common_words"))


def _ends_like_street(folded: str) -> bool:
    return any(
        len(folded) > len(ending) + 2 and folded.endswith(ending) for ending in streets()["endings"]
    )


def hold_street(names: Sequence[Token]) -> bool:
    """One of these names is, or is called, a street."""
    return any(_is_street(token, is_first=place == 0) for place, token in enumerate(names))


def _is_street(token: Token, *, is_first: bool) -> bool:
    named, folded = streets(), token.text.casefold()
    if folded in named["before"] if is_first else folded in named["after"]:
        return True
    return folded not in table("common_words") and _ends_like_street(folded)
