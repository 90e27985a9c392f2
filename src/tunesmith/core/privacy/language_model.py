"""Names found by a spaCy model: what depends on the sentence around it."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.core.privacy.lean_import import without_command_line, without_frameworks
from tunesmith.core.privacy.lexicon import words
from tunesmith.core.privacy.people import IMPERATIVES, is_told
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import LONGEST_ACRONYM, split
from tunesmith.errors import MissingDependencyError

BATCH = 128
"""Texts a batch."""
LABELS = {
    "PERSON": ("PERSON", 0.7),
    "PER": ("PERSON", 0.7),
    "GPE": ("GPE", 0.7),
    "LOC": ("GPE", 0.6),
    "FAC": ("STREET_ADDRESS", 0.5),
    "ORG": ("ORGANIZATION", 0.5),
    "NORP": ("NRP", 0.7),
    "DATE": ("DATE_TIME", 0.5),
    "TIME": ("DATE_TIME", 0.5),
}
UNUSED = ("parser", "tagger", "lemmatizer", "attribute_ruler", "morphologizer", "senter")
CALENDAR = re.compile(
    r"\b(?:1[89]|20)\d\d\b|day\b.*\d|\d+[:/.-]\d+|\b(?:january|february|march|april|june|july|august|september|october|november"
    r"|december)\b|\bmay \d|\d may\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    re.IGNORECASE,
)

OPENING = re.compile(r"^(?:[\W_]+|(?:the|of|and|dear|hello|hey|hi|thanks) )+", re.IGNORECASE)
VERB = re.compile(rf"^(?:{'|'.join(sorted(IMPERATIVES))})(?: |$)", re.IGNORECASE)
"""Belong to no name; the second where it tells somebody what to do."""


class LanguageModel:
    """A spaCy pipeline reduced to what recognises names."""

    def __init__(self, name: str) -> None:
        self._pipeline = _loaded(name)
        self.language: str = self._pipeline.lang
        """As in `en`."""

    def find(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        """The names in each text, in order."""
        for document in self._pipeline.pipe(texts, batch_size=BATCH):
            yield [span for entity in document.ents for span in _spans(entity)]


@cache
def language_model(name: str) -> LanguageModel:
    """The model called `name`, loaded once a process."""
    return LanguageModel(name)


def need_model(name: str) -> None:
    """Nothing, if spaCy and the model are there; without loading either, so that a lack is told before the work.

    Raises:
        MissingDependencyError: If one is not installed.
    """
    if find_spec("spacy") is None:
        raise MissingDependencyError(
            "spacy", needed_for="curate.privacy.model", install="pip install 'tunesmith[privacy]'"
        )
    if not Path(name).exists() and (not name.isidentifier() or find_spec(name) is None):
        raise MissingDependencyError(
            name, needed_for="curate.privacy.model", install=f"python -m spacy download {name}"
        )


def _loaded(name: str) -> Any:
    with without_frameworks(), without_command_line():
        import spacy
    try:
        return _loaded_lean(name)
    except ValueError:  # a factory is missing: the model needs other packages' plug-ins
        return spacy.load(name, exclude=UNUSED)


def _loaded_lean(name: str) -> Any:
    import spacy

    # Every package that registers plug-ins is imported on load, used or not: Presidio alone doubles the time.
    factories = spacy.util.registry._entry_point_factories
    with without_frameworks():
        factories.entry_points = False
        try:
            return spacy.load(name, exclude=UNUSED)
        finally:
            factories.entry_points = True


def _spans(entity: Any) -> Iterator[Span]:
    kind, score = LABELS.get(entity.label_, ("", 0.0))
    if not kind:
        return
    text, start = entity.doc.text, entity.start_char
    for first, last in _lines(text, start, entity.end_char):
        if _is_personal(text[first:last], kind):
            yield Span(first, last, kind, score)


def _is_personal(text: str, kind: str) -> bool:
    """What small models get wrong most: single common words, acronyms, stretches of time."""
    if kind == "DATE_TIME":
        return bool(CALENDAR.search(text))
    found = split(text)
    if not found:
        return False
    if kind == "NRP":
        return any(word.folded in words("demonyms") or not word.is_common for word in found)
    if len(found) == 1 and found[0].is_common:
        return kind == "PERSON" and found[0].folded in words("given_names")
    if kind == "PERSON" and all(word.is_common for word in found):
        return found[0].folded in words("given_names") and found[-1].folded in words("surnames")
    if kind == "STREET_ADDRESS" and all(word.is_common or word.is_acronym for word in found):
        return any(letter.isdigit() for letter in text) and not found[-1].is_acronym  # "0.5 GB"
    return not (kind == "ORGANIZATION" and text.isupper() and len(text) <= LONGEST_ACRONYM)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Each line of a stretch of text without articles, possessives and marks at its ends."""
    for line in re.finditer(r"[^\n]+", text[start:end]):
        kept = OPENING.sub("", line.group())
        if is_told(text, start + line.end() - len(kept)):
            kept = VERB.sub("", kept)
        first = start + line.end() - len(kept)
        kept = re.sub(r"(?:['’]s|[\s.,;:>|?'\"]+| of| the| and)+$", "", kept)
        if kept:
            yield first, first + len(kept)
