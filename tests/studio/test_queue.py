"""Which rows are shown, in which order, and what the decisions about them prove."""

import pytest
from scipy.stats import beta

from conftest import example, save_dataset
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import RemovedRow
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.artifacts.suspicion import Reason, Suspicion, write_suspicions
from tunesmith.core.section import Section
from tunesmith.studio.opinions import Opinions
from tunesmith.studio.shelf import Shelf
from tunesmith.studio.view import Queue, View

ROWS = [(f"question {number}", f"answer {number}") for number in range(200)]
KEYS = [example(*row).key for row in ROWS]


def noticed(number: int, score: float) -> Suspicion:
    reason = Reason(rule="loss", score=score, text="hard to learn")
    return Suspicion(key=KEYS[number], reasons=(reason,))


@pytest.fixture
def shelf(workspace):
    dataset = save_dataset(workspace, ROWS[:150], ROWS[150:])
    write_suspicions(dataset, workspace, [noticed(3, 0.2), noticed(5, 0.9), noticed(7, 0.55)])
    return Shelf(dataset, workspace)


def decide(
    log: ReviewLog,
    key: str,
    verdict: str,
    reviewer: str = "ana",
    answer: str = "better",
    **more: bool,
) -> None:
    written = {"verdict": verdict, "answer": answer if verdict == "edit" else None}
    log.append([ReviewDecision(example_key=key, reviewer=reviewer, **written, **more)])


def queue(shelf: Shelf, log: ReviewLog, reviewer: str = "ana", **view: str) -> Queue:
    return Queue(View(**view), shelf, Opinions(shelf, log), reviewer)


def test_orders_put_first_what_they_are_named_for(shelf, workspace):
    log = ReviewLog(workspace)

    def first(order: str) -> list[str]:
        return [entry.key for entry in queue(shelf, log, order=order).entries]

    assert first("suspicion")[:3] == [KEYS[5], KEYS[7], KEYS[3]]
    assert first("uncertainty")[:3] == [KEYS[7], KEYS[3], KEYS[5]]
    assert first("reading") == KEYS
    assert first("random") != KEYS
    assert sorted(first("random")) == sorted(KEYS)
    assert first("random") == [
        entry.key for entry in Shelf(shelf.dataset, workspace).part("random").entries
    ]


def test_a_row_that_is_repeated_on_purpose_is_reviewed_once(workspace):
    dataset = save_dataset(workspace, ROWS[:10] * 3, ROWS[10:12])

    shelf = Shelf(dataset, workspace)

    assert shelf.rows == 12
    assert sorted(entry.key for entry in shelf.part("random").entries) == sorted(KEYS[:12])
    own = [shelf.entry(key) for key in KEYS[:12]]
    assert not [entry for entry in own if entry.key in {near.key for near in entry.neighbours}]


def test_a_suspicion_about_an_answer_is_never_shown_as_likeness(workspace):
    dataset = save_dataset(workspace, ROWS[:10])
    gone = [
        RemovedRow(
            key=KEYS[place],
            rule=rule,
            reason="because",
            score=score,
            witness_key=KEYS[place - 20],
            example=example(*ROWS[place]),
        ).model_dump_json()
        for place, rule, score in ((20, "label", 0.02), (21, "near_duplicate", 0.9))
    ]
    dataset.removed_path(workspace).write_text("\n".join(gone))

    shelf = Shelf(dataset, workspace)

    assert [near.similarity for near in shelf.entry(KEYS[20]).neighbours] == [None]
    assert shelf.entry(KEYS[0]).neighbours == ()
    assert [near.similarity for near in shelf.entry(KEYS[1]).neighbours] == [0.9]


def test_filters_and_who_has_decided_cut_the_queue(shelf, workspace):
    log = ReviewLog(workspace)
    decide(log, KEYS[0], "accept")
    decide(log, KEYS[0], "reject", "ben")
    decide(log, KEYS[1], "accept", "ben")

    def waiting(reviewer: str = "ana", **view: str) -> set[str]:
        return {entry.key for entry in queue(shelf, log, reviewer, **view).waiting()}

    assert waiting() == set(KEYS) - {KEYS[0]}
    assert waiting("ben") == set(KEYS) - {KEYS[0], KEYS[1]}
    assert waiting(show="unreviewed") == set(KEYS[2:])
    assert waiting(show="disagreed") == {KEYS[0]}
    assert waiting(show="decided") == {KEYS[0]}
    assert waiting(rule="loss") == {KEYS[3], KEYS[5], KEYS[7]}
    assert waiting(split="validation") == set(KEYS[150:])
    assert waiting(source="nowhere.jsonl") == set()


