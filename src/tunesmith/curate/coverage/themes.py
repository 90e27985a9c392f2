"""Themes: groups of prompts about the same thing, named by the words that set them apart."""

from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.coverage.vectors import SEED, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_THEMES = 12
"""More are no longer taken in at a glance."""
MOST_GROUPS = 20
"""Groups looked for; more than are shown, so that what fits nowhere swells no theme."""
LEAST_MEMBERS = 3
"""Fewer prompts are no theme."""
MEMBER = 0.15
"""Mean cosine with the other prompts of a theme from which a prompt belongs to it. Among 227 support questions of 13
wordings, those of a theme had 0.21 and more; rows in another language or format, and themes not shown, 0.12 at most."""
JUDGED_POINTS = 2_000
"""Points on which the number of groups is decided."""
NAMING_TERMS = 3
NAMING_SHARE = 0.5
"""Of a theme's prompts that hold each term of its name."""
CENTRAL = 3
"""Typical texts kept of each theme."""
MIXED = "mixed"
"""Name of a theme whose prompts have no telling words in common."""
OTHER = "other"
"""Name of what belongs to no theme; a stop word, so that no theme has it."""


class Themes(NamedTuple):
    """A theme for each text."""

    of: "NDArray[np.int32]"
    """(texts,) number of the theme, the largest theme first; what belongs to none has the last number."""
    names: list[str]
    """Of the themes, and `other` at the end if some text belongs to none."""
    central: list[list[int]]
    """For each theme the texts most like the others of it, the most first; of `other` the first ones."""


def find_themes(space: Space) -> Themes:
    """The largest groups of k-means as themes, with the number of groups that the silhouette prefers.

    A text belongs to the theme whose texts it is most like on average, or to `other` if it is like none (`MEMBER`).

    Source: Rousseeuw (1987), J. Comput. Appl. Math. 20, 53-65.
    """
    import numpy as np

    likeness = _likeness(space.points, _groups(space.points))
    nearest = np.where(likeness.max(axis=1) >= MEMBER, likeness.argmax(axis=1), -1)
    sizes = np.bincount(nearest[nearest >= 0], minlength=likeness.shape[1])
    order = [int(old) for old in np.argsort(-sizes, kind="stable") if sizes[old] >= LEAST_MEMBERS]
    of = np.full(len(nearest), len(order), dtype=np.int32)
    for number, old in enumerate(order):
        of[nearest == old] = number
    names = _names(space, of, len(order))
    central = [_central(likeness[:, old], of == number) for number, old in enumerate(order)]
    if (of == len(order)).any():
        names.append(OTHER)
        central.append([int(text) for text in np.flatnonzero(of == len(order))[:CENTRAL]])
    return Themes(of, names, central)


def _likeness(points: "NDArray[np.float32]", groups: "NDArray[np.int32]") -> "NDArray[np.float64]":
    """(points, largest groups): mean cosine of each point with the other points of each group."""
    import numpy as np

    largest = np.argsort(-np.bincount(groups), kind="stable")[:MOST_THEMES]
    holds = groups[:, None] == largest
    sums = points @ np.stack([points[held].sum(axis=0) for held in holds.T]).T
    own = np.where(holds, np.einsum("ij,ij->i", points, points)[:, None], 0)
    return np.asarray((sums - own) / np.maximum(holds.sum(axis=0) - holds, 1), dtype=np.float64)


def _central(likeness: "NDArray[np.float64]", is_member: "NDArray[np.bool_]") -> list[int]:
    members = is_member.nonzero()[0]
    return [int(text) for text in members[(-likeness[members]).argsort(kind="stable")][:CENTRAL]]


def _groups(points: "NDArray[np.float32]") -> "NDArray[np.int32]":
    """The group of each point."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    distinct = len(np.unique(points, axis=0))
    if distinct < 3:
        return np.zeros(len(points), dtype=np.int32)
    chosen = np.random.default_rng(SEED).permutation(len(points))[:JUDGED_POINTS]
    best = None
    for count in range(2, min(MOST_GROUPS, distinct - 1) + 1):
        model = KMeans(count, n_init=3, random_state=SEED).fit(points)
        labels = model.labels_[chosen]
        if len(set(labels.tolist())) < 2:
            continue
        score = silhouette_score(points[chosen], labels)
        if best is None or score > best[0]:
            best = (score, model)
    if best is None:
        return np.zeros(len(points), dtype=np.int32)
    return np.asarray(best[1].labels_, dtype=np.int32)


def _names(space: Space, of: "NDArray[np.int32]", count: int) -> list[str]:
    # Frequent in the theme, rare outside of it: class-based TF-IDF, Grootendorst (2022), BERTopic, section 3.3.
    import numpy as np
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    if not count:
        return []
    themes = [space.counts[of == theme] for theme in range(count)]
    inside = np.vstack([np.asarray(theme.sum(axis=0))[0] for theme in themes])
    holding = np.vstack([np.asarray((theme > 0).mean(axis=0))[0] for theme in themes])
    shares = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
    weights = shares * np.log1p(inside.sum() / count / np.maximum(inside.sum(axis=0), 1))
    weights *= holding >= NAMING_SHARE
    telling = np.array([_is_telling(term, ENGLISH_STOP_WORDS) for term in space.terms])
    # Where no telling word is frequent, "can i" says more than nothing.
    pairs = np.array([" " in term for term in space.terms])
    return [
        _name(space.terms, row * telling) or _name(space.terms, row * pairs) or MIXED
        for row in weights
    ]


def _is_telling(term: str, stop_words: frozenset[str]) -> bool:
    words = term.split()
    return not stop_words.intersection(words) and max(map(len, words)) > 1


def _name(terms: "NDArray[np.str_]", weights: "NDArray[np.float64]") -> str:
    chosen: list[str] = []
    for place in (-weights).argsort(kind="stable"):
        if not weights[place] or len(chosen) == NAMING_TERMS:
            break
        term = str(terms[place])
        if not any(set(term.split()) & set(other.split()) for other in chosen):
            chosen.append(term)
    return ", ".join(chosen)
