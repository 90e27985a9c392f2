"""A text as words: where each stands, how it is written, and whether it is an English word or a name of something."""

import re
from collections.abc import Set
from functools import cache
from typing import NamedTuple

from tunesmith.core.privacy.lexicon import words

WORD = re.compile(r"[^\W\d_]+(?:['’](?!s\b|S\b)[^\W\d_]+|-[^\W\d_]+)*")
"""Letters, with inner apostrophes and hyphens; a possessive `'s` is not part of the word."""
CODE_BEFORE, CODE_BEHIND = frozenset('`_\\={}$#@/."<+'), frozenset("`_\\={}$#@(/+")
"""Marks that touch a word where it is code, part of a path or of an address, and no name."""
INNER_CAPITAL = re.compile(r"[a-zß-öø-ÿ][A-Z]")
NAME_WITH_CAPITAL = re.compile(r"(?:Mc|Mac|De|Di|Da|Du|La|Le|Van|O['’]|D['’])[A-Z]")
VERBS = frozenset({"can", "may", "might", "must", "shall", "will"})
"""Names too, and far more often no names."""
CONTRACTIONS = frozenset({"d", "ll", "m", "re", "s", "t", "ve"})
LONE_LETTER = re.compile(r"(?<!\w)\w-|-\w(?!\w)")
LONGEST_ACRONYM = 4
"""Letters; a longer word in capitals is shouted, not spelt."""


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
        """A few letters, all capitals, perhaps in the plural ("APIs"); or such with a letter of their own ("USB-C")."""
        one = self.text.removesuffix("s")
        is_short = len(one) <= LONGEST_ACRONYM or bool(LONE_LETTER.search(self.text))
        return is_short and one.isupper()

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
    """The words of `text` in order, without those that are code or name a thing in several words."""
    common = words("common_words")
    things = [match.span() for match in _long_things().finditer(text)]
    found = []
    for match in WORD.finditer(text):
        word = match.group()
        start, end = match.span()
        if _is_code(text, word, start, end) or any(a <= start < b for a, b in things):
            continue
        folded = word.casefold()
        is_common = folded in common or _is_compound(folded, common)
        found.append(Word(start, end, word, folded, word[0].isupper(), is_common))
    return found


@cache
def _long_things() -> re.Pattern[str]:
    entries = sorted((entry for entry in words("things") if " " in entry), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(entries)})(?!\w)", re.IGNORECASE)


def _is_code(text: str, word: str, start: int, end: int) -> bool:
    before, behind = text[start - 1 : start], text[end : end + 1]
    if (behind and behind in CODE_BEHIND) or before.isdigit():
        return True
    if before and before in CODE_BEFORE and not _is_name_behind(text, word, start):
        return True
    if text[start - 2 : start] == "--":
        return True
    return bool(INNER_CAPITAL.search(word)) and not NAME_WITH_CAPITAL.match(word)


def _is_name_behind(text: str, word: str, start: int) -> bool:
    """A mark before it may stand before names too: `"Anna"`, `@Anna`."""
    mark, is_first = text[start - 1], text[start - 2 : start - 1].strip() == ""
    if mark == "@":
        return is_first and word[0].isupper() and word.casefold() in words("given_names")
    return mark in './"<}' and word[0].isupper()


def _is_compound(folded: str, common: Set[str]) -> bool:
    """It is joined from common words ("market-leading"), or shortened from two ("I'm", "they've")."""
    if "-" in folded:
        return all(part in common for part in folded.split("-"))
    first, mark, rest = folded.replace("’", "'").partition("'")
    return bool(mark) and rest in CONTRACTIONS and (first in common or first == "i" or rest == "t")


def is_plain(word: str) -> bool:
    """A part of it, in small letters, is an English word, or the name of a thing that everybody has."""
    return any(part in words("common_words") or part in words("things") for part in word.split("-"))


def titled(text: str) -> str:
    """Each word with a capital, where that leaves the number of letters; shouted ones without the others."""
    written = WORD.sub(lambda match: _capital(match.group()), text)
    return written if len(written) == len(text) else text


def _capital(word: str) -> str:
    return word.title() if word.isupper() or word.islower() else word[0].upper() + word[1:]
