"""Official numbers of countries by Presidio's recognisers: passports, tax and health numbers, with check digits."""

import importlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from tunesmith.core.privacy.lean_import import without_frameworks
from tunesmith.core.privacy.lexicon import choice
from tunesmith.core.privacy.span import Span
from tunesmith.errors import MissingDependencyError, UnknownNameError

PACKAGE = "presidio_analyzer.predefined_recognizers.country_specific"
CONTEXT_SCORE = 0.35
"""Added where a word that Presidio lists for the recogniser stands near, as Presidio does."""
NEAR = 60
"""Characters before and behind."""
NUMBER = re.compile(
    r"(?<!\w)(?:[A-Z]{1,3}[ -])?[A-Z]{0,6}\d[A-Z\d]*(?:[./ -][A-Z]{0,3}\d[A-Z\d]*)*(?:[ -][A-Z])?(?!\w)"
)
"""What may be an official number: groups of capitals and digits."""


class Recogniser:
    """One of Presidio's recognisers with its context words."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        words = "|".join(re.escape(word) for word in wrapped.context or ())
        self._context = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None

    def find(self, text: str) -> Iterator[Span]:
        """What it recognises in `text`."""
        for found in self._wrapped.analyze(text, self._wrapped.supported_entities, None):
            start, end, score = found.start, found.end, found.score
            if self._context and self._context.search(text, max(0, start - NEAR), end + NEAR):
                score = min(1.0, score + CONTEXT_SCORE)
            yield Span(start, end, found.entity_type, score)


def find(text: str, countries: tuple[str, ...], known: Sequence[Span]) -> Iterator[Span]:
    """Official numbers of these countries in `text`; Presidio is asked where a number is left that no rule knows."""
    asked = tuple(country for country in countries if _may_concern(country, text))
    if asked and any(_is_left(match, known) for match in NUMBER.finditer(text)):
        for recogniser in recognisers(asked):
            yield from recogniser.find(text)


def _may_concern(country: str, text: str) -> bool:
    """A word that such numbers come with stands in the text; of countries without a list of words any text may."""
    context = _contexts().get(country)
    return context is None or bool(context.search(text))


@cache
def _contexts() -> dict[str, re.Pattern[str]]:
    return {"us": re.compile(rf"\b{choice('official', 'us')}", re.IGNORECASE)}


def _is_left(match: re.Match[str], known: Sequence[Span]) -> bool:
    has_digits = sum(letter.isdigit() for letter in match.group()) >= FEWEST_DIGITS
    return has_digits and not any(
        span.start < match.end() and match.start() < span.end for span in known
    )


FEWEST_DIGITS = 6


@cache
def recognisers(countries: tuple[str, ...]) -> tuple[Recogniser, ...]:
    """Presidio's recognisers for these countries.

    Raises:
        MissingDependencyError: If Presidio is not installed.
        UnknownNameError: If Presidio has none for a country.
    """
    with without_frameworks():
        try:
            from presidio_analyzer import PatternRecognizer
        except ImportError as error:
            raise MissingDependencyError(
                "presidio-analyzer",
                needed_for="recognising official numbers",
                install="pip install 'tunesmith[privacy]'",
            ) from error
    found = []
    for country in countries:
        module = _module(country)
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, PatternRecognizer):
                recogniser: Any = (
                    kind  # each brings its patterns; only the shared parent needs arguments
                )
                found.append(Recogniser(recogniser()))
    return tuple(found)


def _module(country: str) -> Any:
    import pkgutil

    package = importlib.import_module(PACKAGE)
    known = [module.name for module in pkgutil.iter_modules(package.__path__)]
    if country not in known:
        raise UnknownNameError("country of Presidio's recognisers", country, known)
    return importlib.import_module(f"{PACKAGE}.{country}")
