"""Wrong answers are found without and with a model, noted for the review or removed, and can be brought back."""

import json

import pytest

from conftest import example
from tunesmith.artifacts.likelihood import Likelihood
from tunesmith.artifacts.suspicion import read_doubts, suspicions_path
from tunesmith.curate.config import CurateConfig, LabelNoise
from tunesmith.curate.neighbourhood import neighbourhoods
from tunesmith.curate.noise import EASY, Doubtful, find_doubtful, note, strangeness
from tunesmith.curate.restoring import restore
from tunesmith.curate.stage import run
from tunesmith.curate.suspicion import suspect
from tunesmith.errors import DataError, RecipeError

TOPICS = {
    "weather": "will it rain in {} tomorrow",
    "music": "play a song by the band {} now",
    "table": "book a table for two at {} tonight",
}
NAMES = [
    f"{first}{last}"
    for first in ("Al", "Bo", "Cy", "Di", "Ed")
    for last in ("ba", "ru", "no", "mi")
]
ROWS = [(asked.format(name), topic) for topic, asked in TOPICS.items() for name in NAMES]
WRONG = {3: "music", 20: "table"}


def spoiled() -> list[tuple[str, str]]:
    return [(asked, WRONG.get(place, topic)) for place, (asked, topic) in enumerate(ROWS)]


def found_by(after: float, elsewhere: float, key: str = "k") -> Likelihood:
    return Likelihood(
        key=key,
        after=after,
        elsewhere=elsewhere,
        context="",
        given="a",
        expected="b",
        given_chance=0.1,
        expected_chance=0.9,
    )


def by_wording(rows):
    """Stands for a probe: an answer is cheap where it names the topic that the question is about."""
    is_right = dict(ROWS)
    return [
        found_by(0.2 if is_right[row.prompt[-1].content] == row.answer else 2.0, 2.0, row.key)
        for row in rows
    ]


def test_answers_that_differ_from_those_to_like_questions_disagree_most():
    found = neighbourhoods([example(*row) for row in spoiled()])

    ranked = sorted(range(len(ROWS)), key=found.disagreement, reverse=True)

    # One word an answer: a wrong one shares nothing with ten neighbours, of which at most one is wrong itself.
    assert set(ranked[:2]) == set(WRONG)
    assert found.agreement[3] == 0
    assert found.usual[3] > 0.8
    assert found.suspicion(0) == 0
    assert spoiled()[found.nearest[3]][1] == "weather"


def test_answers_unlike_those_to_like_questions_are_worth_a_look():
    rows = [example(*row) for row in spoiled()]

    found = {one.key: one.reasons[0] for one in suspect(iter(rows), len(rows)) if one.reasons}

    odd = {key for key, reason in found.items() if reason.rule == "neighbours"}
    assert odd == {rows[place].key for place in WRONG}
    assert (
        "its answer shares 0% with those to the 10 questions most like its own"
        in found[rows[3].key].text
    )


def test_an_answer_that_is_cheap_or_follows_from_its_question_is_not_strange():
    follows, does_not, cheap = (
        found_by(*losses) for losses in ((0.2, 2.0), (2.0, 2.0), (0.01, 0.01))
    )

    assert strangeness(follows) == pytest.approx(0.2 / (2.0 + EASY))
    assert strangeness(does_not) == pytest.approx(2.0 / (2.0 + EASY))
    assert strangeness(cheap) < 0.2
    assert Doubtful(None, found_by(9.0, 1.0)).score == 0.9


def test_the_most_doubtful_rows_are_noted_for_the_review_in_place_of_earlier_ones(
    workspace, dataset_of
):
    dataset = dataset_of(spoiled())
    suspicions_path(dataset, workspace).write_text("")
    rows = dataset.examples(workspace, "train")

    found = find_doubtful(rows, by_wording, most=2)
    note(dataset, workspace, found)

    assert {row.example.key for row in found} == {rows[place].key for place in WRONG}
    noted = {doubt.key: doubt.reasons for doubt in read_doubts(dataset, workspace)}
    assert {reason.rule for reasons in noted.values() for reason in reasons} == {"label"}
    assert not suspicions_path(dataset, workspace).exists()
    note(dataset, workspace, found[:1])
    assert [doubt.key for doubt in read_doubts(dataset, workspace)] == [found[0].example.key]


@pytest.fixture
def noisy(workspace):
    """Raw rows of which two have the wrong answer."""
    (workspace.root / "data").mkdir()
    lines = [json.dumps({"prompt": asked, "completion": topic}) for asked, topic in spoiled()]
    (workspace.root / "data/rows.jsonl").write_text("\n".join(lines))
    (workspace.root / "golden.jsonl").write_text('{"prompt": "who are you", "completion": "me"}\n')
    return workspace


@pytest.mark.parametrize("by", ["probe", "neighbours"])
def test_the_recipe_removes_a_share_with_reason_and_witness_and_a_person_brings_one_back(noisy, by):
    config = CurateConfig(
        golden="golden.jsonl",
        near_duplicates=None,
        leakage=None,
        validation_share=0,
        label_noise=LabelNoise(share=2 / len(ROWS), by=by),
    )

    dataset = run(config, noisy, probe=by_wording).dataset
    removed = list(dataset.removed_rows(noisy))

    assert dataset.removed == {"label": 2}
    assert {row.example.source for row in removed} == {
        f"data/rows.jsonl:{place + 1}" for place in WRONG
    }
    assert all(bool(row.witness) == (by == "neighbours") for row in removed)
    restore(noisy, dataset, removed[0].key)
    again = run(config, noisy, probe=by_wording).dataset
    assert removed[0].key in {row.key for row in again.examples(noisy, "train")}


def test_what_cannot_be_judged_is_an_error_with_a_fix(noisy):
    with pytest.raises(RecipeError, match="no base model"):
        run(CurateConfig(label_noise=LabelNoise(share=0.1)), noisy)
    (noisy.root / "data/few.jsonl").write_text(
        "".join(json.dumps({"prompt": f"q{n}", "completion": "a"}) + "\n" for n in range(20))
    )
    few = CurateConfig(
        sources=("data/few.jsonl",), label_noise=LabelNoise(share=0.1, by="neighbours")
    )
    with pytest.raises(DataError, match="too few to compare"):
        run(few, noisy)
