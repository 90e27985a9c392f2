"""Opinions: who thinks what about the rows of one dataset version, as of now."""

import unicodedata
from collections.abc import Mapping
from itertools import combinations, takewhile
from typing import NamedTuple

from tunesmith.artifacts.review import ReviewDecision, ReviewLog, Verdict
from tunesmith.core.agreement import Agreement, cohen_kappa, krippendorff_alpha
from tunesmith.core.statistics import clopper_pearson_upper, sample_size
from tunesmith.studio.shelf import Entry, Shelf

TARGETS = (0.05, 0.02, 0.01)
"""Shares of bad rows that people want to exclude."""


class Progress(NamedTuple):
    """How far the review of a dataset version is; golden and removed rows aside."""

    rows: int
    reviewed: int
    """By anybody, in this version or an earlier one."""
    mine: int
    accepted: int
    edited: int
    rejected: int
    disagreed: int


class Pairing(NamedTuple):
    """How far two reviewers agree."""

    one: str
    other: str
    kappa: Agreement


class Concord(NamedTuple):
    """How far all reviewers agree while they do not know what others think."""

    reviewers: tuple[str, ...]
    """All who decided, whether or not unseeing."""
    alpha: Agreement
    pairs: tuple[Pairing, ...]


class Sample(NamedTuple):
    """What the rows reviewed in random order prove about the whole version."""

    size: int
    """Rows reviewed without a gap from the beginning of the random order."""
    is_whole: bool
    """Whether that is every row of the version, so that nothing is left to estimate."""
    bad: int
    """Those of them that were edited or rejected."""
    at_most: float | None
    """Share of bad rows that the version has at most, with 95 % confidence."""
    goals: tuple[tuple[float, int], ...]
    """Shares not yet excluded, with the sample size that would exclude them if no further row is bad."""


class Opinions:
    """A snapshot of the review log, seen from one dataset version."""

    def __init__(self, shelf: Shelf, log: ReviewLog) -> None:
        """Take what stands now; decisions about rows of other versions are left out."""
        self._shelf = shelf
        self._by_row: dict[str, dict[str, ReviewDecision]] = {}
        self._last: dict[str, ReviewDecision] = {}
        for (key, reviewer), decision in log.by_reviewer().items():
            if key in shelf:
                self._by_row.setdefault(key, {})[reviewer] = decision
                self._last[reviewer] = decision
        self._blind: dict[str, dict[str, Verdict]] = {}
        for (key, reviewer), decision in log.blind().items():
            # Whoever has taken every word back has no opinion, early or late.
            if reviewer in self.on(key):
                self._blind.setdefault(key, {})[reviewer] = decision.verdict

    def on(self, key: str) -> Mapping[str, ReviewDecision]:
        """What each reviewer decided about a row, the latest last."""
        return self._by_row.get(key, {})

    def standing(self, key: str) -> ReviewDecision | None:
        """The decision that the next version will follow: the latest."""
        return next(reversed(self._by_row.get(key, {}).values()), None)

    def last_of(self, reviewer: str) -> ReviewDecision | None:
        """What this reviewer decided last and has not taken back."""
        return self._last.get(reviewer)

    def is_reviewed(self, entry: Entry) -> bool:
        """Whether anybody decided about it, in this version or, kept by then, in an earlier one."""
        return bool(entry.earlier or self.on(entry.key))

    def is_disagreed(self, key: str) -> bool:
        """Whether reviewers came to different verdicts, or wrote different answers; spaces and letters' forms aside."""
        return len({_outcome(decision) for decision in self.on(key).values()}) > 1

    def progress(self, reviewer: str) -> Progress:
        """Counts over the rows of the version."""
        keys = [key for key in self._by_row if self._shelf.entry(key).is_learnt]
        verdicts = [next(reversed(self._by_row[key].values())).verdict for key in keys]
        earlier = sum(entry.key not in self._by_row for entry in self._shelf.edited_earlier)
        return Progress(
            rows=self._shelf.rows,
            reviewed=len(keys) + earlier,
            mine=sum(reviewer in self._by_row[key] for key in keys),
            accepted=verdicts.count("accept"),
            edited=verdicts.count("edit"),
            rejected=verdicts.count("reject"),
            disagreed=sum(map(self.is_disagreed, keys)),
        )

    def concord(self) -> Concord:
        """Agreement on verdicts, over all rows that at least two reviewers decided about unseeing."""
        verdicts = list(self._blind.values())
        reviewers = tuple(sorted(self._last))
        pairs = []
        for one, other in combinations(reviewers, 2):
            both = [(by[one], by[other]) for by in verdicts if one in by and other in by]
            if both:
                pairs.append(Pairing(one, other, cohen_kappa(both)))
        return Concord(reviewers, krippendorff_alpha(verdicts), tuple(pairs))

    def sample(self) -> Sample:
        """What the beginning of the random order proves, whoever reviewed it and in whatever order.

        It ends at the first row without a decision: rows that were passed over may be the bad ones.
        """
        drawn = self._shelf.part("random").entries
        reviewed = list(takewhile(self.is_reviewed, drawn))
        decisions = [self.standing(entry.key) for entry in reviewed]
        size = len(reviewed)
        bad = sum(one is not None and one.verdict != "accept" for one in decisions)
        is_whole = size == len(drawn)
        at_most = bad / size if size and is_whole else _bound(bad, size)
        goals = [] if is_whole else [(goal, sample_size(goal, found=bad)) for goal in TARGETS]
        open_goals = tuple((goal, needed) for goal, needed in goals if size < needed < len(drawn))
        return Sample(size, is_whole, bad, at_most, open_goals)


def _outcome(decision: ReviewDecision) -> tuple[Verdict, str]:
    answer = unicodedata.normalize("NFC", decision.answer or "")
    return decision.verdict, " ".join(answer.split())


def _bound(bad: int, size: int) -> float | None:
    return clopper_pearson_upper(bad, size) if size else None
