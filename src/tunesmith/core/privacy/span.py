"""Span: a stretch of text that is personal data; and which spans stand where several claim the same letters."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
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
START, END = attrgetter("start"), attrgetter("end")
EDGES = " \t\r\n,;:>?|"
"""Do not belong to personal data at its ends."""


def resolve(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order: the surer wins, length adding to it; what a loser covers beyond is kept.

    Nothing that some recogniser saw may show through, so a span that loses a part keeps the rest.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=_rank):
        taken = overlapping(kept, span)
        place = bisect_left(kept, span.end, key=START)
        kept[place - len(taken) : place] = sorted([*taken, *_outside(text, span, taken)])
    return kept


def overlapping(spans: Sequence[Span], one: Span) -> Sequence[Span]:
    """Those of `spans`, which are in order and do not overlap, that share a letter with `one`."""
    return spans[bisect_right(spans, one.start, key=END) : bisect_left(spans, one.end, key=START)]


def _rank(span: Span) -> tuple[float, Span]:
    length = span.end - span.start
    return -(span.score + min(MOST_FOR_LENGTH, length / 200)), span


def _outside(text: str, span: Span, taken: Sequence[Span]) -> list[Span]:
    if not taken:
        return [span]
    pieces = [span]
    for other in taken:
        pieces = [part for piece in pieces for part in _cut(piece, other)]
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
