"""Span: a stretch of text that is personal data; and which spans stand where several claim the same letters."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text are personal data."""

    start: int
    end: int
    type: str
    score: float
    """How sure the recogniser is, 0 to 1."""


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order: the surer wins, length adding to it; what a loser covers beyond is kept.

    Nothing that some recogniser saw may show through, so a span that loses a part keeps the rest.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=_rank):
        kept.extend(_outside(span, kept))
    return sorted(kept)


def _rank(span: Span) -> tuple[float, Span]:
    length = span.end - span.start
    return -(span.score + min(MOST_FOR_LENGTH, length / 200)), span


MOST_FOR_LENGTH = 0.2
"""So that an address of some length stays whole though a name in it is surer."""


def _outside(span: Span, taken: list[Span]) -> list[Span]:
    pieces = [span]
    for other in taken:
        if other.start < span.end and span.start < other.end:
            pieces = [part for piece in pieces for part in _cut(piece, other)]
    return [piece for piece in pieces if piece.end - piece.start >= MINIMUM_REST or piece == span]


def _cut(piece: Span, other: Span) -> list[Span]:
    if other.end <= piece.start or piece.end <= other.start:
        return [piece]
    left, right = piece._replace(end=other.start), piece._replace(start=other.end)
    return [part for part in (left, right) if part.start < part.end]


MINIMUM_REST = 3
"""Characters; a shorter rest of a span that lost to another says nothing."""
