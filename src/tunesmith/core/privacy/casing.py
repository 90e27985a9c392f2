"""A text with the capitals that careful writing has: names that were typed without, and words that were shouted."""

import re
from collections.abc import Sequence, Set
from functools import cache

from tunesmith.core.privacy.address_casing import with_addresses, with_numbered_streets
from tunesmith.core.privacy.lexicon import listed, words
from tunesmith.core.privacy.words import LONGEST_ACRONYM, VERBS, WORD, is_plain, titled

SHOUTED = re.compile(r"[^\W\d_a-z]{5}")
SPEAKER = re.compile(r"(?<![\w.])I(?=['’ ])")
"""The one word that many write with a capital who write no other so."""
TITLED = re.compile(r"\b(?:mrs?\.?|ms\.|dr\.?|prof\.) \Z")
NAMED = re.compile(
    rf"\b(?:(?:first|last|middle|maiden|full)? ?name is|named|call me) \Z|{TITLED.pattern}"
)
NAME_FOLLOWS = re.compile(
    r"(?:\b(?:in|from|near|to|at|by|name is|i'm|i am|mrs?\.|ms\.|dr\.|dear|hi)|[,\n:>]) ?\Z"
)
INTRODUCED = re.compile(
    r"\b(?i:(?P<name>name(?:['’]s| is))|i am|i['’]?m|this is|dear|hello|hey|hi|thanks|thank you),? "
    r"([^\W\d_]{2,})(?: ([^\W\d_]{2,}))?(?![\w@])"
)
FOUNDERS = re.compile(r"(?<!\w)([^\W\d_]+), ([^\W\d_]+) (?:and|&) ([^\W\d_]+)(?!\w)")


def cased(text: str) -> str:
    """`text` as it would be written with care, letter for letter at the same places.

    In a text without capitals, words that are names get one; words that are shouted lose theirs. Rules and language
    models alike know names by their capitals.
    """
    if not any(letter.isupper() for letter in SPEAKER.sub("", text)):
        return with_addresses(_with_capitals(text, is_shouted=False))
    if not any(letter.islower() for letter in text) and len(text.lower()) == len(text):
        return with_addresses(_with_capitals(text.lower(), is_shouted=True))
    text = INTRODUCED.sub(_introduced, text)
    if SHOUTED.search(text):
        return with_addresses(WORD.sub(_hushed, text))
    return with_numbered_streets(text, only_told=True)


def _introduced(match: re.Match[str]) -> str:
    """Who says a name without capitals among others that have them: "My name is olga petrova"."""
    first, last = match[2], match[3] or ""
    is_given = first in words("given_names") and first not in words("demonyms")
    if not first.islower() or is_plain(first) or not (match["name"] or is_given):
        return match.group()
    is_surname = last.islower() and last in words("surnames") and not is_plain(last)
    said = match.group()[: match.start(2) - match.start()]
    return f"{said}{titled(first)}{f' {titled(last) if is_surname else last}' if last else ''}"


def _hushed(match: re.Match[str]) -> str:
    word = match.group()
    if len(word) <= LONGEST_ACRONYM or not word.isupper() or re.search(r"\b\w\b", word):
        return word
    return word.lower() if word.casefold() in words("common_words") else titled(word)


def _with_capitals(text: str, *, is_shouted: bool) -> str:
    found = list(WORD.finditer(text))
    founders = _founders(text)
    pieces: list[str] = []
    done, was_name = 0, False
    for index, match in enumerate(found):
        word, gap = match.group(), text[done : match.start()]
        before = text[max(0, match.start() - 24) : match.start()]
        is_next = was_name and gap in {" ", ". "}
        is_unknown = is_shouted and len(word) > LONGEST_ACRONYM and _is_unknown(word)
        was_name = (
            match.start() in founders
            or is_unknown
            or _is_name(word, before, is_next=is_next)
            or (is_next and not is_shouted and _goes_on(found[index - 1].group(), word))
            or _is_part_of_name(text, found, index, is_next=is_next, is_shouted=is_shouted)
        )
        pieces += [gap, titled(word) if was_name else word]
        done = match.end()
    return "".join([*pieces, text[done:]])


def _is_name(word: str, before: str, *, is_next: bool) -> bool:
    """Whether a word without a capital is a name, by itself or behind what stands before it."""
    parts = word.split("-")
    is_named = bool(NAMED.search(before))
    is_expected = is_next or any(form.search(before) for form in (TITLED, NAME_FOLLOWS))
    is_known = any(part in _sure_names() or (is_expected and part in _names()) for part in parts)
    if not is_known:
        return is_named and not is_plain(word)
    if len(parts) == 2 and all(part in words("surnames") for part in parts):
        return not all(part in words("common_words") for part in parts)
    return not is_plain(word) or is_named


def _goes_on(name: str, word: str) -> bool:
    """Behind a given name, an initial or a word that no list knows is the rest of it: "liv k. sætre"."""
    if len(word) == 1:
        return word not in {"a", "i"}
    return (len(name) == 1 or name in words("given_names")) and _is_unknown(word)


def _is_part_of_name(
    text: str, found: Sequence[re.Match[str]], index: int, *, is_next: bool, is_shouted: bool
) -> bool:
    """An English word that is a name beside one that is none: "robin murphy", "ryan green" at the end of a part.

    Shouted it may stand anywhere: there, no small letter of the next word says where the name ends.
    """
    match = found[index]
    word = match.group()
    if word in VERBS or word in listed("people", "function_words"):
        return False
    if is_next and word in words("surnames"):
        previous = found[index - 1].group()
        is_last = text[match.end() : match.end() + 1] in {"", ",", ".", "!", "?", "\n", "'"}
        return (is_last or is_shouted) and previous in words("given_names")
    following = found[index + 1] if index + 1 < len(found) else None
    if following is None or text[match.end() : following.start()] != " ":
        return False
    name = following.group()
    return word in words("given_names") and name in words("surnames") and not is_plain(name)


def _is_unknown(word: str) -> bool:
    """Neither an English word nor the name of a thing, and not joined from such."""
    return not all(map(is_plain, word.split("-")))


def _founders(text: str) -> set[int]:
    """Where the names of a firm's three founders begin: "reed, carpenter and riley"."""
    starts: set[int] = set()
    for match in FOUNDERS.finditer(text):
        names = match.groups()
        if all(name in words("surnames") for name in names) and not all(map(is_plain, names)):
            starts.update(match.start(group) for group in (1, 2, 3))
    return starts


@cache
def _sure_names() -> Set[str]:
    return frozenset().union(*(words(table) for table in ("given_names", "demonyms", "regions")))


@cache
def _names() -> Set[str]:
    places = {
        part for table in ("cities", "regions") for place in words(table) for part in place.split()
    }
    return places | words("surnames")
