"""Contradictions: which rows ask the same, or nearly the same, and give answers that cannot both be right."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.artifacts.contradictions import Contradiction, Contradictions, Side
from tunesmith.core.conversation import Example
from tunesmith.core.similarity import candidate_pairs, signatures
from tunesmith.curate.likeness.answers import (
    Compared,
    TextOf,
    compare_examples,
    compare_rows,
)
from tunesmith.curate.prompt_keys import answer_hash, answer_to, hash64, prompt_key, question
from tunesmith.curate.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR_ANSWERS = 0.85
"""Similarity from which two short answers are nearly the same."""
NEAR_QUESTIONS = 0.9
"""Similarity from which two questions are nearly the same."""
MOST_PAIRS = 10_000
"""Kept of a dataset; more than anybody looks at."""
SHOWN_CHARACTERS = 1_000
"""Kept of every text of a pair."""


class Asked(NamedTuple):
    """Rows with what is needed to find those that contradict each other."""

    questions: "NDArray[np.uint64]"
    """Hash of all that is asked, one a row."""
    answers: "NDArray[np.uint64]"
    """Hash of the answer, one a row; 0 where nothing is asked."""
    near: "NDArray[np.int64]"
    """Pairs of rows whose opening questions are nearly the same."""
    compare: Callable[["NDArray[np.int64]", TextOf], Compared]
    """Compares pairs of them by a text."""


class Opposed(NamedTuple):
    """Pairs of rows that contradict each other, the most suspicious first, as arrays of the same length."""

    pairs: "NDArray[np.int64]"
    scores: "NDArray[np.float64]"
    likeness: "NDArray[np.float64]"
    """Of what they ask."""

    def first(self, count: int) -> "Opposed":
        """The most suspicious of them."""
        return Opposed(self.pairs[:count], self.scores[:count], self.likeness[:count])


def find_contradictions(
    rows: Rows, positions: "NDArray[np.int64]", *, numbers_matter: bool = True
) -> Contradictions:
    """What rows at these ascending positions contradict; those that ask nearly the same must be bound by now.

    Memory holds some numbers of every row, and texts only of the pairs that are kept.
    """
    import numpy as np

    questions = np.zeros(len(rows), dtype=np.uint64)
    for owners, hashes in rows.columns.lists("asked").blocks():
        questions[owners] = hashes  # of several the last one stays
    answers = rows.columns.values("answer")[:]
    is_here = np.zeros(len(rows), dtype=bool)
    is_here[positions] = True
    answers[~is_here] = 0
    asked = Asked(questions, answers, rows.bonds, partial(compare_rows, rows))
    found = opposed(asked, numbers_matter=numbers_matter)
    most = found.first(MOST_PAIRS)
    sides = _sides(rows, np.unique(most.pairs))
    pairs = (
        Contradiction(
            score=round(score, 4),
            likeness=round(likeness, 4),
            one=sides[one],
            other=sides[other],
        )
        for (one, other), score, likeness in zip(*(each.tolist() for each in most), strict=True)
    )
    return Contradictions(prompts=_prompts(found.pairs), pairs=tuple(pairs))


def contradicting(examples: Sequence[Example]) -> Opposed:
    """The same of examples in memory; verdicts, which are meant to contradict each other, aside."""
    import numpy as np

    questions = [question(one.prompt) for one in examples]
    asked = Asked(
        np.array([hash64(prompt_key(one.prompt)) for one in examples], dtype=np.uint64),
        np.array([answer_hash(one) * (type(one) is Example) for one in examples], dtype=np.uint64),
        candidate_pairs(signatures(questions), NEAR_QUESTIONS).astype(np.int64),
        partial(compare_examples, examples),
    )
    return opposed(asked)


def opposed(asked: Asked, *, numbers_matter: bool = True) -> Opposed:
    """Rows that ask the same or nearly the same and whose answers contradict each other.

    Of many that ask the same, each is named once, with the first that answers otherwise.
    """
    import numpy as np

    same = _asking_the_same(asked.questions, asked.answers)
    near = asked.near[(asked.answers[asked.near] != 0).all(axis=1)]
    near = near[asked.questions[near[:, 0]] != asked.questions[near[:, 1]]]
    near = near[asked.answers[near[:, 0]] != asked.answers[near[:, 1]]]
    prompts = asked.compare(near, _asked)
    # Questions of which one is turned have other answers rightly.
    is_near = prompts.likeness >= NEAR_QUESTIONS
    is_near &= ~prompts.is_turned(numbers_matter=numbers_matter)
    pairs = np.concatenate([same, near[is_near]])
    likeness = np.concatenate([np.ones(len(same)), prompts.likeness[is_near]])
    answers = asked.compare(pairs, answer_to)
    scores = answers.opposition(NEAR_ANSWERS, numbers_matter=numbers_matter) * likeness
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -scores))
    order = order[: np.count_nonzero(scores)]
    return Opposed(pairs[order], scores[order], likeness[order])


def _asking_the_same(
    questions: "NDArray[np.uint64]", answers: "NDArray[np.uint64]"
) -> "NDArray[np.int64]":
    """Of rows with the same question but not all with the same answer, each but the first beside another answer."""
    import numpy as np

    rows = np.flatnonzero(answers)
    rows = rows[np.argsort(questions[rows], kind="stable")]
    is_first = np.ones(len(rows), dtype=bool)
    is_first[1:] = questions[rows][1:] != questions[rows][:-1]
    group = np.cumsum(is_first) - 1
    first = rows[is_first][group]
    is_other = answers[rows] != answers[first]
    others = np.full(len(rows), -1)
    # Written from the end, so that the first of each group stays.
    others[group[is_other][::-1]] = rows[is_other][::-1]
    witness = np.where(is_other, first, others[group])
    is_told = (witness >= 0) & (rows != first)
    return np.stack([witness[is_told], rows[is_told]], axis=1)


def _asked(example: Example) -> str:
    """All that comes before the last answer, the system turn aside."""
    return "\n".join(turn.content for turn in example.prompt if turn.role != "system")


def _sides(rows: Rows, positions: "NDArray[np.int64]") -> dict[int, Side]:
    return {
        position: Side(
            key=example.key,
            source=example.source,
            question=example.prompt[-1].content[:SHOWN_CHARACTERS],
            answer=example.answer[:SHOWN_CHARACTERS],
        )
        for position, example in zip(positions.tolist(), rows.examples(positions), strict=True)
    }


def _prompts(pairs: "NDArray[np.int64]") -> int:
    """How many groups of rows that hang together there are."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found, places = np.unique(pairs, return_inverse=True)
    ends = tuple(places.reshape(-1, 2).T)
    graph = coo_array((np.ones(len(pairs), dtype=bool), ends), (len(found),) * 2)
    count: int = connected_components(graph, directed=False)[0] if len(found) else 0
    return count
