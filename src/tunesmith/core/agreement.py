"""How far people, or judges, agree beyond what chance would bring; every measure with its source."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

Labels = Mapping[str, Hashable]
"""What each rater called one unit, by rater; raters who did not see it are absent."""


class Agreement(NamedTuple):
    """Chance-corrected agreement, and what it rests on."""

    coefficient: float | None
    """1 is perfect, 0 what chance would bring, below 0 worse; None where it is undefined: nothing was labelled
    twice, or everything was given the same label, so that chance alone would agree too."""
    observed: float
    """Share of the compared pairs of labels that are equal; 0 where there is none."""
    units: int
    """Units that at least two raters labelled."""


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Cohen's kappa of two raters over the units that both labelled.

    Chance is each rater's own use of the labels, so that two raters with different habits are not held to be
    interchangeable.

    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46.

    >>> round(cohen_kappa([("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]).coefficient, 3)
    0.5
    """
    total = len(pairs)
    if not total:
        return Agreement(None, 0.0, 0)
    equal = sum(first == second for first, second in pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(count * seconds[label] for label, count in firsts.items())
    # In whole numbers, so that "undefined" needs no tolerance: kappa = (po - pe) / (1 - pe), times total squared.
    room = total * total - by_chance
    kappa = (equal * total - by_chance) / room if room else None
    return Agreement(kappa, equal / total, total)


def krippendorff_alpha(units: Sequence[Labels]) -> Agreement:
    """Krippendorff's alpha for nominal labels: any number of raters, who need not all have seen every unit.

    A unit that fewer than two raters labelled says nothing about agreement and is left out.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C.

    >>> round(krippendorff_alpha([{"ana": 1, "ben": 1}, {"ana": 1, "ben": 2}, {"eve": 2}]).coefficient, 3)
    0.0
    """
    compared = [Counter(unit.values()) for unit in units if len(unit) > 1]
    values: Counter[Hashable] = Counter()
    agreeing = 0.0
    for labels in compared:
        size = labels.total()
        values.update(labels)
        # Each unit has a weight of its size, however many pairs its labels form.
        agreeing += sum(count * (count - 1) for count in labels.values()) / (size - 1)
    total = values.total()
    if not total:
        return Agreement(None, 0.0, 0)
    by_chance = sum(count * (count - 1) for count in values.values()) / (total - 1)
    room = total - by_chance
    alpha = (agreeing - by_chance) / room if len(values) > 1 else None
    return Agreement(alpha, agreeing / total, len(compared))
