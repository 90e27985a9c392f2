"""Golden prompts that nothing in training is like."""

from typing import TYPE_CHECKING, NamedTuple

from tunesmith.curate.likeness.neighbours import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL = 5
"""Percentile of the training prompts' own nearest neighbours below which a golden prompt is a gap."""
LEAST = 0.3
"""Below this cosine a prompt is a gap in any dataset: few or scattered prompts have no near neighbours themselves. Of
pairs of SNIPS prompts with different intents 2 % or less are that much alike, with 60 rows as with 3,000."""


class Nearness(NamedTuple):
    """How near each golden prompt is to what is taught."""

    similarity: "NDArray[np.float32]"
    """(golden,) cosine with the nearest training prompt."""
    nearest: "NDArray[np.int64]"
    """(golden,) which training prompt that is."""
    threshold: float
    """Below it a prompt is a gap: 95 % of the training prompts have a more similar one, or `LEAST` if that is more."""

    @property
    def farthest(self) -> list[int]:
        """All golden prompts, the least similar to training first."""
        return [int(case) for case in self.similarity.argsort(kind="stable")]

    @property
    def gaps(self) -> list[int]:
        """Golden prompts below the threshold, farthest first."""
        return [case for case in self.farthest if self.similarity[case] < self.threshold]


def nearness(golden: "NDArray[np.float32]", train: "NDArray[np.float32]") -> Nearness:
    """The nearest training prompt of every golden prompt, and what counts as far for this dataset."""
    import numpy as np

    taught = nearest(golden, 1, among=train)
    usual = nearest(train, 1).cosines
    # A single prompt has no neighbour to learn from what is far.
    threshold = float(np.percentile(usual, USUAL)) if usual.size else LEAST
    return Nearness(taught.cosines[:, 0], taught.places[:, 0], max(threshold, LEAST))
