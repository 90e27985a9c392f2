"""A text as the parts that addresses are made of, and which of them name a street."""

import re
import tomllib
from calendar import month_abbr, month_name
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.words import INNER_CAPITAL, NAME_WITH_CAPITAL, WORD

POST_CODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|[A-Z]\d[A-Z] ?\d[A-Z]\d\b|[A-Z]{1,2}-\d{4,6}\b"
"""British, Canadian, and with the country before it."""
ORDINAL = r"\d+(?:st|nd|rd|th)\b"
SIGN = r"(?i:(?<!\w)(?:h\. ?)?(?:n[º°]\.?|(?:no|nr|n[úu]m|n)[.:]|nr) ?|[#№] ?)"
"""Before a house number: "N° 17", "No. 5", "H.No. 066", "# 9-80"."""
SHORTENED = r"(?<!\w)(?<!et )(?i:(?:al|gg|os|pl|r)\.(?= [^\W\d_])|(?:cl|cr|dg)\.(?= ?\d))"
"""Kinds of street that are such with a dot alone: "al. Maczka", "Cl. 61"."""
TOKEN = re.compile(
    rf"(?<!\w)(?:{POST_CODE})|{ORDINAL}|(?:(?P<sign>{SIGN})(?=\d))?\d+(?:[-/]\d+)*[A-Za-zªº]?\b|{SHORTENED}"
    rf"|\b[Ss]/[Nn]\b|{WORD.pattern}|\n[\s>?|*•]*|[^\w\s]"
)
MISSING = frozenset({"nan", "null", "none"})
"""What exports of tables write where a part of an address is missing."""
MONTHS = frozenset(month.casefold() for month in (*month_name, *month_abbr) if month)
NO_NUMBER = "s/n"
"""Stands in the place of a house number in Portuguese and Spanish."""


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
    tokens = []
    for match in TOKEN.finditer(text):
        written = match.group().removeprefix(match["sign"] or "")
        tokens.append(Token(*match.span(), written, _kind(written)))
    return tokens


@cache
def streets() -> dict[str, frozenset[str]]:
    """The word lists of `data/streets.toml`."""
    source = files("tunesmith.core.privacy").joinpath("data", "streets.toml").read_text("utf-8")
    return {name: frozenset(entries) for name, entries in tomllib.loads(source).items()}


def _kind(token: str) -> str:
    first, folded = token[0], token.casefold()
    if folded == NO_NUMBER:
        return "number"
    if not token.isalpha() and any(letter.isdigit() for letter in token):
        return "name" if token.endswith(("st", "nd", "rd", "th")) else "number"
    if not first.isalpha():
        return {"\n": "line", ",": "comma"}.get(first, "mark")
    if folded in streets()["units"]:
        return "unit"
    if first.isupper() or _is_kind_of_street(folded):
        return "name"
    return "joiner" if folded in streets()["joiners"] or folded in MISSING else "word"


def _is_kind_of_street(folded: str) -> bool:
    named = streets()
    if folded in named["certain"]:
        return True
    if folded in table("common_words"):
        return False
    return folded in named["after"] or folded in named["before"] or _ends_like_street(folded)


def _ends_like_street(folded: str) -> bool:
    """Behind at least three other letters."""
    return folded[3:].endswith(_endings())


@cache
def _endings() -> tuple[str, ...]:
    return tuple(streets()["endings"])


def is_month(tokens: Sequence[Token], index: int) -> bool:
    """A month stands at `index`, which makes the number before it a day's: "Born 14 February"."""
    return index < len(tokens) and tokens[index].text.casefold() in MONTHS


def is_code(name: str) -> bool:
    """It is joined as only code is: "KeyError", not "McNeil"."""
    return bool(INNER_CAPITAL.search(name)) and not NAME_WITH_CAPITAL.match(name)


def hold_street(names: Sequence[Token]) -> bool:
    """One of these names is, or is called, a street."""
    return any(_is_street(token, is_first=place == 0) for place, token in enumerate(names))


def leads_to_name(tokens: Sequence[Token], index: int) -> bool:
    """The kind of street that stands between its number and its name: the "rue" of "7, rue de Tessier"."""
    return index < len(tokens) and tokens[index].text.casefold() in streets()["between"]


def ends_street(names: Sequence[Token]) -> bool:
    """The last of several names is a kind of street: "Seth Marg"."""
    return len(names) > 1 and names[-1].text.casefold() in streets()["after"]


def _is_street(token: Token, *, is_first: bool) -> bool:
    named, folded = streets(), token.text.casefold()
    if folded in named["before"] if is_first else folded in named["after"]:
        return True
    return folded not in table("common_words") and _ends_like_street(folded)
