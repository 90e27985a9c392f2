"""A text with the capitals that careful writing has: names that were typed without, and words that were shouted."""

import re
from collections.abc import Sequence, Set
from functools import cache

from tunesmith.core.privacy.address_tokens import streets
from tunesmith.core.privacy.lexicon import behind, listed, words
from tunesmith.core.privacy.words import LONGEST_ACRONYM, WORD

SHOUTED = re.compile(r"[^\W\d_a-z]{5}")
NAMED = re.compile(
    r"\b(?:(?:first|last|middle|maiden|full)? ?name is|named|call me|mrs?\.?|ms\.) \Z"
)
NAME_FOLLOWS = re.compile(
    r"(?:\b(?:in|from|near|to|at|by|name is|i'm|i am|mrs?\.|ms\.|dr\.|dear|hi)|[,\n:>]) ?\Z"
)
FOUNDERS = re.compile(r"(?<!\w)([^\W\d_]+), ([^\W\d_]+) (?:and|&) ([^\W\d_]+)(?!\w)")
NUMBERED = re.compile(r"(?<![\w.,-])\d{1,5}[a-z]? ((?:[^\W\d_]+ ){1,3}[^\W\d_]+)(?!\w)")
TOWN_AND_STATE = re.compile(
    r"(?m)(?:^|(?<=, ))([^\W\d_]+(?:[ '-][^\W\d_]+){0,3}), ([A-Za-z]{2}) (?=\d{5}(?:-\d{4})?(?!\w))"
)
TOLD = behind("addresses", "told_before", ":? ")
CLEAR_STREETS = frozenset(
    {"avenue", "ave", "blvd", "boulevard", "crescent", "highway", "lane", "parkway", "rd", "road"}
    | {"street", "terrace"}
)
"""Kinds of street that mean hardly anything else in English, as "way" and "close" do."""
VERBS = frozenset({"can", "may", "might", "must", "shall", "will"})
"""Names too, and far more often no names."""


def cased(text: str) -> str:
    """`text` as it would be written with care, letter for letter at the same places.

    In a text without capitals, words that are names get one; words that are shouted lose theirs. Rules and language
    models alike know names by their capitals.
    """
    if not any(letter.isupper() for letter in text):
        return _with_towns(_with_streets(_with_capitals(text, is_shouted=False)))
    if not any(letter.islower() for letter in text) and len(text.lower()) == len(text):
        return _with_towns(_with_streets(_with_capitals(text.lower(), is_shouted=True)))
    if SHOUTED.search(text):
        return _with_towns(_with_streets(WORD.sub(_hushed, text)))
    return _with_streets(text, only_told=True)


def _hushed(match: re.Match[str]) -> str:
    word = match.group()
    if len(word) <= LONGEST_ACRONYM or not word.isupper() or re.search(r"\b\w\b", word):
        return word
    return word.lower() if word.casefold() in words("common_words") else _titled(word)


def _titled(text: str) -> str:
    """Each word with a capital, where that leaves the number of letters; shouted ones without the others."""
    written = WORD.sub(lambda match: _capital(match.group()), text)
    return written if len(written) == len(text) else text


def _capital(word: str) -> str:
    return word.title() if word.isupper() or word.islower() else word[0].upper() + word[1:]


def _with_capitals(text: str, *, is_shouted: bool) -> str:
    found = list(WORD.finditer(text))
    founders = _founders(text)
    pieces: list[str] = []
    done, was_name = 0, False
    for index, match in enumerate(found):
        word, gap = match.group(), text[done : match.start()]
        before = text[max(0, match.start() - 24) : match.start()]
        is_next = was_name and gap in {" ", ". "}
        is_unknown = is_shouted and len(word) > LONGEST_ACRONYM and not _is_plain(word)
        was_name = (
            match.start() in founders
            or is_unknown
            or _is_name(word, before, is_next=is_next)
            or _is_part_of_name(text, found, index, is_next=is_next)
        )
        pieces += [gap, _titled(word) if was_name else word]
        done = match.end()
    return "".join([*pieces, text[done:]])


