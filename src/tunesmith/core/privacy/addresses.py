"""Postal addresses of many countries: a street, post box or military post, and all that belongs to it."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tunesmith.core.privacy.address_tokens import (
    MISSING,
    NO_NUMBER,
    Token,
    ends_street,
    hold_street,
    is_code,
    is_month,
    leads_to_name,
    streets,
    tokens_of,
)
from tunesmith.core.privacy.lexicon import behind
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import NEVER
from tunesmith.core.privacy.span import Span

WHOLE = re.compile(
    r"(?:(?:PSC|CMR|Unit) \d+,? Box \d+|US(?:NS|S|NV|CGC) [\w-]+)[\s,>?|]+(?:[AFD]PO) A[AEP] \d{5}(?:-\d{4})?"
    r"|\bP\.?\s?O\.?\s?Box \d+|\b(?:Postbus|Postfach|Apartado|B\.?P\.?) \d+",
    re.IGNORECASE,
)
ENGLISH_JOINERS = frozenset({"a", "an", "am", "in", "of", "the"})
"""Join parts of a street's name, and also a person to a street: "Ivan Horvat of Elm Street 5"."""
CORNER = re.compile(r"\b(?:the )?(?:corner|intersection|junction) of $", re.IGNORECASE)
TOLD = behind("addresses", "told_before", ":? ")
LABELLED = re.compile(r"\b(?:code|error|http|port|rfc|status|version)[ :#]*$", re.IGNORECASE)
"""Before a number that is no house's."""
MOST_TOKENS = 40
"""An address is shorter."""
STREET_SCORE = 0.87
"""Surer than a full name: many streets bear one."""
TOWN_SCORE = 0.87
"""A name, a number, a post code and another name: no list is needed."""


class Stretch(NamedTuple):
    """First and last token of an address."""

    first: int
    last: int


def find(text: str) -> Iterator[Span]:
    """Addresses in `text`."""
    if not any(letter.isdigit() for letter in text) and NO_NUMBER not in text.casefold():
        return
    tokens = tokens_of(text)
    covered = 0
    for index in range(len(tokens)):
        if tokens[index].start < covered:
            continue
        score = _anchor(text, tokens, index)
        if score:
            stretch = _stretch(tokens, index)
            first, last = tokens[stretch.first], tokens[stretch.last]
            start = _with_corner(text, first.start)
            yield Span(start, last.end, "STREET_ADDRESS", _surer(tokens, stretch, score))
            covered = last.end
    for match in WHOLE.finditer(text):
        yield Span(*match.span(), "STREET_ADDRESS", 0.9)


def _anchor(text: str, tokens: Sequence[Token], index: int) -> float:
    """How sure it is that an address begins, or is told, at a token; 0 where none does."""
    token = tokens[index]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following is None:
        return 0.0
    if token.kind == "unit":
        numbered = tokens[index + 2 : index + 3] if following.text == "." else [following]
        is_glued = token.end == following.start and token.text.islower()  # "int64"
        is_numbered = bool(numbered) and numbered[0].kind == "number"
        return 0.85 if is_numbered and (following.text == "." or not is_glued) else 0.0
    if token.kind == "number" and len(token.text) <= 6:
        return _numbered(text, tokens, index)
    return _named(text, tokens, index) if token.kind == "name" else 0.0


def _behind_names(tokens: Sequence[Token], index: int) -> int:
    """Index behind the names and joiners that begin at `index`; one word of any kind may stand among them."""
    end = index
    while end < len(tokens) and end - index < 7:
        token = tokens[end]
        is_bridged = token.kind == "word" and _is_bridge(tokens, index, end)
        is_part = token.kind == "name" or token.text in {".", "'"} or _joins(tokens, index, end)
        if not is_part and not is_bridged:
            break
        end += 1
    while end > index and tokens[end - 1].kind == "joiner":
        end -= 1
    return end


