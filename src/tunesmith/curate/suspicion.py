"""What makes a row of a finished dataset worth a look: odd lengths and answers, contradictions, near-duplicates."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from statistics import median
from typing import NamedTuple

from tunesmith.artifacts.contradictions import Contradictions
from tunesmith.artifacts.suspicion import Neighbour, Reason, Suspicion
from tunesmith.core.conversation import Example
from tunesmith.core.similarity import candidate_pairs, fold, signatures, similarities
from tunesmith.curate.contradictions import contradicting
from tunesmith.curate.neighbourhood import LEAST_ROWS, neighbourhoods
from tunesmith.curate.steps.near import RULE as NEAR_RULE

OUTLIER = 3.5
"""Modified z-score above which a length is an outlier. Source: Iglewicz and Hoaglin (1993)."""
OUTLIER_FACTOR = 3.0
"""An outlier is also this many times longer or shorter than the median: labels have lengths of little spread."""
NEAR = 0.7
"""Jaccard similarity of five-character shingles from which two rows are shown side by side."""
NEAR_WEIGHT = 0.75
"""A repetition wastes training and may leak, but is seldom wrong: it comes after contradictions."""
MOST_ROWS = 200_000
"""Largest dataset whose near-duplicates are looked for here, where all texts are in memory."""
ODD_ANSWER = 0.15
"""How much less an answer is like its neighbours' than these are like one another, from which it is worth a look. Of
5,000 correct SNIPS rows less than 1 % are."""
MOST_COMPARED = 20_000
"""Largest dataset in which every answer is compared with those to like questions."""
MOST_NEIGHBOURS = 5
"""Kept for each row."""


class NearPair(NamedTuple):
    """Two texts, by position, and the share of five-character shingles that they have in common."""

    first: int
    second: int
    similarity: float


class Notice(NamedTuple):
    """What a rule noticed about the row at a position."""

    position: int
    reason: Reason
    witness: int | None = None
    """Position of the other row that speaks against it."""


class Glance(NamedTuple):
    """What the rules need of one row; a million of them fit into memory where a million texts would not."""

    key: str
    source: str
    length: int
    """Characters of the answer."""
    said: str
    """What user and assistant say; empty where there are too many rows."""


def suspect(
    rows: Iterable[Example],
    count: int,
    doubts: Iterable[Suspicion] = (),
    contradictions: Contradictions | None = None,
) -> list[Suspicion]:
    """The rows that a rule noticed, in their order, each with every reason and its nearest other rows.

    Args:
        rows: Read once, one after another.
        count: How many they are.
        doubts: What row filters noted about some of them.
        contradictions: Those found when the dataset was made; None looks for them, if the rows are not too many.
    """
    if count <= MOST_COMPARED:
        rows = list(rows)
    glances = [_glance(row, with_texts=count <= MOST_ROWS) for row in rows]
    reasons: dict[int, list[Reason]] = defaultdict(list)
    neighbours: dict[int, list[Neighbour]] = defaultdict(list)
    witnesses: dict[int, list[str]] = defaultdict(list)
    noticed = chain(_doubted(glances, doubts), _opposed(rows, glances, contradictions))
    for position, reason, witness in chain(noticed, odd_lengths(glances)):
        reasons[position].append(reason)
        if witness is not None and glances[witness].key != glances[position].key:
            witnesses[position].append(glances[witness].key)
    texts = [glance.said for glance in glances] if count <= MOST_ROWS else []
    for first, second, similarity in near_pairs(texts):
        if glances[first].key == glances[second].key:
            continue  # Kept twice on purpose; a decision is about both.
        is_repetition = _numbers(glances[first]) == _numbers(glances[second])
        is_repetition &= glances[second].key not in witnesses[first]
        is_repetition &= glances[first].key not in witnesses[second]
        for one, other in ((first, second), (second, first)):
            neighbours[one].append(Neighbour(key=glances[other].key, similarity=similarity))
            if is_repetition:
                reasons[one].append(_repetition(glances[other], similarity))
    for position in {*neighbours, *witnesses}:
        neighbours[position] = _in_order(neighbours[position], witnesses[position])
    return [
        Suspicion(
            key=glances[position].key,
            reasons=_strongest(reasons[position]),
            neighbours=tuple(neighbours[position][:MOST_NEIGHBOURS]),
        )
        for position in sorted({*reasons, *neighbours})
    ]


def _doubted(glances: Sequence[Glance], doubts: Iterable[Suspicion]) -> Iterator[Notice]:
    noted = {doubt.key: doubt.reasons for doubt in doubts}
    for position, glance in enumerate(glances):
        yield from (Notice(position, reason) for reason in noted.get(glance.key, ()))


def _opposed(
    rows: Iterable[Example], glances: Sequence[Glance], known: Contradictions | None
) -> Iterator[Notice]:
    """What other rows speak against; texts are compared where they are in memory."""
    if known is not None:
        yield from _known(glances, known)
    if isinstance(rows, list):
        yield from contradicted(rows) if known is None else ()
        yield from odd_answers(rows)


def _in_order(near: Sequence[Neighbour], witnesses: Sequence[str]) -> list[Neighbour]:
    """Rows that speak against the row first, then those most like it."""
    similarities = {neighbour.key: neighbour.similarity for neighbour in near}
    by_likeness = sorted(near, key=lambda one: (-(one.similarity or 0), one.key))
    keys = dict.fromkeys([*witnesses, *(one.key for one in by_likeness)])
    return [Neighbour(key=key, similarity=similarities.get(key)) for key in keys]


def odd_lengths(glances: Sequence[Glance]) -> Iterator[Notice]:
    """Rows whose answer is far shorter or longer than most, on a logarithmic scale."""
    logs = [math.log(max(1, glance.length)) for glance in glances]
    if not logs:
        return
    middle = median(logs)
    spread = median(abs(value - middle) for value in logs)
    for position, value in enumerate(logs):
        # 0.6745 makes the score a standard one for normal data.
        z = 0.6745 * abs(value - middle) / spread if spread else math.inf
        if z > OUTLIER and abs(value - middle) > math.log(OUTLIER_FACTOR):
            length = glances[position].length
            text = f"an answer of {length} characters; the median is {math.exp(middle):.0f}"
            # One half at the border, nearer to 1 the more often the median goes into it, or it into the median.
            score = 1 - OUTLIER_FACTOR / (2 * math.exp(abs(value - middle)))
            yield Notice(position, Reason(rule="length", score=round(score, 4), text=text))


def contradicted(rows: Sequence[Example]) -> Iterator[Notice]:
    """Rows whose question, or nearly theirs, is answered otherwise elsewhere."""
    found = contradicting(rows)
    for pair, score, likeness in zip(*(column.tolist() for column in found), strict=True):
        for position, other in (pair, reversed(pair)):
            yield Notice(position, contradiction(score, likeness, rows[other].source), other)


def contradiction(score: float, likeness: float, source: str) -> Reason:
    """Why a row is worth a look that another one, read there, contradicts."""
    question = "the same question" if likeness == 1 else f"nearly the same ({likeness:.0%} alike)"
    text = f"{question} is answered differently by {source or 'another row'}"
    return Reason(rule="contradiction", score=round(score, 4), text=text)


def _known(glances: Sequence[Glance], found: Contradictions) -> Iterator[Notice]:
    """What is known to contradict rows that are here."""
    wanted = {side.key for pair in found.pairs for side in (pair.one, pair.other)}
    places = {glance.key: place for place, glance in enumerate(glances) if glance.key in wanted}
    for pair in found.pairs:
        for side, other in ((pair.one, pair.other), (pair.other, pair.one)):
            if side.key in places:
                reason = contradiction(pair.score, pair.likeness, other.source)
                yield Notice(places[side.key], reason, places.get(other.key))


def odd_answers(rows: Sequence[Example]) -> Iterator[Notice]:
    """Rows answered unlike those that ask most alike, where these agree; verdicts aside."""
    places = [place for place, row in enumerate(rows) if type(row) is Example]
    if len(places) < LEAST_ROWS:
        return
    found = neighbourhoods([rows[place] for place in places])
    for index, place in enumerate(places):
        if found.disagreement(index) >= ODD_ANSWER:
            score = round(found.suspicion(index), 4)
            reason = Reason(rule="neighbours", score=score, text=found.reason(index))
            yield Notice(place, reason, places[found.nearest[index]])


def near_pairs(texts: Sequence[str]) -> Iterator[NearPair]:
    """Pairs of texts that are at least `NEAR` alike: of a crowd of them not all, but each with some."""
    if len(texts) < 2:
        return
    pairs = candidate_pairs(signatures(texts), NEAR)
    scores = similarities(pairs, lambda some: fold(texts[position] for position in some.tolist()))
    for (first, second), score in zip(pairs.tolist(), scores.tolist(), strict=True):
        if score >= NEAR:
            yield NearPair(first, second, round(score, 4))


def _glance(row: Example, *, with_texts: bool) -> Glance:
    return Glance(
        row.key,
        row.source,
        len(row.answer),
        "\n".join(text for role, text in row.texts if role != "system") if with_texts else "",
    )


def _numbers(glance: Glance) -> list[str]:
    """All numbers of a row: "above 90 %" does not repeat "above 95 %"."""
    return re.findall(r"\d+", glance.said)


def _repetition(other: Glance, similarity: float) -> Reason:
    where = other.source or "another row"
    text = f"says nearly the same as {where} ({similarity:.0%} alike)"
    return Reason(rule=NEAR_RULE, score=round(NEAR_WEIGHT * similarity, 4), text=text)


def _strongest(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """One reason of each rule, the most certain first."""
    by_rule: dict[str, Reason] = {}
    for reason in sorted(reasons, key=lambda reason: -reason.score):
        by_rule.setdefault(reason.rule, reason)
    return tuple(by_rule.values())
