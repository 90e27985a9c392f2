"""Row filters: what is surely wrong is removed, what may be is noted, good rows are left alone."""

import json

import pytest

from conftest import example
from tunesmith.artifacts.suspicion import read_doubts
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.filters.known import Filters, described
from tunesmith.curate.stage import run
from tunesmith.errors import RecipeError, UnknownNameError

KEY = "AKIA" + "Q3EGRTUB5NLMSHDV"
LONG = "The parcel left the warehouse in the morning and will be with you soon. " * 3
CAUGHT = [
    ("secrets", f"use {KEY} for it", 1.0),
    ("secrets", "set api_key = 'x8Kq2Lm9Zt4Rv7Wp1Ys6'", 0.8),
    ("secrets", "open postgres://app:hunter22@db.local/x", 0.8),
    ("secrets", "open redis://:hunter22@cache.local/0", 0.8),
    ("secrets", "AWS_SECRET_ACCESS_KEY=u4Jx/Rb7+Kq2Lm9Zt0WpYs", 0.8),
    ("secrets", 'SECRET_KEY = "x8Kq2Lm9-Zt4Rv7Wp1Ys6"', 0.8),
    ("secrets", '{"dbPassword": "x8Kq2Lm9Zt4Rv7"}', 0.8),
    ("secrets", "client_secret: x8Kq2Lm9Zt4Rv7Wp", 0.8),
    ("secrets", "curl -H 'Authorization: Bearer x8Kq2Lm9Zt4Rv7Wp1Ys6'", 0.8),
    ("encoding", "Das ist sch\u00c3\u00b6n und gr\u00c3\u00bcn.", 0.8),
    ("encoding", "caf\ufffd", 0.8),
    ("boilerplate", "Done. Sent from my iPhone", 0.6),
    ("toxicity", "Shut  up, please.", 0.75),
    ("toxicity", "This is bullshit.", 0.75),
]
GOOD = [
    "Press the button until the light turns green.",
    '{"name": "Ann", "age": 3}',
    "alert if cpu > 90 for 5m",
    "Das ist sch\u00f6n, Zo\u00eb fragt: \u00bfqu\u00e9 tal?",
    "Scunthorpe lies in Lincolnshire; its assets are classic.",
    "```html\n<p>Hello</p>\n```",
    "Your password: has to have eight characters or more.",
    "SELECT name FROM people WHERE age > 3",
    LONG.strip(),
    "[link](https://example.org/a)",
    "f(x) = x + 1",
]


def found(name: str, answer: str, question: str = "Well?"):
    return [
        (one.rule, one.finding.score)
        for one in Filters([name], root=None)(example(question, answer))
    ]


@pytest.mark.parametrize(("name", "answer", "score"), CAUGHT)
def test_what_each_filter_is_for_is_found(name, answer, score):
    assert found(name, answer) == [(name, score)]


@pytest.mark.parametrize("answer", GOOD)
def test_good_answers_are_left_alone(answer):
    assert Filters(CurateConfig().filters, root=None)(example("Well?", answer)) == []


def test_no_filter_shows_a_secret():
    noted = Filters(["secrets"], root=None)(example("Well?", f"use {KEY}"))

    assert KEY not in noted[0].finding.reason


def test_language_and_length_remove_what_the_recipe_does_not_want():
    german = "Dr\u00fccken Sie die Taste, bis das Licht gr\u00fcn wird, und warten Sie bitte noch einen Augenblick."
    choices = [{"language": {"languages": ["en"]}}, {"length": {"most": 90}}]
    (first, second) = Filters(choices, root=None)(example("Well?", german))

    assert {first.rule, second.rule} == {"language", "length"}
    assert min(first.finding.score, second.finding.score) > 0.95
    assert "is in de" in first.finding.reason + second.finding.reason
    assert (
        Filters(choices, root=None)(
            example("Well?", "Press the button until the light is green, please.")
        )
        == []
    )


def test_a_filter_of_ones_own_takes_ten_lines_and_a_mistake_in_it_costs_no_row(workspace):
    (workspace.root / "mine.py").write_text(
        "from tunesmith.curate.filters.finding import Finding\n\n"
        "def no_todo(word='TODO'):\n"
        "    def check(example):\n"
        "        if word in example.answer:\n"
        "            return Finding(1.0, f'the answer says {word}')\n"
        "        if 'boom' in example.answer:\n"
        "            raise ValueError('boom')\n"
        "    return check\n"
    )
    filters = Filters([{"mine.py:no_todo": {"word": "FIXME"}}], workspace.root)

    assert filters(example("a", "FIXME"))[0] == ("no_todo", (1.0, "the answer says FIXME"))
    assert filters(example("a", "boom"))[0].finding.reason == "the filter failed: ValueError: boom"
    assert filters(example("a", "TODO")) == []
    with pytest.raises(RecipeError, match="no function 'no_todos'"):
        Filters(["mine.py:no_todos"], workspace.root)
    with pytest.raises(UnknownNameError):
        Filters(["refusals"], workspace.root)


def test_sure_findings_remove_rows_and_others_are_noted_beside_the_dataset(workspace):
    rows = {"a": f"the key is {KEY}", "b": "Done. Sent from my iPhone", "c": "Press the button."}
    (workspace.root / "data").mkdir()
    lines = [json.dumps({"prompt": prompt, "completion": said}) for prompt, said in rows.items()]
    (workspace.root / "data/a.jsonl").write_text("\n".join(lines))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    config = CurateConfig(golden="golden.jsonl", validation_share=0)

    dataset = run(config, workspace).dataset

    (gone,) = dataset.removed_rows(workspace, "secrets")
    assert (dataset.removed, gone.example.prompt[0].content) == ({"secrets": 1}, "a")
    (doubt,) = read_doubts(dataset, workspace)
    assert [(one.rule, one.score) for one in doubt.reasons] == [("boilerplate", 0.6)]
    kept = run(config.model_copy(update={"keep": (gone.key,)}), workspace).dataset
    assert kept.train_count == 3


def test_every_filter_says_what_it_does():
    assert set(CurateConfig().filters) | {"language", "length"} == set(described())
