"""Golden prompts that nothing in training is like."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL = 5
"""Percentile of the training prompts' own nearest neighbours below which a golden prompt is a gap."""
BLOCK = 1_024
"""Golden prompts compared at once; memory is this many rows of similarities."""


class Nearness(NamedTuple):
    """How near each golden prompt is to what is taught."""

    similarity: "NDArray[np.float32]"
    """(golden,) cosine with the nearest training prompt."""
    nearest: "NDArray[np.int64]"
    """(golden,) which training prompt that is."""
    threshold: float
    """Below it a prompt is a gap: 95 % of the training prompts have a neighbour nearer than that."""

    @property
    def gaps(self) -> list[int]:
        """Golden prompts below the threshold, farthest first."""
        order = self.similarity.argsort(kind="stable")
        return [int(case) for case in order if self.similarity[case] < self.threshold]


def nearness(golden: "NDArray[np.float32]", train: "NDArray[np.float32]") -> Nearness:
    """The nearest training prompt of every golden prompt, and what counts as far for this dataset."""
    import numpy as np

    similarity, nearest = _nearest(golden, train, is_same=False)
    usual, _ = _nearest(train, train, is_same=True)
    return Nearness(similarity, nearest, float(np.percentile(usual, USUAL)))


def _nearest(
    left: "NDArray[np.float32]", right: "NDArray[np.float32]", *, is_same: bool
) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
    import numpy as np

    similarity = np.zeros(len(left), dtype=np.float32)
    nearest = np.zeros(len(left), dtype=np.int64)
    for start in range(0, len(left), BLOCK):
        cosines = left[start : start + BLOCK] @ right.T
        if is_same:
            rows = np.arange(len(cosines))
            cosines[rows, start + rows] = -1
        nearest[start : start + BLOCK] = cosines.argmax(axis=1)
        similarity[start : start + BLOCK] = cosines.max(axis=1)
    return similarity, nearest
