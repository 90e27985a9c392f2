"""Masking: every span replaced, the same person by the same stand-in wherever they are named."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tunesmith.core.privacy import stand_ins
from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.invented import TYPES, is_invented
from tunesmith.core.privacy.legible import Legible
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.linking import folded, full_names
from tunesmith.core.privacy.people import PARTICLES
from tunesmith.core.privacy.span import Span

NAME_PART = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def mask(
    conversation: Sequence[str], spans: Sequence[Sequence[Span]], config: PrivacyConfig
) -> list[str]:
    """The texts of one conversation with every span replaced; depends on nothing but its arguments.

    Args:
        conversation: The turns, in order.
        spans: Where personal data stands in each, as a `Detector` finds it.
        config: Style and seed.
    """
    seen = [(Legible(text), found) for text, found in zip(conversation, spans, strict=True)]
    people = [text.said(span) for text, found in seen for span in found if span.type == "PERSON"]
    replacements = Replacements(people, config)
    return [text.replaced(found, replacements.of) for text, found in seen]


class Replacements:
    """What takes the place of each original in one conversation.

    Args:
        people: Every mention of a person in it.
        config: Style and seed.
    """

    def __init__(self, people: Iterable[str], config: PrivacyConfig) -> None:
        self._config = config
        self._people = full_names(people)
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: Counter[str] = Counter()

    def of(self, kind: str, original: str) -> str:
        """The replacement for one mention."""
        style, seed = self._config.style, self._config.seed
        if style == "realistic":
            if kind in TYPES and is_invented(original):
                return original
            if kind == "PERSON":
                return self._person(original)
            made = stand_ins.stand_in(seed, kind, original)
            if made is not None:
                return _like(original, made)
        entity = (
            self._people.get(folded(original), folded(original))
            if kind == "PERSON"
            else folded(original)
        )
        if style == "coded":
            return f"<{kind}_{stand_ins.draw(seed, kind, entity) % 16**4:04x}>"
        return f"<{kind}_{self._number(kind, entity)}>"

    def _number(self, kind: str, entity: str) -> int:
        if (kind, entity) not in self._numbers:
            self._counts[kind] += 1
            self._numbers[kind, entity] = self._counts[kind]
        return self._numbers[kind, entity]

    def _person(self, original: str) -> str:
        """Word for word, so that "Maria Garcia", "Maria" and "Ms Garcia" stay one person."""
        parts = list(NAME_PART.finditer(original))
        last = len(parts) - 1 if len(parts) > 1 or self._is_surname(original) else -1
        pieces, done = [], 0
        for place, part in enumerate(parts):
            word = part.group()
            new = word if _links(parts, place) else self._part(word, is_last=place == last)
            pieces += [original[done : part.start()], new]
            done = part.end()
        return "".join([*pieces, original[done:]])

    def _part(self, word: str, *, is_last: bool) -> str:
        seed = self._config.seed
        if len(word) == 1:
            return chr(ord("A") + stand_ins.draw(seed, "initial", word) % 26)
        return _like(
            word, stand_ins.surname(seed, word) if is_last else stand_ins.given_name(seed, word)
        )

    def _is_surname(self, word: str) -> bool:
        plain = folded(word)
        full = self._people.get(plain, "").split()
        if len(full) > 1:
            return plain == full[-1]
        return plain in table("surnames") and plain not in table("given_names")


def _links(parts: Sequence[re.Match[str]], place: int) -> bool:
    """It is a particle before a name, as in "von Berg", and not a name itself, as in "ben smith"."""
    if place == len(parts) - 1 or parts[place].group() not in PARTICLES:
        return False
    return place > 0 or parts[1].group()[0].isupper()


def _like(original: str, made: str) -> str:
    """Written in capitals or without any, as the original."""
    if original.isupper() and len(original) > 1:
        return made.upper()
    return made.lower() if original.islower() else made
