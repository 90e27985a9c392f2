"""Statistics agree with published and hand-computed numbers."""

import math

import pytest
from scipy.stats import beta

from tunesmith.core.statistics import (
    clopper_pearson_upper,
    mcnemar_exact,
    paired_bootstrap,
    sample_size,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("wins", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_match_newcombes_table(wins, trials, low, high):
    interval = wilson_interval(wins, trials)

    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


def test_a_rate_over_nothing_is_refused():
    with pytest.raises(ValueError, match="trials above 0"):
        wilson_interval(0, 0)


def test_mcnemar_is_the_two_sided_sign_test():
    # 2 * (C(10,0) + C(10,1)) / 2^10 = 22 / 1024
    assert mcnemar_exact(1, 9) == 22 / 1024
    assert mcnemar_exact(9, 1) == 22 / 1024
    assert mcnemar_exact(5, 5) == 1.0
    assert mcnemar_exact(0, 0) == 1.0


def test_the_bootstrap_agrees_with_the_normal_interval_on_many_cases():
    # 400 pairs: 120 better by 1, 40 worse by 1, 240 equal. Mean 0.2, variance 0.4 - 0.04 = 0.36.
    before = [0.0] * 120 + [1.0] * 40 + [0.0] * 240
    after = [1.0] * 120 + [0.0] * 40 + [0.0] * 240
    reach = 1.96 * math.sqrt(0.36 / 400)

    difference = paired_bootstrap(before, after)

    assert difference.mean == pytest.approx(0.2)
    assert difference.interval.low == pytest.approx(0.2 - reach, abs=0.004)
    assert difference.interval.high == pytest.approx(0.2 + reach, abs=0.004)


def test_the_same_seed_gives_the_same_interval():
    one, other = (paired_bootstrap([0, 1, 0], [1, 1, 0], seed=3) for _ in range(2))

    assert one == other


def test_the_upper_bound_on_bad_rows_is_the_beta_quantile_and_needs_the_published_sample_sizes():
    for found, trials in ((0, 1), (0, 150), (3, 60), (59, 60), (7, 7), (40, 3000)):
        exact = beta.ppf(0.95, found + 1, trials - found) if found < trials else 1.0
        assert clopper_pearson_upper(found, trials) == pytest.approx(exact, rel=1e-9)
    assert clopper_pearson_upper(0, 150, confidence=0.975) == pytest.approx(0.0243, abs=5e-5)

    # "59, 149 and 299 items without an error": the sample sizes of attribute sampling in auditing.
    assert [sample_size(rate) for rate in (0.05, 0.02, 0.01)] == [59, 149, 299]
    for found in (0, 1, 5):
        needed = sample_size(0.03, found=found)
        assert clopper_pearson_upper(found, needed) <= 0.03
        assert clopper_pearson_upper(found, needed - 1) > 0.03
