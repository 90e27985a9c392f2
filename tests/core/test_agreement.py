"""Agreement against published worked examples and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tunesmith.core.agreement import cohen_kappa, krippendorff_alpha

FLEISS = {  # Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, table 18.1
    ("psychotic", "psychotic"): 75,
    ("psychotic", "neurotic"): 1,
    ("psychotic", "organic"): 4,
    ("neurotic", "psychotic"): 5,
    ("neurotic", "neurotic"): 4,
    ("neurotic", "organic"): 1,
    ("organic", "organic"): 10,
}
KRIPPENDORFF = (  # Krippendorff (2011), sections A, B and C; a dot is a unit that the observer did not see
    (0.095, ["0100000010", "1110010000"]),
    (0.692, ["aabbdcccedda", "babbbccceddd"]),
    (0.743, ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]),
)


def units(observers: list[str]) -> list[dict[str, str]]:
    return [
        {str(who): label for who, label in enumerate(column) if label not in ". "}
        for column in zip(*observers, strict=True)
    ]


def test_kappa_is_the_published_one():
    pairs = [pair for pair, count in FLEISS.items() for _ in range(count)]

    found = cohen_kappa(pairs)

    assert (round(found.coefficient, 2), found.observed, found.units) == (0.68, 0.89, 100)


def test_kappa_agrees_with_scikit_learn():
    draw = np.random.default_rng(0)
    for size in (2, 5, 60):
        first, second = draw.choice(3, size=(2, size), p=(0.6, 0.1, 0.3)).tolist()
        first[0], second[0] = 0, 1

        found = cohen_kappa(list(zip(first, second, strict=True)))

        assert found.coefficient == pytest.approx(cohen_kappa_score(first, second))


@pytest.mark.parametrize(("published", "observers"), KRIPPENDORFF)
def test_alpha_is_the_published_one_with_two_or_more_observers_and_missing_labels(
    published, observers
):
    assert round(krippendorff_alpha(units(observers)).coefficient, 3) == published


def test_agreement_is_undefined_where_nothing_can_be_compared():
    assert cohen_kappa([]).coefficient is None
    assert cohen_kappa([("a", "a")] * 5) == (None, 1.0, 5)
    assert krippendorff_alpha([{"ana": "a"}, {"ben": "r"}]) == (None, 0.0, 0)
    assert krippendorff_alpha([{"ana": "a", "ben": "a"}] * 3) == (None, 1.0, 3)