def _is_bridge(tokens: Sequence[Token], first: int, index: int) -> bool:
    """A word in small letters that leads to a name ("fourth Avenue"), or stands in one ("Cesta vstaje 7")."""
    if _is_name(tokens, index + 1):
        return index == first
    following = tokens[index + 1 : index + 2]
    leads_on = bool(following) and (
        following[0].kind == "number" or hold_street(tokens[index : index + 2])
    )
    return index > first and leads_on and tokens[index].text not in table("common_words")


def _is_name(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and tokens[index].kind == "name"


def _joins(tokens: Sequence[Token], first: int, index: int) -> bool:
    """A small word inside a street's name: "de" anywhere, "of the" only where a kind of street stands before it."""
    if tokens[index].kind != "joiner":
        return False
    if tokens[index].text.casefold() not in ENGLISH_JOINERS:
        return True
    return hold_street([token for token in tokens[first:index] if token.kind == "name"])


def _numbered(text: str, tokens: Sequence[Token], index: int) -> float:
    """A house number with a street behind it."""
    if LABELLED.search(text, max(0, tokens[index].start - 12), tokens[index].start):
        return 0.0
    begin = index + 1
    is_apart = tokens[begin].kind in {"comma", "line"}
    if is_apart:
        begin += 1
    has_kind = leads_to_name(tokens, begin)
    end = _behind_names(tokens, begin + has_kind)
    names = [token for token in tokens[begin + has_kind : end] if token.kind == "name"]
    if not names:
        return 0.0
    if has_kind and names[0].text.casefold() not in table("common_words"):
        return STREET_SCORE
    if is_apart:
        return STREET_SCORE if ends_street(names) and tokens[begin - 1].kind == "comma" else 0.0
    if hold_street(names):
        return STREET_SCORE
    behind = tokens[end] if end < len(tokens) else None
    if behind and behind.kind in {"comma", "line", "unit"} and _ends_like_one(tokens, end):
        return 0.6
    if _is_between_numbers(tokens, index):
        return 0.6
    return 0.55 if _is_told(text, tokens[index].start) else 0.0


def _named(text: str, tokens: Sequence[Token], index: int) -> float:
    """A street with a house number behind it, or one that is called a street."""
    end = _behind_names(tokens, index)
    names = [token for token in tokens[index:end] if token.kind == "name"]
    number = end + 1 if end < len(tokens) and tokens[end].kind == "comma" else end
    if number >= len(tokens) or tokens[number].kind != "number" or len(tokens[number].text) > 5:
        return 0.6 if len(names) > 1 and _is_called_street(tokens, names, end) else 0.0
    if names and names[0].text.isupper() and names[0].text.casefold() in table("things"):
        return 0.0  # "IBAN PL 64"
    if hold_street(names):
        return STREET_SCORE
    if is_month(tokens, number + 1):
        return 0.0  # "Born 14 February"
    if any(name.text.casefold() in NEVER | table("things") for name in names):
        return 0.0
    if _leads_to_town(tokens, number + 1):
        return TOWN_SCORE
    if _is_told(text, tokens[index].start):
        return 0.55
    last = names[-1].text
    is_unknown = (
        len(last) > 4 and last.casefold() not in table("common_words") and not is_code(last)
    )
    return 0.45 if is_unknown and number == end and 2 <= len(tokens[number].text) <= 4 else 0.0


def _is_called_street(tokens: Sequence[Token], names: Sequence[Token], end: int) -> bool:
    """Even without a number it is one: "Hope Road", "rue Dupont"; with the kind before it, at the end of a line."""
    first, last = names[0].text, names[-1].text
    if last.casefold() in streets()["certain"] and last[0].isupper():
        return True
    if names[1].text.casefold() in table("common_words") or not names[1].text[0].isupper():
        return False
    ends_line = end < len(tokens) and tokens[end].kind == "line"
    return leads_to_name(tokens, tokens.index(names[0])) or (
        ends_line and hold_street(names[:1]) and first.casefold() not in table("common_words")
    )


def _leads_to_town(tokens: Sequence[Token], index: int) -> bool:
    """A new part follows, which begins with a post code and goes on with a name: ", 5400 Krško"."""
    if index < len(tokens) and tokens[index].text == ".":
        index += 1
    if index >= len(tokens) or tokens[index].kind not in {"comma", "line"}:
        return False
    code = [token.text for token in tokens[index + 1 : index + 3] if token.kind == "number"]
    digits = sum(letter.isdigit() for letter in "".join(code))
    return 3 <= digits <= 6 and _is_name(tokens, index + 1 + len(code))


def _ends_like_one(tokens: Sequence[Token], index: int) -> bool:
    """A post code, a suite or a country follows soon."""
    return any(
        token.kind == "unit"
        or (token.kind == "number" and 4 <= len(token.text) <= 10)
        or token.text.casefold() in table("regions")
        for token in tokens[index : index + 12]
    )


def _is_between_numbers(tokens: Sequence[Token], index: int) -> bool:
    """A street that no list knows: one to four words, one of them a name, between two numbers at the end of a part."""
    end = index + 1
    while (
        end < len(tokens)
        and end - index <= 5
        and tokens[end].kind in {"name", "word", "joiner", "mark"}
    ):
        end += 1
    between = tokens[index + 1 : end]
    if end >= len(tokens) or tokens[end].kind != "number" or len(tokens[end].text) > 5:
        return False
    has_marks = any(token.kind == "mark" and token.text != "." for token in between)
    is_date = is_month(tokens, index + 1)
    return (
        between[0].kind == "name" and not has_marks and not is_date and _is_closed(tokens, end + 1)
    )


def _is_closed(tokens: Sequence[Token], index: int) -> bool:
    return index >= len(tokens) or tokens[index].kind in {"comma", "line", "unit", "mark"}


def _is_told(text: str, start: int) -> bool:
    return bool(TOLD.search(text[max(0, start - 60) : start]))


def _with_corner(text: str, start: int) -> int:
    opening = max(0, start - 24)
    corner = CORNER.search(text[opening:start])
    return opening + corner.start() if corner else start


def _surer(tokens: Sequence[Token], stretch: Stretch, score: float) -> float:
    inside = tokens[stretch.first : stretch.last + 1]
    has_unit = any(token.kind == "unit" for token in inside)
    has_country = any(token.text.casefold() in table("regions") for token in inside)
    return min(0.9, score + 0.15 * has_unit + 0.1 * has_country)


def _stretch(tokens: Sequence[Token], index: int) -> Stretch:
    """The address around an anchor."""
    first = index
    while first and index - first < MOST_TOKENS and _belongs_before(tokens, first - 1):
        first -= 1
    while first < index and tokens[first].kind not in {"number", "unit", "name"}:
        first += 1
    last = position = index
    while position + 1 < len(tokens) and position - index < MOST_TOKENS:
        position += 1
        if not _belongs_behind(tokens, position):
            break
        if tokens[position].kind in {"number", "name", "unit"} or tokens[position].text == ")":
            last = position
    return Stretch(first, last)


def _belongs_before(tokens: Sequence[Token], index: int) -> bool:
    token, behind = tokens[index], tokens[index + 1]
    if token.kind in {"number", "unit"}:
        return True
    if token.kind == "comma":
        return (
            index > 0
            and tokens[index - 1].kind in {"number", "name"}
            and tokens[index + 1].kind != "name"
        )
    if token.kind == "line":
        return behind.kind in {"unit", "number"} and _is_address_line(tokens, index, -1)
    if token.kind == "joiner":
        return (
            token.text.casefold() not in ENGLISH_JOINERS
            and behind.kind in {"name", "joiner"}
            and index > 0
            and tokens[index - 1].kind in {"name", "number"}
        )
    if token.text == "." and index > 0:
        return len(tokens[index - 1].text) <= 3 and behind.kind in {
            "number",
            "name",
            "unit",
            "line",
        }
    if token.kind == "name" and behind.text.casefold() in {"and", "&"}:
        return True
    if token.kind != "name" or behind.kind not in {
        "number",
        "name",
        "joiner",
        "unit",
        "line",
        "mark",
        "comma",
    }:
        return _is_and(tokens, index)
    return True


def _is_and(tokens: Sequence[Token], index: int) -> bool:
    """The "and" between two streets that meet."""
    return (
        tokens[index].text.casefold() in {"and", "&"}
        and index > 0
        and tokens[index - 1].kind in {"name", "number"}
        and tokens[index + 1].kind == "name"
    )


def _belongs_behind(tokens: Sequence[Token], index: int) -> bool:
    token, before = tokens[index], tokens[index - 1]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if token.kind in {"number", "unit", "comma"} or token.text.casefold() in MISSING:
        return True
    if token.kind == "line":
        return token.text.count("\n") == 1 and _is_address_line(tokens, index, 1)
    if token.text == ".":
        is_short = before.kind == "unit" or len(before.text) <= 4
        is_cut = following is not None and following.kind == "number" and before.kind == "name"
        return is_cut or (
            is_short
            and following is not None
            and following.kind in {"number", "name", "unit", "line", "comma"}
        )
    if token.kind == "mark":
        return token.text in "'’()#/-"
    if token.kind == "joiner":
        return following is not None and (
            following.kind in {"name", "joiner", "number"}
            or following.text == "."
            or _ends_foreign_name(tokens, index + 1)
        )
    if _ends_foreign_name(tokens, index):
        return True
    if token.kind == "word" and before.kind == "number" and leads_to_name(tokens, index):
        return following is not None and following.kind in {"name", "joiner"}
    return (token.kind == "name" and not _begins_sentence(token, before)) or _is_and(tokens, index)


def _ends_foreign_name(tokens: Sequence[Token], index: int) -> bool:
    """A word in small letters behind a small word, at the end of a part: the "bajos" of "San Juan los bajos,"."""
    token, before, behind = tokens[index], tokens[index - 1], tokens[index + 1 : index + 2]
    return (
        token.kind == "word"
        and before.kind == "joiner"
        and before.text.casefold() not in ENGLISH_JOINERS
        and token.text not in table("common_words")
        and bool(behind)
        and behind[0].kind in {"comma", "line"}
    )


def _begins_sentence(token: Token, before: Token) -> bool:
    return before.text in {".", ")"} and token.text.casefold() in table("common_words")


def _is_address_line(tokens: Sequence[Token], line: int, step: int) -> bool:
    """The line before (`step` -1) or behind (+1) a line break holds parts of an address, at least where they meet."""
    found: list[Token] = []
    position = line + step
    while 0 <= position < len(tokens) and len(found) < LONGEST_LINE:
        is_part = tokens[position].kind in PARTS or tokens[position].text in BRACKETS
        if not is_part and not _ends_foreign_name(tokens, position):
            break
        found.append(tokens[position])
        position += step
    is_whole = (
        not 0 <= position < len(tokens)
        or tokens[position].kind == "line"
        or tokens[position].text == "."
    )
    if any(token.kind in {"number", "unit"} for token in found) or step < 0:
        return is_whole or (step > 0 and len(found) > 1)
    names = " ".join(token.text for token in found if token.kind != "comma").casefold()
    is_known = names in table("regions") or ends_street(found)
    return is_whole and (is_known or any(_is_part(token) for token in found))


def _is_part(token: Token) -> bool:
    is_code = token.text.isupper() and len(token.text) <= 3
    is_name = token.kind == "name" and token.text.casefold() not in table("common_words")
    return is_code or is_name or token.text.casefold() in MISSING


PARTS = frozenset({"name", "number", "unit", "comma", "joiner"})
BRACKETS = frozenset("()-/'")
LONGEST_LINE = 12
"""Tokens."""
