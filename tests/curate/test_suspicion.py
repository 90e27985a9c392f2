"""What is worth a person's look is found, with its reason and its nearest rows."""

import pytest

from conftest import example
from tunesmith.artifacts.suspicion import (
    Neighbour,
    Suspicion,
    has_suspicions,
    read_suspicions,
    write_suspicions,
)
from tunesmith.core.conversation import Example, Thumb
from tunesmith.curate import suspicion

PLAIN = [
    example(f"what is the capital of {name}", f"it is {name}-{'x' * (number % 4)}ville")
    for number, name in enumerate(("Oz", "Narnia", "Utopia", "Lilliput", "Erewhon", "Shangri-La"))
]


def suspect(rows: list[Example]) -> list[Suspicion]:
    return suspicion.suspect(iter(rows), len(rows))


def test_each_rule_names_its_reason_and_the_rows_that_witness_it():
    answered_otherwise = example("What is the capital of Oz?", "the Emerald City, of course")
    long = example("tell me all", "la " * 400)
    text = "please move my appointment from Tuesday to Friday at half past"
    near = [example(text, "ok"), example(text.replace("to", "too", 1), "ok")]

    found = {one.key: one for one in suspect([*PLAIN, answered_otherwise, long, *near])}

    contradiction = found[answered_otherwise.key].reasons[0]
    assert contradiction.rule == "contradiction"
    assert found[PLAIN[0].key].reasons[0].rule == "contradiction"
    assert found[long.key].reasons[0].rule == "length"
    assert found[long.key].reasons[0].text == "an answer of 1200 characters; the median is 19"
    assert found[long.key].reasons[0].score == pytest.approx(1 - 3 / (2 * 1200 / 19), abs=0.01)
    assert [one.key for one in found[near[0].key].neighbours] == [near[1].key]
    assert found[near[1].key].reasons[-1].rule == "near_duplicate"
    assert PLAIN[1].key not in found


def test_the_row_that_speaks_against_another_is_its_first_neighbour():
    first, other = PLAIN[0], example("What is the capital of Oz?", "the Emerald City, of course")
    alike = example("what is the capital of Oz??", first.answer)

    found = {one.key: one for one in suspect([*PLAIN, alike, other])}

    assert found[other.key].neighbours[0] == Neighbour(key=first.key, similarity=None)
    against, near = found[first.key].neighbours[:2]
    assert against.key == other.key
    assert near.key == alike.key
    assert near.similarity is not None


def test_verdicts_do_not_contradict_each_other():
    thumbs = [
        Thumb(messages=example("why", answer).messages, is_good=is_good)
        for answer, is_good in (("because it must be", True), ("for no good reason", False))
    ]

    assert suspect([*PLAIN, *thumbs]) == suspect(PLAIN) == []


def test_near_rows_with_other_numbers_are_shown_side_by_side_but_are_no_repetition():
    alert = (
        "raise an alert when the load of any machine in the cluster stays above {} % for a while"
    )
    rows = [example(alert.format(limit), "rule") for limit in (90, 95)]

    found = suspect(rows)

    assert [one.reasons for one in found] == [(), ()]
    assert [one.neighbours[0].key for one in found] == [rows[1].key, rows[0].key]
    one, other = (
        {text[at : at + 5] for at in range(len(text) - 4)}
        for text in (f"{alert.format(limit)} rule" for limit in (90, 95))
    )
    expected = len(one & other) / len(one | other)
    assert found[0].neighbours[0].similarity == pytest.approx(expected, abs=1e-4)


def test_a_row_that_contradicts_a_near_one_is_no_repetition_of_it():
    text = "please tell me whether the storm damage to my roof is covered by the policy"
    rows = [example(text, answer) for answer in ("yes it is", "no it isn't")]

    found = suspect(rows)

    assert [[reason.rule for reason in one.reasons] for one in found] == [["contradiction"]] * 2
    assert [one.neighbours[0].key for one in found] == [rows[1].key, rows[0].key]


def test_rows_too_many_to_compare_are_not_taken_for_repetitions(monkeypatch):
    monkeypatch.setattr(suspicion, "MOST_ROWS", 5)

    assert suspect(PLAIN) == []


def test_suspicions_are_kept_beside_the_dataset(workspace, dataset_of):
    dataset = dataset_of([("a", "b"), ("A", "c")])
    found = suspect(dataset.rows(workspace, "train"))
    assert list(read_suspicions(dataset, workspace)) == []

    write_suspicions(dataset, workspace, found)

    assert list(read_suspicions(dataset, workspace)) == found
    assert has_suspicions(dataset, workspace)
    dataset.save(workspace)
    assert not has_suspicions(dataset, workspace)
