"""Prompts as points: texts that share rare words lie near one another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 64
"""Axes kept of the word space; more add noise on a few thousand short texts."""
TERMS = 50_000
"""Most frequent words and word pairs that are counted."""
WORD = r"(?u)\b\w+\b"
"""Single letters and digits count as words."""
SEED = 0


class Space(NamedTuple):
    """Texts as points, and the words that place them."""

    points: "NDArray[np.float32]"
    """(texts, dimensions), rows of length 1: a dot product is a cosine."""
    counts: Any
    """(texts, terms), sparse; how often each term occurs."""
    terms: "NDArray[np.str_]"


def place(texts: Sequence[str]) -> Space:
    """All texts in one space: TF-IDF of words and word pairs, reduced by latent semantic analysis.

    The same texts have the same points on any machine up to rounding. A text without a known word lies at zero.

    Source: Deerwester et al. (1990), J. Am. Soc. Inf. Sci. 41, 391-407.
    """
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
    from sklearn.preprocessing import normalize

    counter = CountVectorizer(
        lowercase=True, ngram_range=(1, 2), max_features=TERMS, **{"token_pattern": WORD}
    )
    counts = counter.fit_transform(texts)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    axes = min(DIMENSIONS, min(weighted.shape) - 1)
    reduction = TruncatedSVD(axes, random_state=SEED)
    points = weighted.toarray() if axes < 2 else reduction.fit_transform(weighted)
    return Space(normalize(points).astype(np.float32), counts, counter.get_feature_names_out())


def flat(points: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The points in two dimensions, neighbours kept near: what a map draws.

    t-SNE where it is quick, principal components above 5,000 points.
    """
    import numpy as np
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if len(points) < 3 or points.shape[1] < 2:
        return np.zeros((len(points), 2), dtype=np.float32)
    if len(points) > 5_000:
        model = PCA(2, random_state=SEED)
    else:
        perplexity = min(30.0, (len(points) - 1) / 3)
        model = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED)
    return np.asarray(model.fit_transform(points), dtype=np.float32)
