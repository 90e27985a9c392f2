"""Rows whose answers are likely to be wrong: by a model that never saw them, or by what rows that ask alike answer."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.config import LabelNoise
from tunesmith.curate.neighbourhood import neighbourhoods, require_enough
from tunesmith.curate.noise import RULE, Probe, reason, strangeness, suspicion
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Judged(NamedTuple):
    """What is said of one row."""

    rank: float
    """The higher, the more suspicious."""
    score: float
    reason: str
    witness: int | None = None
    """Position of the row that speaks against it."""


def find_noise(rows: Rows, config: LabelNoise, probe: Probe) -> Iterator[Removal]:
    """The most suspicious of the kept rows, as many as `config.share` says; verdicts are not looked at.

    Args:
        rows: All rows, repetitions already left out: a wrong answer that is repeated supports itself.
        config: The recipe's `curate.label_noise`.
        probe: Asked where `config.by` is `probe`.

    Raises:
        DataError: If there are too few rows to compare.
    """
    positions = rows.kept_of("")
    examples = list(rows.examples(positions))
    judged = (
        by_probe(examples, probe)
        if config.by == "probe"
        else by_neighbours(examples, rows, positions)
    )
    order = sorted(range(len(judged)), key=lambda place: -judged[place].rank)
    for place in order[: round(config.share * len(order))]:
        row = judged[place]
        yield Removal(
            position=int(positions[place]),
            rule=RULE,
            reason=row.reason,
            score=row.score,
            witness=rows.source(row.witness) if row.witness is not None else "",
            witness_key=rows.key(row.witness) if row.witness is not None else "",
        )


def by_probe(examples: Sequence[Example], probe: Probe) -> list[Judged]:
    """How little a row's answer follows from its question, for a model that never saw the row."""
    return [Judged(strangeness(one), suspicion(one), reason(one)) for one in probe(examples)]


def by_neighbours(
    examples: Sequence[Example], rows: Rows, positions: "NDArray[np.int64]"
) -> list[Judged]:
    """How far a row's answer is from those of the rows that ask most alike."""
    require_enough(len(examples))
    found = neighbourhoods(examples)
    judged = []
    for place in range(len(examples)):
        witness = int(positions[found.nearest[place]])
        rank, score = found.disagreement(place), found.suspicion(place)
        text = f"{found.reason(place)}, as {rows.source(witness)} does"
        judged.append(Judged(rank, score, text, witness))
    return judged
