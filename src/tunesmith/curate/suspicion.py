"""What makes a row of a finished dataset worth a person's look: odd lengths, contradictions, near-duplicates."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tunesmith.artifacts.suspicion import Neighbour, Reason, Suspicion
from tunesmith.core.conversation import Example
from tunesmith.core.text import normalise
from tunesmith.curate.prompt_keys import hash64, prompt_key

OUTLIER = 3.5
"""Modified z-score above which a length is an outlier. Source: Iglewicz and Hoaglin (1993)."""
OUTLIER_FACTOR = 3.0
"""An outlier is also this many times longer or shorter than the median: labels have lengths of little spread."""
CONTRADICTION_SCORE = 0.8
"""One of two different answers is likely to be wrong; a list of valid answers is what speaks against it."""
NEAR = 0.7
"""Share of common letter sequences from which two rows are near-duplicates."""
NEAR_WEIGHT = 0.75
"""A repetition wastes training and may leak, but is seldom wrong: it comes after contradictions."""
LETTERS = 5
"""Letters of a sequence: about a word, so that a changed word changes few of them."""
MOST_ROWS = 20_000
"""Largest dataset in which near-duplicates are looked for here, in memory: some 10 s of work."""
MOST_NEIGHBOURS = 5
"""Kept for each row."""


class NearPair(NamedTuple):
    """Two rows, by position, and the share of letter sequences that they have in common."""

    first: int
    second: int
    similarity: float


class Glance(NamedTuple):
    """What the rules need of one row; a million of them fit into memory where a million texts would not."""

    key: str
    source: str
    length: int
    """Characters of the answer."""
    question: int
    """64-bit hash of the normalised question."""
    answer: int
    """64-bit hash of the normalised answer."""
    is_verdict: bool
    sequences: frozenset[int]
    """Hashes of all letter sequences of what user and assistant say; empty where there are too many rows."""


def suspect(rows: Iterable[Example], count: int) -> list[Suspicion]:
    """The rows that a rule noticed, in their order, each with every reason and its nearest other rows.

    Args:
        rows: Read once, one after another.
        count: How many they are.
    """
    glances = [_glance(row, with_sequences=count <= MOST_ROWS) for row in rows]
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for position, reason in (*odd_lengths(glances), *contradictions(glances)):
        reasons[position].append(reason)
    neighbours: dict[int, list[Neighbour]] = defaultdict(list)
    for first, second, similarity in near_pairs([glance.sequences for glance in glances]):
        for one, other in ((first, second), (second, first)):
            near = Neighbour(key=glances[other].key, similarity=round(similarity, 4))
            neighbours[one].append(near)
    for position, found in neighbours.items():
        found.sort(key=lambda neighbour: (-neighbour.similarity, neighbour.key))
        reasons[position].append(_repetition(found))
    return [
        Suspicion(
            key=glances[position].key,
            reasons=tuple(sorted(reasons[position], key=lambda reason: -reason.score)),
            neighbours=tuple(neighbours[position][:MOST_NEIGHBOURS]),
        )
        for position in sorted(reasons)
    ]


def odd_lengths(glances: Sequence[Glance]) -> Iterator[tuple[int, Reason]]:
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
            yield position, Reason(rule="length", score=round(1 - OUTLIER / (2 * z), 4), text=text)


def contradictions(glances: Sequence[Glance]) -> Iterator[tuple[int, Reason]]:
    """Rows whose question is answered differently elsewhere; verdicts, which are meant to, aside."""
    answers: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, glance in enumerate(glances):
        if not glance.is_verdict:
            answers[glance.question][glance.answer].append(position)
    for by_answer in answers.values():
        for answer, positions in by_answer.items() if len(by_answer) > 1 else ():
            other = next(found[0] for text, found in by_answer.items() if text != answer)
            where = glances[other].source or "another row"
            text = f"the same question is answered differently by {where}"
            reason = Reason(rule="contradiction", score=CONTRADICTION_SCORE, text=text)
            yield from ((position, reason) for position in positions)


def near_pairs(sets: Sequence[frozenset[int]]) -> Iterator[NearPair]:
    """All pairs of rows with at least `NEAR` of their letter sequences in common (Jaccard).

    Two sets that overlap so much share one of their rarest members, so only rows that do are compared.

    Source: Bayardo, Ma and Srikant (2007), Scaling Up All Pairs Similarity Search.
    """
    frequency = Counter(sequence for one in sets for sequence in one)
    holders: dict[int, list[int]] = defaultdict(list)
    for position, mine in enumerate(sets):
        rarest = sorted(mine, key=lambda sequence: (frequency[sequence], sequence))
        prefix = rarest[: len(mine) - math.ceil(NEAR * len(mine) - 1e-9) + 1]
        met = {other for sequence in prefix for other in holders[sequence]}
        for other in sorted(met):
            common = len(mine & sets[other])
            similarity = common / (len(mine) + len(sets[other]) - common)
            if similarity >= NEAR:
                yield NearPair(other, position, similarity)
        for sequence in prefix:
            holders[sequence].append(position)


def letter_sequences(text: str) -> frozenset[int]:
    """Hashes of all runs of `LETTERS` letters in a text; of a shorter text, its own."""
    starts = range(max(1, len(text) - LETTERS + 1))
    return frozenset(hash(text[at : at + LETTERS]) for at in starts)


def _glance(row: Example, *, with_sequences: bool) -> Glance:
    said = normalise(" ".join(text for role, text in row.texts if role != "system"))
    return Glance(
        row.key,
        row.source,
        len(row.answer),
        hash64(prompt_key(row.prompt)),
        hash64(normalise(row.answer)),
        type(row) is not Example,
        letter_sequences(said) if with_sequences else frozenset(),
    )


def _repetition(found: Iterable[Neighbour]) -> Reason:
    neighbours = list(found)
    nearest = neighbours[0].similarity
    count = len(neighbours)
    others = "another row says" if count == 1 else f"{count} other rows say"
    return Reason(
        rule="near-duplicate",
        score=round(NEAR_WEIGHT * nearest, 4),
        text=f"{others} nearly the same ({100 * nearest:.0f} % alike)",
    )
