"""Themes: groups of prompts about the same thing, named by the words that set them apart."""

from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.coverage.vectors import SEED, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_THEMES = 12
"""More are no longer taken in at a glance."""
JUDGED_POINTS = 2_000
"""Points on which the number of themes is decided."""
NAMING_TERMS = 3


class Themes(NamedTuple):
    """A theme for each text."""

    of: "NDArray[np.int32]"
    """(texts,) number of the theme, the largest theme first."""
    names: list[str]
    central: list[list[int]]
    """For each theme the texts nearest to its middle, nearest first."""


def find_themes(space: Space) -> Themes:
    """k-means on the points, with the number of themes that the silhouette prefers.

    Source: Rousseeuw (1987), J. Comput. Appl. Math. 20, 53-65.
    """
    import numpy as np

    labels, centres = _best(space.points)
    order = np.argsort(-np.bincount(labels, minlength=len(centres)), kind="stable")
    place_of = np.empty_like(order)
    place_of[order] = np.arange(len(order))
    of = place_of[labels].astype(np.int32)
    nearness = space.points @ centres[order].T
    central = [
        [int(text) for text in np.argsort(-nearness[:, theme], kind="stable") if of[text] == theme][
            :3
        ]
        for theme in range(len(order))
    ]
    return Themes(of, _names(space, of, len(order)), central)


def _best(
    points: "NDArray[np.float32]",
) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    distinct = len(np.unique(points, axis=0))
    if distinct < 3:
        return np.zeros(len(points), dtype=np.int32), points[:1]
    chosen = np.random.default_rng(SEED).permutation(len(points))[:JUDGED_POINTS]
    best = None
    for count in range(2, min(MOST_THEMES, distinct - 1) + 1):
        model = KMeans(count, n_init=3, random_state=SEED).fit(points)
        labels = model.labels_[chosen]
        if len(set(labels.tolist())) < 2:
            continue
        score = silhouette_score(points[chosen], labels)
        if best is None or score > best[0]:
            best = (score, model)
    if best is None:
        return np.zeros(len(points), dtype=np.int32), points[:1]
    return best[1].labels_, best[1].cluster_centers_


def _names(space: Space, of: "NDArray[np.int32]", count: int) -> list[str]:
    # Frequent in the theme, rare outside of it: class-based TF-IDF, Grootendorst (2022), BERTopic, section 3.3.
    import numpy as np
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    inside = np.vstack(
        [np.asarray(space.counts[of == theme].sum(axis=0))[0] for theme in range(count)]
    )
    shares = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
    weights = shares * np.log1p(inside.sum() / count / np.maximum(inside.sum(axis=0), 1))
    telling = np.array([not set(term.split()) & ENGLISH_STOP_WORDS for term in space.terms])
    return [_name(space.terms[np.argsort(-row, kind="stable")]) for row in weights * telling]


def _name(terms: "NDArray[np.str_]") -> str:
    chosen: list[str] = []
    for term in terms:
        if not any(set(term.split()) & set(other.split()) for other in chosen):
            chosen.append(str(term))
        if len(chosen) == NAMING_TERMS:
            break
    return ", ".join(chosen)