def _is_name(word: str, before: str, *, is_next: bool) -> bool:
    """Whether a word without a capital is a name, by itself or behind what stands before it."""
    parts = word.split("-")
    is_named = bool(NAMED.search(before))
    is_expected = is_next or bool(NAME_FOLLOWS.search(before))
    is_known = any(part in _sure_names() or (is_expected and part in _names()) for part in parts)
    if not is_known:
        return is_named and not _is_plain(word)
    if len(parts) == 2 and all(part in words("surnames") for part in parts):
        return not all(part in words("common_words") for part in parts)
    return not _is_plain(word) or is_named


def _is_plain(word: str) -> bool:
    """A part of it is an English word, or the name of a thing that everybody has."""
    return any(part in words("common_words") or part in words("things") for part in word.split("-"))


def _is_part_of_name(
    text: str, found: Sequence[re.Match[str]], index: int, *, is_next: bool
) -> bool:
    """An English word that is a name beside one that is none: "robin murphy", "ryan green" at the end of a part."""
    match = found[index]
    word = match.group()
    if word in VERBS or word in listed("people", "function_words"):
        return False
    if is_next and word in words("surnames"):
        previous = found[index - 1].group()
        is_last = text[match.end() : match.end() + 1] in {"", ",", ".", "!", "?", "\n", "'"}
        return is_last and previous in words("given_names")
    following = found[index + 1] if index + 1 < len(found) else None
    if following is None or text[match.end() : following.start()] != " ":
        return False
    name = following.group()
    return word in words("given_names") and name in words("surnames") and not _is_plain(name)


def _founders(text: str) -> set[int]:
    """Where the names of a firm's three founders begin: "reed, carpenter and riley"."""
    starts: set[int] = set()
    for match in FOUNDERS.finditer(text):
        names = match.groups()
        if all(name in words("surnames") for name in names) and not all(map(_is_plain, names)):
            starts.update(match.start(group) for group in (1, 2, 3))
    return starts


def _with_streets(text: str, *, only_told: bool = False) -> str:
    """With capitals where a street stands behind its number; with `only_told`, behind "lives at" and the like alone."""
    for match in NUMBERED.finditer(text):
        if only_told and not TOLD.search(text, max(0, match.start() - 60), match.start()):
            continue
        if end := _street_end(text, match):
            text = text[: match.start(1)] + _titled(text[match.start(1) : end]) + text[end:]
    return text


def _with_towns(text: str) -> str:
    """With capitals where a town stands before a state and its ZIP code."""
    for match in TOWN_AND_STATE.finditer(text):
        line = f"{_titled(match[1])}, {match[2].upper()}"
        text = text[: match.start()] + line + text[match.end(2) :]
    return text


def _street_end(text: str, numbered: re.Match[str]) -> int:
    """Where the street behind a house number ends; 0 where there is none."""
    found = list(WORD.finditer(text, *numbered.span(1)))
    for place in range(len(found) - 1, 0, -1):
        names = [match.group().lower() for match in found[:place]]
        kind = found[place].group().lower()
        if kind not in streets()["after"] or any(map(_is_never_in_a_street, names)):
            continue
        if kind in CLEAR_STREETS or names[-1] in words("given_names") or not _is_plain(names[-1]):
            return found[place].end()
    return 0


def _is_never_in_a_street(word: str) -> bool:
    return word in VERBS or word in listed("people", "function_words")


@cache
def _sure_names() -> Set[str]:
    return frozenset().union(*(words(table) for table in ("given_names", "demonyms", "regions")))


@cache
def _names() -> Set[str]:
    places = {
        part for table in ("cities", "regions") for place in words(table) for part in place.split()
    }
    return places | words("surnames")