def test_walking_goes_on_to_what_waits_and_back_to_what_was_decided(shelf, workspace):
    log = ReviewLog(workspace)
    decide(log, KEYS[1], "accept")
    found = queue(shelf, log, order="reading")

    assert found.after(KEYS[0]).key == KEYS[2]
    assert found.before(KEYS[2]).key == KEYS[1]
    assert found.before(KEYS[0]) is None
    assert found.after(KEYS[199]).key == KEYS[0]


def test_only_the_unbroken_beginning_of_the_random_order_proves_anything(shelf, workspace):
    log = ReviewLog(workspace)
    order = [entry.key for entry in shelf.part("random").entries]
    for key in (KEYS[3], KEYS[5], order[150]):
        decide(log, key, "accept")
    reviewed_by_chance = next(n for n, key in enumerate(order) if key not in (KEYS[3], KEYS[5]))
    assert Opinions(shelf, log).sample().size == reviewed_by_chance

    for key in order[:100]:
        decide(log, key, "accept")
    clean = Opinions(shelf, log).sample()
    assert (clean.size, clean.bad) == (100, 0)
    assert clean.at_most == pytest.approx(1 - 0.05**0.01)
    assert clean.goals == ((0.02, 149),)

    decide(log, order[10], "reject")
    decide(log, order[20], "edit")
    found = Opinions(shelf, log).sample()
    assert found.bad == 2
    assert found.at_most == pytest.approx(beta.ppf(0.95, 3, 98))

    decide(log, order[50], "undo")
    assert Opinions(shelf, log).sample().size == 50


def test_a_sample_of_an_earlier_version_is_no_sample_of_the_next(shelf, workspace):
    log = ReviewLog(workspace)
    order = [entry.key for entry in shelf.part("random").entries]
    for key in order[:100]:
        decide(log, key, "reject" if key in order[:20] else "accept")
    kept = [row for row, key in zip(ROWS, KEYS, strict=True) if key not in order[:20]]

    following = Shelf(save_dataset(workspace, kept), workspace)

    # 80 rows are known to be good, but the 100 that nobody saw are as bad as ever.
    assert Opinions(following, log).sample().size < 20


def test_progress_and_agreement_count_what_stands(shelf, workspace):
    log = ReviewLog(workspace)
    for number, mine, other in (
        (0, "accept", "accept"),
        (1, "accept", "reject"),
        (2, "edit", "edit"),
    ):
        decide(log, KEYS[number], mine)
        decide(log, KEYS[number], other, "ben")
    decide(log, KEYS[3], "accept")
    decide(log, KEYS[3], "undo")
    decide(log, "of another version", "accept")
    opinions = Opinions(shelf, log)

    assert opinions.progress("ana")._asdict() == {
        "rows": 200,
        "reviewed": 3,
        "mine": 3,
        "accepted": 1,
        "edited": 1,
        "rejected": 1,
        "disagreed": 1,
    }
    concord = opinions.concord()
    assert concord.reviewers == ("ana", "ben")
    # Observed 2/3; chance 1/3 * 2/3 + 1/3 * 1/3 = 1/3.
    assert concord.pairs[0].kappa.coefficient == pytest.approx(0.5)
    assert opinions.last_of("ana").example_key == KEYS[2]


def test_different_edits_are_disagreed_about_and_the_same_ones_are_not(shelf, workspace):
    log = ReviewLog(workspace)
    for key, other in ((KEYS[0], "best"), (KEYS[1], " better\n")):
        decide(log, key, "edit")
        decide(log, key, "edit", "ben", other)

    opinions = Opinions(shelf, log)

    assert [opinions.is_disagreed(key) for key in KEYS[:2]] == [True, False]


