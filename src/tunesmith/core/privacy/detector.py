"""Where personal data stands in texts: every recogniser's spans, settled."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, get_args

from tunesmith.core.privacy import (
    addresses,
    forms,
    namesakes,
    occupations,
    official,
    organisations,
    patterns,
    people,
    places,
)
from tunesmith.core.privacy.casing import cased
from tunesmith.core.privacy.config import EntityType, PrivacyConfig
from tunesmith.core.privacy.language_model import language_model, need_model
from tunesmith.core.privacy.legible import Legible
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.linking import folded, linked, without_allowed
from tunesmith.core.privacy.namesakes import Stretch
from tunesmith.core.privacy.span import Span, resolve
from tunesmith.core.privacy.words import Word, split

MOST_CHARACTERS = 4_000
"""Longest piece that is looked at in one go, so that time grows with the length of a text and no faster."""
SURE = 0.6
"""Least score of a rule's span in a text that is not English."""


class Looked(NamedTuple):
    """A text after the rules."""

    written: str
    """With the capitals that careful writing has."""
    spans: list[Span]
    doubts: list[Word]
    """Capitalised words that may be a name or just a word: a matter for the language model."""


class Detector:
    """Finds personal data as a `PrivacyConfig` says."""

    def __init__(self, config: PrivacyConfig) -> None:
        self.config = config
        self._patterns = (*patterns.shipped(), *patterns.custom(config.identifiers))
        self._allowed = {folded(text) for text in config.allow}
        self._wanted = {*config.types, *config.identifiers} if config.types else None
        if config.model:
            need_model(config.model)
        self._is_english = (
            not config.model
            or config.model.startswith("en_")  # known without loading it, which texts may not need
            or language_model(config.model).language == "en"
        )

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in order, none overlapping another."""
        seen = [Legible(text) for text in texts]
        found = self._found([text.read for text in seen])
        return [
            self._as_written([text], [spans])[0] for text, spans in zip(seen, found, strict=True)
        ]

    def find_in_conversations(
        self, conversations: Sequence[Sequence[str]]
    ) -> list[list[list[Span]]]:
        """The spans of every turn of every conversation; a person named once is found in all turns."""
        seen = [[Legible(turn) for turn in turns] for turns in conversations]
        found = iter(self._found([turn.read for turns in seen for turn in turns]))
        joined = [
            linked([turn.read for turn in turns], [next(found) for _ in turns]) for turns in seen
        ]
        return [self._as_written(turns, spans) for turns, spans in zip(seen, joined, strict=True)]

    def _as_written(
        self, turns: Sequence[Legible], spans: Sequence[list[Span]]
    ) -> list[list[Span]]:
        kept = without_allowed([turn.read for turn in turns], spans, self._allowed)
        return [turn.in_written(found) for turn, found in zip(turns, kept, strict=True)]

    def _found(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, those of allowed texts too."""
        pieces = [piece for text in texts for piece in _pieces(text)]
        looked = [self._look(piece) for piece in pieces]
        for index, names in self._ask_model(looked):
            looked[index].spans.extend(names)
        settled = iter(
            [self._settle(text, seen.spans) for text, seen in zip(pieces, looked, strict=True)]
        )
        return [_joined(text, settled) for text in texts]

    def _look(self, text: str) -> Looked:
        written = cased(text)
        found = split(written)
        spans = [
            *patterns.find(text, self._patterns),
            *people.find(written, found),
            *places.find(written, found),
            *organisations.find(written, found),
            *organisations.shouted(text),
            *occupations.find(written, found),
            *addresses.find(written),
            *forms.find(text, found),
        ]
        spans.extend(official.find(text, self.config.countries, spans))
        nobody = namesakes.find(text, written)
        spans = [
            span
            for span in spans
            if span.score >= self.config.threshold and not namesakes.is_namesake(span, nobody)
        ]
        if nobody:
            found = [word for word in found if not any(_meet(one, word) for one in nobody)]
        if not self._is_english:
            # What follows from words being no English ones says nothing here, and the model is asked about all.
            return Looked(written, [span for span in spans if span.score >= SURE], found)
        return Looked(written, spans, _doubts(written, found, spans) if self.config.model else [])

    def _ask_model(self, looked: Sequence[Looked]) -> Iterator[tuple[int, list[Span]]]:
        asked = [index for index, seen in enumerate(looked) if seen.doubts]
        if not asked:
            return
        model = language_model(self.config.model)
        for index, names in zip(asked, model.find([looked[i].written for i in asked]), strict=True):
            doubts = looked[index].doubts
            yield index, [name for name in names if any(_meet(name, word) for word in doubts)]

    def _settle(self, text: str, spans: Iterable[Span]) -> list[Span]:
        kept = resolve(text, (span for span in spans if span.score >= self.config.threshold))
        return [span for span in kept if self._is_wanted(span.type)]

    def _is_wanted(self, kind: str) -> bool:
        """Types of Presidio's go with `ID`."""
        if self._wanted is None or kind in self._wanted:
            return True
        return "ID" in self._wanted and kind not in get_args(EntityType)


def _pieces(text: str) -> list[str]:
    """The text cut at the ends of lines, sentences or words, or anywhere where there are none."""
    pieces = []
    while len(text) > MOST_CHARACTERS:
        ends = (text.rfind(mark, 1, MOST_CHARACTERS) for mark in ("\n", ". ", " "))
        end = next((end + 1 for end in ends if end > 0), MOST_CHARACTERS)
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


def _joined(text: str, settled: Iterator[list[Span]]) -> list[Span]:
    """The spans of the pieces of one text, counted from its beginning."""
    spans: list[Span] = []
    offset = 0
    for piece in _pieces(text):
        spans += [
            span._replace(start=span.start + offset, end=span.end + offset)
            for span in next(settled)
        ]
        offset += len(piece)
    return spans


def detector(config: PrivacyConfig) -> Detector:
    """The detector of this configuration, made once a process."""
    return _detector(config.model_dump_json())


@lru_cache(maxsize=4)
def _detector(config: str) -> Detector:
    return Detector(PrivacyConfig.model_validate_json(config))


def _doubts(text: str, found: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    return [
        word
        for word in found
        if word.is_capitalised
        and _is_doubtful(text, word)
        and not any(_meet(span, word) for span in spans)
    ]


def _is_doubtful(text: str, word: Word) -> bool:
    """It may name somebody: no acronym, label or thing; at the beginning of a sentence only if there are such names."""
    is_clear = (
        word.is_acronym
        or "'" in word.text
        or word.folded in people.FUNCTION_WORDS
        or word.folded in table("things")
        or text[word.end : word.end + 1] == ":"
    )
    if is_clear or len(word.text) < 2:
        return False
    if not people.begins_sentence(text, word.start):
        return True
    is_surname = word.folded in table("surnames") and len(word.text) >= SHORTEST_SURNAME
    return is_surname or word.folded in table("given_names")


SHORTEST_SURNAME = 5
"""Letters; shorter words at the beginning of a sentence mostly tell somebody to do something ("Ship it")."""


def _meet(span: Span | Stretch, word: Word) -> bool:
    return span.start < word.end and word.start < span.end
