"""Golden prompts that nothing in training is like."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.curate.coverage.vectors import TERMS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNRELATED = 0.15
"""A golden prompt is far where no training prompt is more similar than that: no more than unrelated prompts are.

Of pairs of prompts from different classes 999 in 1,000 are less similar in SNIPS, and 98 in 100 in BANKING77, be there
60 or 5,000 prompts. Beside 1,000 training prompts three in four prompts of the other corpus are far, and 9 % (SNIPS)
and 2 % (BANKING77) of its own. The floor is fixed, so that taking rows away hides no gap.
"""
TERM = r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+"
"""A word; Japanese and Chinese, which are written without spaces, count by the character."""
BLOCK = 250
"""Golden prompts compared at once: with 20,000 others that takes 50 MB at most."""


class Nearness(NamedTuple):
    """How near each golden prompt is to what is taught."""

    similarity: "NDArray[np.float64]"
    """(golden,) cosine with the most similar training prompt, from 0 to 1."""
    nearest: "NDArray[np.int64]"
    """(golden,) which training prompt that is."""

    @property
    def farthest(self) -> list[int]:
        """All golden prompts, the least similar first."""
        return [int(case) for case in self.similarity.argsort(kind="stable")]

    @property
    def gaps(self) -> list[int]:
        """Golden prompts less similar than `UNRELATED`, farthest first."""
        return [case for case in self.farthest if self.similarity[case] < UNRELATED]


def word_vectors(texts: Sequence[str]) -> Any:
    """Texts by the words and word pairs they use, as TF-IDF: sparse rows of length 1, zero without a word.

    No axis is left out, as it is for the map: among thousands of prompts reduced to 64 axes, any prompt has a near one.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_features=TERMS, **{"token_pattern": TERM}
    )
    return counter.fit_transform(texts)


def nearness(golden: Any, train: Any) -> Nearness:
    """The most similar training prompt of every golden prompt; both are sparse rows of length 1.

    Fewer training prompts never bring a golden prompt nearer.
    """
    import numpy as np

    similarity = np.zeros(golden.shape[0])
    nearest = np.zeros(golden.shape[0], dtype=np.int64)
    for start in range(0, golden.shape[0], BLOCK):
        block = slice(start, start + BLOCK)
        product = golden[block] @ train.T
        similarity[block] = product.max(axis=1).toarray().ravel()
        nearest[block] = np.asarray(product.argmax(axis=1)).ravel()
    return Nearness(similarity, nearest)
