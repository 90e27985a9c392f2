"""Answers against their neighbourhood: what the rows that ask most alike answer, and how far a row is from that."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.coverage.vectors import place
from tunesmith.curate.likeness.neighbours import nearest
from tunesmith.curate.prompt_keys import question
from tunesmith.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 10
"""Of a row: enough that one wrong one among them is outvoted, few enough that all ask alike."""
LEAST_ROWS = 5 * NEIGHBOURS
"""In fewer rows the nearest ones are not near."""
MOST_CERTAIN = 0.75
"""A question may differ from its neighbours in the one word that matters."""
EMPTY = 1e-9
"""Stands for a likeness of 0 where it divides."""
BLOCK = 10_000
"""Rows whose neighbours' words are counted together."""
WORD = r"(?u)\b\w+\b|[^\w\s]"
"""Of an answer: punctuation counts, as it does in code and JSON."""


class Neighbourhoods(NamedTuple):
    """One entry for each row."""

    agreement: "NDArray[np.float64]"
    """Mean cosine of its answer's words with those of its neighbours, from 0 to 1."""
    usual: "NDArray[np.float64]"
    """The same among the neighbours themselves: low where every question has an answer of its own."""
    nearest: "NDArray[np.int64]"
    """Position of the row that asks most alike."""

    def disagreement(self, row: int) -> float:
        """To 1, where the neighbours agree and the answer shares nothing with theirs; below 0 where it fits well."""
        return float(self.usual[row] - self.agreement[row])

    def suspicion(self, row: int) -> float:
        """The same from 0 to `MOST_CERTAIN`."""
        return min(
            MOST_CERTAIN, max(0.0, self.disagreement(row) / max(float(self.usual[row]), EMPTY))
        )

    def reason(self, row: int) -> str:
        """In words, with the numbers."""
        return (
            f"its answer shares {self.agreement[row]:.0%} with those to the {NEIGHBOURS} questions most like its own;"
            f" these share {self.usual[row]:.0%} with one another"
        )


def neighbourhoods(rows: Sequence[Example]) -> Neighbourhoods:
    """How each row's answer fits those of the ten rows whose opening questions are most like its own.

    No model is needed: questions are near by the words they share (see `coverage.vectors`). Every pair is compared,
    so that time grows with the square of the rows.

    Source: editing by nearest neighbours is Wilson (1972), IEEE Trans. Syst. Man Cybern. 2, 408-421.
    """
    import numpy as np
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    points = place([question(row.prompt) for row in rows]).points
    near = nearest(points, NEIGHBOURS).places
    counter = CountVectorizer(binary=True, lowercase=False, **{"token_pattern": WORD})
    answers = normalize(counter.fit_transform([row.answer or "-" for row in rows]), copy=False)
    size = near.shape[1]
    agreement, squares = np.empty(len(rows)), np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        chosen = near[block]
        borders = np.arange(0, chosen.size + 1, size)
        which = sparse.csr_matrix(
            (np.ones(chosen.size), chosen.ravel(), borders), shape=(len(chosen), len(rows))
        )
        together = which @ answers
        agreement[block] = np.asarray(together.multiply(answers[block]).sum(axis=1)).ravel() / size
        squares[block] = np.asarray(together.multiply(together).sum(axis=1)).ravel()
    return Neighbourhoods(agreement, (squares - size) / (size * (size - 1)), near[:, 0])


def require_enough(count: int) -> None:
    """Nothing, if that many rows have near ones.

    Raises:
        DataError: If they are too few.
    """
    if count < LEAST_ROWS:
        raise DataError(
            f"{count} rows are too few to compare each with its {NEIGHBOURS} nearest (at least {LEAST_ROWS})",
            fix="leave curate.label_noise out, and look at the rows in `tunesmith studio`",
        )
