"""Steps and micro-batches hold every example exactly once, whatever the sizes."""

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.models.template import Encoded
from tunesmith.train.batches import micro_batches, schedule


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 4))
def test_each_epoch_sees_every_example_once(count, batch_size, epochs):
    steps = schedule(count, batch_size=batch_size, epochs=epochs, seed=1)

    a_epoch = len(steps) // epochs
    for epoch in range(epochs):
        seen = [index for step in steps[epoch * a_epoch : (epoch + 1) * a_epoch] for index in step]
        assert sorted(seen) == list(range(count))


def test_epochs_differ_in_order_and_repeat_under_the_same_seed():
    steps = schedule(32, batch_size=32, epochs=2, seed=0)

    assert steps[0] != steps[1]
    assert steps == schedule(32, batch_size=32, epochs=2, seed=0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(10, 200))
def test_groups_stay_within_the_budget_and_lose_nothing(lengths, budget):
    examples = [Encoded([n] * n, [True] * n) for n in lengths]

    groups = micro_batches(examples, token_budget=budget)

    assert sorted(len(e.ids) for group in groups for e in group) == sorted(lengths)
    for group in groups:
        assert len(group) == 1 or len(group) * max(len(e.ids) for e in group) <= budget
