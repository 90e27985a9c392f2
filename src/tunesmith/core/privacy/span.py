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


MOST_FOR_LENGTH = 0.2
"""So that an address of some length stays whole though a name in it is surer."""
SHORTEST_REST = 3
"""Characters; a shorter rest of a span that lost to another says nothing."""
EDGES = " \t\r\n,;:>?|"
"""Do not belong to personal data at its ends."""


def resolve(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order: the surer wins, length adding to it; what a loser covers beyond is kept.

    Nothing that some recogniser saw may show through, so a span that loses a part keeps the rest.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=_rank):
        kept.extend(_outside(text, span, kept))
    return sorted(kept)


def _rank(span: Span) -> tuple[float, Span]:
    length = span.end - span.start
    return -(span.score + min(MOST_FOR_LENGTH, length / 200)), span


def _outside(text: str, span: Span, taken: list[Span]) -> list[Span]:
    pieces = [span]
    for other in taken:
        if other.start < span.end and span.start < other.end:
            pieces = [part for piece in pieces for part in _cut(piece, other)]
    if pieces == [span]:
        return pieces
    rest = [_trimmed(text, piece) for piece in pieces]
    return [piece for piece in rest if piece.end - piece.start >= SHORTEST_REST]


def _cut(piece: Span, other: Span) -> list[Span]:
    if other.end <= piece.start or piece.end <= other.start:
        return [piece]
    left, right = piece._replace(end=other.start), piece._replace(start=other.end)
    return [part for part in (left, right) if part.start < part.end]


def _trimmed(text: str, piece: Span) -> Span:
    covered = text[piece.start : piece.end]
    start = piece.start + len(covered) - len(covered.lstrip(EDGES))
    return piece._replace(start=start, end=start + len(covered.strip(EDGES)))
