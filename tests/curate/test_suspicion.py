"""What is worth a person's look is found, with its reason and its nearest rows."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import example
from tunesmith.artifacts.suspicion import Suspicion, read_suspicions, write_suspicions
from tunesmith.core.conversation import Example, Thumb
from tunesmith.curate import suspicion
from tunesmith.curate.suspicion import NEAR, letter_sequences, near_pairs

PLAIN = [
    example(f"what is the capital of {name}", f"it is {name}-{'x' * (number % 4)}ville")
    for number, name in enumerate(("Oz", "Narnia", "Utopia", "Lilliput", "Erewhon", "Shangri-La"))
]


def suspect(rows: list[Example]) -> list[Suspicion]:
    return suspicion.suspect(iter(rows), len(rows))


def test_each_rule_names_its_reason_and_the_rows_that_witness_it():
    answered_otherwise = example("What is the capital of Oz?", "the Emerald City, of course")
    long = example("tell me all", "la " * 400)
    # 61 and 62 letters, 57 and 58 sequences of 5; one added letter makes 5 of them new and breaks 4.
    text = "please move my appointment from Tuesday to Friday at half past"
    near = [example(text, "ok"), example(text.replace("to", "too", 1), "ok")]

    found = {one.key: one for one in suspect([*PLAIN, answered_otherwise, long, *near])}

    contradiction = found[answered_otherwise.key].reasons[0]
    assert contradiction.rule == "contradiction"
    assert found[PLAIN[0].key].reasons[0].rule == "contradiction"
    assert found[long.key].reasons[0].rule == "length"
    assert "1200 characters" in found[long.key].reasons[0].text
    assert [one.key for one in found[near[0].key].neighbours] == [near[1].key]
    assert found[near[1].key].reasons[-1].rule == "near-duplicate"
    assert PLAIN[1].key not in found


def test_verdicts_do_not_contradict_each_other():
    thumbs = [
        Thumb(messages=example("why", answer).messages, is_good=is_good)
        for answer, is_good in (("because it must be", True), ("for no good reason", False))
    ]

    assert suspect([*PLAIN, *thumbs]) == suspect(PLAIN) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abc ", min_size=1, max_size=30), max_size=12))
def test_near_pairs_are_all_those_that_comparing_every_pair_finds(texts):
    sets = [letter_sequences(text) for text in texts]

    every = {
        (first, second)
        for first, second in combinations(range(len(sets)), 2)
        if len(sets[first] & sets[second]) / len(sets[first] | sets[second]) >= NEAR
    }

    assert {pair[:2] for pair in near_pairs(sets)} == every


def test_suspicions_are_kept_beside_the_dataset(workspace, dataset_of):
    dataset = dataset_of([("a", "b"), ("A", "c")])
    found = suspect(dataset.rows(workspace, "train"))
    assert list(read_suspicions(dataset, workspace)) == []

    write_suspicions(dataset, workspace, found)

    assert list(read_suspicions(dataset, workspace)) == found
