"""Columns on disk: the same values as in memory, whichever are asked for, and the same near-duplicates."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tunesmith.core.similarity import candidate_pairs, fold, look_alikes, signatures
from tunesmith.curate.column import BYTES_AT_ONCE, Chosen, Column, write_texts
from tunesmith.curate.removals import Removal, Removals

MANY = BYTES_AT_ONCE // 8 * 2 + 7
"""Numbers of eight bytes for two whole pieces and a little more."""


def on_disk(values: np.ndarray, path: Path) -> Column:
    values.tofile(path)
    return Column(path, (values.dtype, values.shape[1:]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    places=some.sets(some.integers(0, MANY - 1), max_size=40),
    ends=some.tuples(*[some.integers(0, MANY)] * 2),
)
def test_ranges_and_positions_are_those_of_the_array(tmp_path, places, ends):
    values = np.random.default_rng(0).integers(0, 2**63, MANY)
    positions = np.array(sorted(places), dtype=np.int64)

    with closing(on_disk(values, tmp_path / "numbers")) as column:
        assert (column[min(ends) : max(ends)] == values[min(ends) : max(ends)]).all()
        assert (column[positions] == values[positions]).all()


def test_texts_are_found_by_position_wherever_they_stand(tmp_path):
    texts = ["", "naïve", "x" * 5000, "", "the last"]

    with closing(write_texts(tmp_path / "texts", (fold([text]) for text in texts))) as column:
        found = column.of(np.array([0, 1, 2, 4]))
        ends = zip(found.offsets[:-1], found.offsets[1:], strict=True)

        assert len(column) == 5
        assert column.at(1).decode() == "naïve"
        assert [found.data[begin:end].tobytes().decode() for begin, end in ends] == [
            texts[n] for n in (0, 1, 2, 4)
        ]


@pytest.mark.parametrize("has_order", [False, True])
def test_signatures_on_disk_give_the_pairs_of_those_in_memory(tmp_path, has_order):
    words = [f"{number:x}" * 3 for number in range(90)]
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, 30)) for _ in range(8_500)]
    texts += [f"{text} {words[0]}" for text in texts[::100]]
    found = signatures(texts)
    kept = np.flatnonzero(random.random(len(texts)) < 0.9)
    order = random.permutation(len(kept)) if has_order else None
    in_memory = candidate_pairs(found[kept], 0.8, order=order)

    with closing(on_disk(found, tmp_path / "signatures")) as column:
        chosen = Chosen(column, kept)

        assert len(in_memory) > 50
        assert (candidate_pairs(chosen, 0.8, order=order) == in_memory).all()
        assert (
            look_alikes(chosen, found[:9], 0.8) == look_alikes(found[kept], found[:9], 0.8)
        ).all()


def test_removals_come_back_as_they_were_in_reading_order(tmp_path):
    late = Removal(7, "golden", "asks what “a\n” asks", 1 / 3, "a.jsonl:1", "k")
    early = Removal(2, "duplicate", "says the same", 1.0)

    with closing(Removals(tmp_path / "removals")) as removals:
        removals.add(late)
        removals.add(early)

        assert list(removals.in_reading_order()) == [early, late]
