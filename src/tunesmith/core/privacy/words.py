"""A text as words: where each stands, how it is written, and whether it is an English word or a name of something."""

import re
from collections.abc import Set
from functools import cache
from typing import NamedTuple

from tunesmith.core.privacy.lexicon import words

WORD = re.compile(r"[^\W\d_]+(?:['’](?!s\b|S\b)[^\W\d_]+|-[^\W\d_]+)*")
"""Letters, with inner apostrophes and hyphens; a possessive `'s` is not part of the word."""
CODE_BEFORE, CODE_BEHIND = frozenset('`_\\={}$#@/."<'), frozenset("`_\\={}$#@(/")
"""Marks that touch a word where it is code, part of a path or of an address, and no name."""
INNER_CAPITAL = re.compile(r"[a-zß-öø-ÿ][A-Z]")
NAME_WITH_CAPITAL = re.compile(r"(?:Mc|Mac|De|Di|Da|Du|La|Le|Van|O['’]|D['’])[A-Z]")
CONTRACTIONS = frozenset({"d", "ll", "m", "re", "s", "t", "ve"})
LONGEST_ACRONYM = 4
"""Letters; a longer word in capitals is shouted, not spelt."""
SHOUTED = re.compile(r"[^\W\d_a-z]{5}")


class Word(NamedTuple):
    """One word of a text."""

    start: int
    end: int
    text: str
    folded: str
    is_capitalised: bool
    is_common: bool
    """An English word that says nothing about anybody."""

    @property
    def is_acronym(self) -> bool:
        """A few letters, all capitals."""
        return len(self.text) <= LONGEST_ACRONYM and self.text.isupper()

    @property
    def is_unknown_name(self) -> bool:
        """Capitalised, and neither an English word, nor an acronym, nor the name of a thing that everybody has."""
        return (
            self.is_capitalised
            and not self.is_common
            and not self.is_acronym
            and self.folded not in words("things")
        )


def split(text: str) -> list[Word]:
    """The words of `text` in order, without those that are code."""
    common = words("common_words")
    found = []
    for match in WORD.finditer(text):
        word = match.group()
        start, end = match.span()
        if _is_code(text, word, start, end):
            continue
        folded = word.casefold()
        is_common = folded in common or _is_compound(folded, common)
        found.append(Word(start, end, word, folded, word[0].isupper(), is_common))
    return found


def _is_code(text: str, word: str, start: int, end: int) -> bool:
    if (text[end : end + 1] in CODE_BEHIND and text[end : end + 1] != "") or text[
        start - 1 : start
    ].isdigit():
        return True
    if (
        start
        and text[start - 1] in CODE_BEFORE
        and not (text[start - 1] in './"<' and word[0].isupper())
    ):
        return True
    return bool(INNER_CAPITAL.search(word)) and not NAME_WITH_CAPITAL.match(word)


def _is_compound(folded: str, common: Set[str]) -> bool:
    """It is joined from common words ("market-leading"), or shortened from two ("I'm", "they've")."""
    if "-" in folded:
        return all(part in common for part in folded.split("-"))
    first, mark, rest = folded.replace("’", "'").partition("'")
    return bool(mark) and rest in CONTRACTIONS and (first in common or first == "i" or rest == "t")


def cased(text: str) -> str:
    """`text` as it would be written with care, letter for letter at the same places.

    In a text without capitals, words that are names get one; words that are shouted lose theirs. Rules and language
    models alike know names by their capitals.
    """
    if not any(letter.isupper() for letter in text):
        return _with_capitals(text)
    if not any(letter.islower() for letter in text) and len(text.lower()) == len(text):
        return _with_capitals(text.lower())
    return WORD.sub(_hushed, text) if SHOUTED.search(text) else text


def _hushed(match: re.Match[str]) -> str:
    word = match.group()
    if len(word) <= LONGEST_ACRONYM or not word.isupper():
        return word
    written = word.lower() if word.casefold() in words("common_words") else word.title()
    return written if len(written) == len(word) else word


def _with_capitals(text: str) -> str:
    pieces: list[str] = []
    done, was_name = 0, False
    for match in WORD.finditer(text):
        word, gap = match.group(), text[done : match.start()]
        before = text[max(0, match.start() - 24) : match.start()]
        is_next = was_name and gap in {" ", ". "}
        was_name = _is_name(word, before, is_next=is_next)
        written = word.title() if was_name else word
        pieces += [gap, written if len(written) == len(word) else word]
        done = match.end()
    return "".join([*pieces, text[done:]])


def _is_name(word: str, before: str, *, is_next: bool) -> bool:
    """Whether a word without a capital is a name, by itself or behind what stands before it."""
    parts = word.split("-")
    is_expected = is_next or bool(NAME_FOLLOWS.search(before))
    is_known = any(part in _sure_names() or (is_expected and part in _names()) for part in parts)
    if not is_known:
        return False
    if len(parts) == 2 and all(part in words("surnames") for part in parts):
        return not all(part in words("common_words") for part in parts)
    is_plain = any(part in words("common_words") or part in words("things") for part in parts)
    return not is_plain or bool(NAMED.search(before))


NAMED = re.compile(
    r"\b(?:(?:first|last|middle|maiden|full)? ?name is|named|call me|mrs?\.?|ms\.) \Z"
)
NAME_FOLLOWS = re.compile(
    r"(?:\b(?:in|from|near|to|at|by|name is|i'm|i am|mrs?\.|ms\.|dr\.|dear|hi)|[,\n:>]) ?\Z"
)


@cache
def _sure_names() -> Set[str]:
    return frozenset().union(*(words(table) for table in ("given_names", "demonyms", "regions")))


@cache
def _names() -> Set[str]:
    places = {
        part for table in ("cities", "regions") for place in words(table) for part in place.split()
    }
    return places | words("surnames")
