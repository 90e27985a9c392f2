"""How sure a measured rate or difference is; every method with its source."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """Bounds that hold the true value with 95 % confidence, as fractions."""

    low: float
    high: float


class Difference(NamedTuple):
    """A mean paired difference and its interval."""

    mean: float
    interval: Interval


def wilson_interval(wins: int, trials: int, *, z: float = 1.96) -> Interval:
    """Bounds on a true success rate, safe for small samples and for 0 % or 100 %.

    Used instead of the plain normal interval, which claims certainty when every case passes.

    Args:
        wins: Cases that passed, 0 <= wins <= trials.
        trials: Cases graded; ungraded cases must not be counted here.
        z: Two-sided normal quantile; 1.96 covers 95 %.

    Raises:
        ValueError: If trials < 1 or wins is out of range.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    >>> interval = wilson_interval(8, 10)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.49, 0.943)
    """
    if trials < 1 or not 0 <= wins <= trials:
        raise ValueError(f"wins ({wins}) must lie between 0 and trials ({trials}), trials above 0")
    rate = wins / trials
    weight = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / weight
    reach = z / weight * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return Interval(max(0.0, centre - reach), min(1.0, centre + reach))


def paired_bootstrap(
    before: Sequence[float], after: Sequence[float], *, resamples: int = 10_000, seed: int = 0
) -> Difference:
    """Mean of `after - before` over the same cases, with the percentile bootstrap's 95 % interval.

    Cases are drawn as pairs, so that what makes a case hard for both does not widen the interval.

    Args:
        before: Scores of the one model, a case each.
        after: Scores of the other on the same cases, in the same order.
        resamples: Times that as many cases are drawn anew.
        seed: Of the draw; the same seed gives the same interval.

    Raises:
        ValueError: If there are no cases or the lengths differ.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    import numpy as np

    if not before or len(before) != len(after):
        raise ValueError(f"need pairs of scores, got {len(before)} and {len(after)}")
    differences = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(before), (resamples, len(before)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return Difference(float(differences.mean()), Interval(float(low), float(high)))


def mcnemar_exact(only_before: int, only_after: int) -> float:
    """Probability of a split this uneven, were both models equally good (two-sided).

    Only cases that exactly one of the two gets right say anything about which is better.

    Args:
        only_before: Cases that only the one model passed.
        only_after: Cases that only the other passed.

    Raises:
        ValueError: If a count is negative.

    Source: McNemar (1947), Psychometrika 12, 153-157; the exact binomial form.

    >>> mcnemar_exact(1, 9)
    0.021484375
    """
    if min(only_before, only_after) < 0:
        raise ValueError(f"counts must not be negative, got {only_before} and {only_after}")
    total = only_before + only_after
    tail = sum(math.comb(total, k) for k in range(min(only_before, only_after) + 1))
    return float(min(1.0, 2 * tail / 2**total))


def clopper_pearson_upper(found: int, trials: int, *, confidence: float = 0.95) -> float:
    """The highest true rate at which finding so few is no surprise: an exact one-sided upper bound.

    It answers "how bad can the rest be?" of a random sample; drawn without replacement, the truth is better still.

    Args:
        found: How many of the sample are bad, 0 <= found <= trials.
        trials: Size of the sample.
        confidence: How often the bound holds, over many samples.

    Raises:
        ValueError: If trials < 1 or found is out of range.

    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.

    >>> round(clopper_pearson_upper(0, 150), 4)
    0.0198
    """
    if trials < 1 or not 0 <= found <= trials:
        raise ValueError(
            f"found ({found}) must lie between 0 and trials ({trials}), trials above 0"
        )
    if found == trials:
        return 1.0
    low, high = found / trials, 1.0
    # Bisection: the chance of `found` or fewer falls as the rate rises; 60 halvings exhaust a double.
    for _ in range(60):
        rate = (low + high) / 2
        if _at_most(found, trials, rate) > 1 - confidence:
            low = rate
        else:
            high = rate
    return high


def sample_size(rate: float, *, found: int = 0, confidence: float = 0.95) -> int:
    """The smallest random sample that proves at most `rate` bad when `found` of it are.

    Raises:
        ValueError: If the rate is not between 0 and 1.

    >>> sample_size(0.02), sample_size(0.01)
    (149, 299)
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate ({rate}) must lie between 0 and 1")
    # Above the mean the tail falls with every trial, so the crossing can be searched by halving.
    low, high = found, found + 1
    while _at_most(found, high, rate) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _at_most(found, middle, rate) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(found: int, trials: int, rate: float) -> float:
    """Probability of `found` or fewer in `trials`, each with probability `rate`, 0 < rate < 1."""
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(rate)
        + (trials - k) * math.log1p(-rate)
        for k in range(found + 1)
    )
    return math.fsum(map(math.exp, logs))