def test_settling_a_dispute_is_no_agreement(shelf, workspace):
    log = ReviewLog(workspace)
    for key, other in ((KEYS[0], "accept"), (KEYS[1], "reject"), (KEYS[2], "reject")):
        decide(log, key, "accept")
        decide(log, key, "reject", "ben")
        decide(log, key, "undo", "ben")
        decide(log, key, other, "ben")
    # Ben gives in, once by another word and once by taking his own back first; Eve judges what she has read.
    decide(log, KEYS[1], "accept", "ben", saw_others=True)
    decide(log, KEYS[2], "undo", "ben")
    decide(log, KEYS[2], "accept", "ben", saw_others=True)
    decide(log, KEYS[0], "accept", "eve", saw_others=True)

    opinions = Opinions(shelf, log)

    concord = opinions.concord()
    assert opinions.progress("ana").disagreed == 0
    assert concord.reviewers == ("ana", "ben", "eve")
    assert [(pair.one, pair.other) for pair in concord.pairs] == [("ana", "ben")]
    # Equal on one row of three, and Ana accepts everything: exactly what chance would bring.
    assert concord.pairs[0].kappa.observed == pytest.approx(1 / 3)
    assert concord.pairs[0].kappa.coefficient == 0


def test_removed_rows_wait_in_a_part_of_their_own_beside_what_they_repeat(workspace):
    dataset = save_dataset(workspace, ROWS[:3])
    near, leak = example("question 0?", "answer 0"), example("secret", "x")
    lines = [
        RemovedRow(
            key=row.key, rule=rule, reason="because", score=0.9, witness_key=KEYS[0], example=row
        ).model_dump_json()
        for row, rule in (
            (near, "near_duplicate"),
            (leak, "golden"),
            (example(*ROWS[0]), "duplicate"),
        )
    ]
    dataset.removed_path(workspace).write_text("\n".join(lines) + "\n")

    shelf = Shelf(dataset, workspace)

    found = list(queue(shelf, ReviewLog(workspace), split="removed").waiting())
    assert [entry.key for entry in found] == [near.key]
    assert shelf.example(near.key) == near
    assert [one.key for one in found[0].neighbours] == [KEYS[0]]
    assert near.key in [one.key for one in shelf.entry(KEYS[0]).neighbours]
    assert near.key not in [entry.key for entry in queue(shelf, ReviewLog(workspace)).waiting()]


def test_held_out_golden_cases_wait_in_a_part_of_their_own_and_prove_nothing_of_the_dataset(
    workspace,
):
    dataset = save_dataset(workspace, ROWS[:3])
    held_out = [example("who?", "ana"), example("who", "ben")]
    lines = [row.model_dump(mode="json") for row in held_out]
    write_lines(dataset.golden_path(workspace), lines)

    shelf, log = Shelf(dataset, workspace), ReviewLog(workspace)
    decide(log, held_out[0].key, "reject")

    assert shelf.rows == len(queue(shelf, log).entries) == 3
    golden = queue(shelf, log, split="golden", show="all").entries
    assert {entry.key for entry in golden} == {row.key for row in held_out}
    assert [entry.reasons[0].rule for entry in golden] == ["contradiction"] * 2
    assert shelf.example(held_out[1].key) == held_out[1]
    assert Opinions(shelf, log).progress("ana").reviewed == Opinions(shelf, log).sample().size == 0


def test_what_filters_doubted_stands_beside_what_rules_notice(workspace):
    dataset = save_dataset(workspace, [*ROWS[:5], ("question 0", "something else")])
    folder = dataset.folder(workspace)
    write_lines(folder / "doubts.jsonl", [noticed(0, 0.3).model_dump(mode="json")])

    shelf = Shelf(dataset, workspace)

    assert [one.rule for one in shelf.entry(KEYS[0]).reasons] == ["contradiction", "loss"]
    assert "loss" in shelf.rules


def test_the_view_survives_the_address_of_the_page():
    view = View(order="random", source="data/ä&b.jsonl")

    assert view.query(key="k", rule="") == "?order=random&source=data%2F%C3%A4%26b.jsonl&key=k"
    assert isinstance(view, Section)
