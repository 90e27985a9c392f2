"""Fields of forms: what stands behind "Surname:" is a name, whatever it looks like."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from tunesmith.core.privacy.lexicon import choice, listed
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import FUNCTION_WORDS
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import Word

SCORE = 0.9
NAME = r"[^\W\d_](?:[^\W\d_]|['’.-])*"
VALUES = {
    "PERSON": rf"{NAME}(?:,? {NAME}){{0,4}}?",
    "GPE": rf"{NAME}(?:,? [(]?-?{NAME}[)]?){{0,5}}?",
    "STREET_ADDRESS": r"[^\n;|:@]{4,80}?",
    "ORGANIZATION": r"[^\W_](?:[^\W_]|[ ,.&'’+-]){1,60}?",
    "TITLE": r"[^\W\d_](?:[^\W\d_]|[ ,/&()'’-]){2,60}?",
    "NRP": rf"{NAME}(?: {NAME}){{0,2}}?",
    "ZIP_CODE": r"(?=\D{0,3}\d)[A-Z\d](?:[ -]?[A-Z\d]){2,9}?",
}
"""What may be entered in a field, by type; as little as reaches to the end of the field."""
OPENING = r"(?:^|[;|,\t])[ \t>*•-]*"
CLOSING = r"[ \t]*\.?(?=$|[;|,\t(<])"
LINKS = frozenset({"and", "for", "in", "of", "the"})
"""Small words inside the names of firms and places, and inside jobs."""
NAMES = {"PERSON": ("given_names", "surnames"), "GPE": ("cities", "regions"), "ORGANIZATION": ()}
"""Types whose values are names, and the lists of those that are English words too."""
NOTHING = listed("forms", "nothing")


SPEAKER = re.compile(r"^[ \t>*\[]*([^\W\d_]{2,20})(?=:[ \t]*[^\s\d])", re.MULTILINE)


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """What is entered in the fields of `text`, and who speaks in a dialogue."""
    if ":" not in text:
        return
    yield from _speakers(text)
    for kind, regex in _fields().items():
        for match in regex.finditer(text):
            start, end = match.span(1)
            entered = [word for word in words if start <= word.start < end]
            if _is_entry(match.group(1), kind, entered):
                yield Span(start, end, kind, SCORE)


def _speakers(text: str) -> Iterator[Span]:
    """Given names before what they say, where at least two lines begin so and none with a label of another kind."""
    lines = list(SPEAKER.finditer(text))
    if len(lines) > 1 and all(line[1].casefold() in table("given_names") for line in lines):
        for line in lines:
            yield Span(*line.span(1), "PERSON", SCORE)


@cache
def _fields() -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile(
            rf"{OPENING}{choice('forms', kind)}[ \t]*:[ \t]*({value}){CLOSING}",
            re.IGNORECASE | re.MULTILINE,
        )
        for kind, value in VALUES.items()
    }


def _is_entry(entry: str, kind: str, words: Sequence[Word]) -> bool:
    """It can be what the field asks for: no "n/a", no sentence and no code."""
    if kind == "ZIP_CODE":
        return True
    if not words or entry.casefold() in NOTHING:
        return False
    if kind == "STREET_ADDRESS":
        return any(letter.isdigit() for letter in entry) and len(words) < LONGEST_ADDRESS
    if kind in NAMES and not _is_name(kind, words, is_capitalised=entry[0].isupper()):
        return False
    links = frozenset[str]() if kind == "PERSON" else LINKS
    return not any(word.folded in FUNCTION_WORDS - links for word in words)


LONGEST_ADDRESS = 12
"""Words."""


def _is_name(kind: str, words: Sequence[Word], *, is_capitalised: bool) -> bool:
    """A word in it is no English one, or one with a capital that is a name as well; of a firm, all may be English."""
    if any(not word.is_common for word in words):
        return True
    if kind == "ORGANIZATION":
        return is_capitalised and len(words) > 1
    return is_capitalised and any(
        word.folded in table(name) for name in NAMES[kind] for word in words
    )
