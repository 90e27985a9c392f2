"""Addresses with the capitals that careful writing has, in a text that was typed without or shouted."""

import re
from functools import cache

from tunesmith.core.privacy.address_tokens import SIGN, streets
from tunesmith.core.privacy.lexicon import behind, listed, words
from tunesmith.core.privacy.words import VERBS, WORD, is_plain, titled

ONE = WORD.pattern
TOLD = behind("addresses", "told_before", ":? ")
NUMBERED = re.compile(rf"(?<![\w.,-])\d{{1,5}}[a-z]?,? ((?:{ONE} ){{1,3}}{ONE})(?!\w)")
STATE_AND_CODE = re.compile(
    rf"(?m)(?:^|(?<=, ))({ONE}(?:[ '-]{ONE}){{0,3}}), "
    r"([A-Za-z]{2}) (?:(?=\d{5}(?:-\d{4})?(?!\w))|([A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d)(?!\w))"
)
CLEAR_STREETS = frozenset(
    {"avenue", "ave", "blvd", "boulevard", "crescent", "highway", "lane", "parkway", "rd", "road"}
    | {"street", "terrace"}
)
"""Kinds of street that mean hardly anything else in English, as "way" and "close" do."""
VERBS_TOO = frozenset({"put", "gang"})
"""Kinds of street that are mostly something else in English."""


def with_addresses(text: str) -> str:
    """`text` with capitals in its streets, and in its towns before a state and its code."""
    text = _with_foreign_streets(with_numbered_streets(text))
    for match in STATE_AND_CODE.finditer(text):
        line = f"{titled(match[1])}, {match[2].upper()} {(match[3] or '').upper()}"
        text = text[: match.start()] + line + text[match.start() + len(line) :]
    return text


def with_numbered_streets(text: str, *, only_told: bool = False) -> str:
    """`text` with capitals where an English street stands behind its number: "31 hope road".

    With `only_told`, behind "lives at" and the like alone.
    """
    for match in NUMBERED.finditer(text):
        if only_told and not TOLD.search(text, max(0, match.start() - 60), match.start()):
            continue
        if end := _street_end(text, match):
            text = text[: match.start(1)] + titled(text[match.start(1) : end]) + text[end:]
    return text


def _street_end(text: str, numbered: re.Match[str]) -> int:
    """Where the street behind a house number ends; 0 where there is none."""
    found = list(WORD.finditer(text, *numbered.span(1)))
    for place in range(len(found) - 1, 0, -1):
        names = [match.group().lower() for match in found[:place]]
        kind = found[place].group().lower()
        if kind not in streets()["after"] or any(map(_is_never_in_a_street, names)):
            continue
        if kind in CLEAR_STREETS or names[-1] in words("given_names") or not is_plain(names[-1]):
            return found[place].end()
    return 0


def _is_never_in_a_street(word: str) -> bool:
    return word in VERBS or word in listed("people", "function_words")


def _with_foreign_streets(text: str) -> str:
    """With capitals in names that stand between a kind of street and a number: "calle tucumán 61", "48, rue ledoux"."""
    for form in _foreign_forms():
        for match in form.finditer(text):
            start, end = match.span("names")
            names = [word for word in WORD.findall(text, start, end) if not _is_joiner(word)]
            kind_is_english = (match.groupdict().get("kind") or "") in words("common_words")
            enough = any if kind_is_english else all
            if names and not enough(map(is_plain, names)):
                text = text[:start] + _without_joiners(text[start:end]) + text[end:]
    return text


def _is_joiner(word: str) -> bool:
    return word in streets()["joiners"]


def _without_joiners(text: str) -> str:
    return WORD.sub(lambda found: found[0] if _is_joiner(found[0]) else titled(found[0]), text)


@cache
def _foreign_forms() -> tuple[re.Pattern[str], ...]:
    named, common = streets(), words("common_words")
    joiner = rf"(?:(?:{'|'.join(map(re.escape, sorted(named['joiners'])))})[ '’])*"
    first = _choice((named["before"] | named["between"]) - VERBS_TOO)
    last = _choice(named["after"] - common)
    names = rf"{joiner}{ONE}(?:[ ]{joiner}{ONE}){{0,3}}?"
    forms = (
        rf"(?<!\w)(?P<kind>{first})\.? ?(?P<names>{names}),? ?(?:{SIGN})?(?=\d)",
        rf"(?<![\w.,-])\d{{1,5}}[a-z]?,? {_choice(named['between'])} (?P<names>{joiner}{ONE})(?!\w)",
        rf"(?<!\w)(?P<names>(?:{ONE} ){{1,2}}{last}) (?=\d)",
    )
    return tuple(re.compile(form) for form in forms)


def _choice(kinds: frozenset[str]) -> str:
    return rf"(?:{'|'.join(sorted(map(re.escape, kinds), key=len, reverse=True))})"
