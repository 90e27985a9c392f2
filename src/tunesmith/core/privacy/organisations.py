"""Organisations: names that end in a legal form, firms named after their founders, and names behind "works for"."""

import re
from collections.abc import Iterator, Sequence

from tunesmith.core.privacy.lexicon import behind, choice
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import is_surname
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import Word

NAME = r"(?<![\w-])[^\W\d_a-zß-öø-ÿ][\w&'’.-]{0,40}"
LEGAL_FORM = re.compile(
    rf"\b{NAME}(?:,? (?:and |& )?{NAME}){{0,5}},? {choice('organisations', 'legal_forms')}(?!\w)\.?"
)
FOUNDERS = re.compile(
    r"\b([^\W\d_]+(?:-[^\W\d_]+)?), ([^\W\d_]+(?:-[^\W\d_]+)?) (?:and|&) ([^\W\d_]+(?:-[^\W\d_]+)?)\b"
)
WORKPLACE = behind("organisations", "before")
BEFORE_OFFICE = re.compile(
    rf"\b(?:[Tt]he|[Oo]ur|[Mm]y|an?) ({NAME}(?: (?:(?:and|of|&) )?{NAME}){{0,4}})"
    rf"(?='s {choice('organisations', 'owned')}| {choice('organisations', 'behind')}\b)"
)


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Organisations in `text`."""
    for match in LEGAL_FORM.finditer(text):
        yield Span(*match.span(), "ORGANIZATION", 0.87)
    for match in FOUNDERS.finditer(text):
        if _are_founders(match, words):
            yield Span(*match.span(), "ORGANIZATION", 0.75)
    for match in BEFORE_OFFICE.finditer(text):
        yield Span(*match.span(1), "ORGANIZATION", 0.5)
    for index, word in enumerate(words):
        if "-" in word.text and word.text.istitle() and is_surname(word):
            yield Span(word.start, word.end, "ORGANIZATION", 0.45)
        if not word.is_unknown_name or word.folded in table("demonyms"):
            continue
        run = _run(text, words, index)
        if WORKPLACE.search(text[max(0, word.start - 24) : word.start]):
            yield Span(word.start, run[-1].end, "ORGANIZATION", 0.55)
        else:
            yield Span(word.start, word.end, "ORGANIZATION", UNKNOWN_SCORE)


UNKNOWN_SCORE = 0.41
"""A capitalised word that no English sentence explains is a name of something."""


def _are_founders(match: re.Match[str], words: Sequence[Word]) -> bool:
    inside = [word for word in words if match.start() <= word.start < match.end()]
    names = [word for word in inside if word.folded != "and"]
    return len(names) == 3 and all(word.is_capitalised and is_surname(word) for word in names)


def _run(text: str, words: Sequence[Word], index: int) -> list[Word]:
    run = [words[index]]
    for word in words[index + 1 : index + 6]:
        if text[run[-1].end : word.start] != " " or not word.is_capitalised:
            break
        run.append(word)
    return run
