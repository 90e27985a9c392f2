"""Curation loses no row, leaks no golden question and gives the same id everywhere."""

import codecs
import json
from collections import Counter

import pytest

from tunesmith.artifacts.dataset import RemovedRow
from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.prompt_keys import prompt_keys
from tunesmith.curate.restoring import restore
from tunesmith.curate.stage import run
from tunesmith.errors import DataError, NoGoodRowsError


def write(workspace: Workspace, name: str, *rows: object) -> None:
    path = workspace.root / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(
        "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    )


def rejected(workspace: Workspace, result) -> list[dict[str, object]]:
    lines = result.dataset.rejected_path(workspace).read_text().splitlines()
    return [json.loads(line) for line in lines]


def removed(workspace: Workspace, result, rule: str | None = None) -> list[RemovedRow]:
    return list(result.dataset.removed_rows(workspace, rule))


def pair(question: str, answer: str = "yes") -> dict[str, str]:
    return {"prompt": question, "completion": answer}


WORDS = [one + other for one in ("ka", "lo", "mu", "ne", "pi") for other in "bcdfghjklmnp"]


def sides(workspace: Workspace, result) -> dict[str, set[str]]:
    """What is asked, by the side it is on."""
    dataset, golden = result.dataset, result.golden_set.cases(workspace)
    found = {
        split: {row.prompt[0].content for row in dataset.rows(workspace, split)}
        for split in ("train", "validation")
    }
    return found | {"golden": {case.messages[0].content for case in golden}}


def test_every_format_becomes_the_same_conversation(workspace):
    user, assistant = {"role": "user", "content": "a\n\nb"}, {"role": "assistant", "content": "c"}
    write(workspace, "data/1.jsonl", {"instruction": "a", "input": "b", "output": "c"})
    write(workspace, "data/2.jsonl", {"messages": [user, assistant]})
    write(
        workspace,
        "data/3.json",
        [{"conversations": [{"from": "human", "value": "a\n\nb"}, {"from": "gpt", "value": "c"}]}],
    )
    (workspace.root / "data/4.csv").write_bytes(
        codecs.BOM_UTF8 + b'prompt,completion\r\n"a\n\nb",c\r\n'
    )
    write(workspace, "golden.jsonl", pair("z"))

    result = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    assert [source.format for source in result.dataset.sources] == [
        "instruction",
        "chat",
        "sharegpt",
        "prompt-completion",
    ]
    assert result.dataset.train_count == 1
    assert result.dataset.removed == {"duplicate": 3}
    rows = removed(workspace, result)
    assert {row.reason for row in rows} == {"says the same as data/1.jsonl:1"}
    assert {row.witness_key for row in rows} == {result.dataset.examples(workspace, "train")[0].key}


def test_bad_rows_are_set_aside_with_file_line_and_reason(workspace):
    write(
        workspace,
        "data/a.jsonl",
        pair("good"),
        '{"prompt": "cut of\n',
        pair("no answer", " "),
        {"messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]},
        "\n",
        pair("x" * 300),
    )
    write(workspace, "golden.jsonl", pair("z"))

    result = run(
        CurateConfig(golden="golden.jsonl", validation_share=0, max_characters=200), workspace
    )

    assert [(row["line"], row["reason"]) for row in rejected(workspace, result)] == [
        (2, "broken JSON: Unterminated string starting at column 12"),
        (3, "no answer: it is empty"),
        (4, "wrong role order: assistant where user is due"),
        (6, "303 characters, the limit is 200 (curate.max_characters)"),
    ]
    assert (result.dataset.sources[0].read, result.dataset.sources[0].accepted) == (5, 1)


def test_a_file_without_one_good_row_fails_with_its_first_three_reasons(workspace):
    write(workspace, "data/a.jsonl", *[{"text": "no columns we know"}] * 5)

    with pytest.raises(NoGoodRowsError) as caught:
        run(CurateConfig(), workspace)

    assert "none of the 5 row(s) in data/a.jsonl" in str(caught.value)
    assert str(caught.value).count("no known columns (found: text)") == 3


def test_no_golden_question_is_trained_on_even_inside_a_conversation_or_spelt_otherwise(workspace):
    turns = ["How are you?", "fine", "And now?", "still"]
    roles = ["user", "assistant"] * 2
    chat = {"messages": [{"role": r, "content": t} for r, t in zip(roles, turns, strict=True)]}
    write(workspace, "data/a.jsonl", pair("  how ARE you"), chat, pair("other"))
    write(
        workspace, "golden.jsonl", {"prompt": "How are you?", "expected": "fine", "tags": ["mood"]}
    )

    result = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    assert result.dataset.removed == {"golden": 2}
    assert [e.prompt[0].content for e in result.dataset.examples(workspace, "train")] == ["other"]
    assert result.golden_set.cases(workspace)[0].tags == ("mood",)


def test_held_out_cases_and_validation_share_no_question_with_training(workspace):
    rows = [pair(f"Question {number % 150}?", f"answer {number}") for number in range(300)]
    write(workspace, "data/a.jsonl", *rows)

    result = run(CurateConfig(), workspace)

    dataset, golden = result
    sides = [
        {prompt_keys(e.messages)[0] for e in dataset.examples(workspace, "train")},
        {prompt_keys(e.messages)[0] for e in dataset.examples(workspace, "validation")},
        {
            prompt_keys((*c.messages, c.messages[-1].model_copy(update={"role": "assistant"})))[0]
            for c in golden.cases(workspace)
        },
    ]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides)) == 150
    assert dataset.train_count + dataset.validation_count + golden.count == 300
    assert dataset.held_out == golden.count


def test_the_same_content_has_the_same_id_in_another_place_and_another_content_another(tmp_path):
    ids = []
    for name, extra in (("one", []), ("two", []), ("three", [pair("more")])):
        workspace = Workspace(tmp_path / name)
        workspace.root.mkdir()
        write(workspace, "data/a.jsonl", *[pair(f"q{n}") for n in range(40)], *extra)
        result = run(CurateConfig(), workspace)
        ids.append((result.dataset.id, result.golden_set.id))

    assert ids[0] == ids[1]
    assert ids[0][0] != ids[2][0]


def test_a_pattern_that_matches_nothing_and_a_file_that_is_no_parquet_say_so(workspace):
    with pytest.raises(DataError, match=r"no file matches 'data/\*'"):
        run(CurateConfig(), workspace)

    write(workspace, "data/a.parquet", "no parquet")
    with pytest.raises(DataError, match="not a Parquet file"):
        run(CurateConfig(), workspace)


def test_a_removed_row_is_brought_back_by_decision_or_recipe_but_never_a_golden_one(workspace):
    write(workspace, "data/a.jsonl", pair("one"), pair("ONE"), pair("two"), pair("secret"))
    write(workspace, "golden.jsonl", pair("Secret?", "42"))
    config = CurateConfig(golden="golden.jsonl", validation_share=0)
    dataset = run(config, workspace).dataset
    duplicate, leak = dataset.removed_rows(workspace)
    assert (duplicate.rule, leak.rule) == ("duplicate", "golden")

    restore(workspace, dataset, duplicate.key[:12])

    with pytest.raises(DataError, match="golden case"):
        restore(workspace, dataset, leak.key)
    again = run(config, workspace).dataset
    assert (again.train_count, again.removed) == (3, {"golden": 1})
    ReviewLog(workspace).path.unlink()
    keys = (duplicate.key, duplicate.witness_key, leak.key)
    by_recipe = run(config.model_copy(update={"keep": keys}), workspace)
    assert by_recipe.dataset == again


def test_an_experts_row_is_kept_of_two_that_say_the_same(workspace):
    write(workspace, "data/a.jsonl", pair("one", "Yes"))
    write(workspace, "data/expert.jsonl", pair("one", "yes"))
    write(workspace, "golden.jsonl", pair("z"))

    config = CurateConfig(golden="golden.jsonl", validation_share=0, experts=("data/expert*",))
    result = run(config, workspace)

    assert [e.answer for e in result.dataset.examples(workspace, "train")] == ["yes"]


def test_rows_repeated_on_purpose_count_as_often_as_they_stand_but_never_on_two_sides(workspace):
    rows = [pair(f"Which colour has number {number}?", f"Shade {number}") for number in range(60)]
    write(workspace, "data/a.jsonl", *rows, *rows[:20], *rows[:10])
    config = CurateConfig(duplicates="keep", near_duplicates=None, golden_share=0.2)

    dataset, golden_set = run(config, workspace)

    asked = {
        split: Counter(e.prompt[0].content for e in dataset.examples(workspace, split))
        for split in ("train", "validation")
    }
    cases = {case.messages[0].content for case in golden_set.cases(workspace)}
    assert not asked["train"].keys() & asked["validation"].keys()
    assert not cases & (asked["train"].keys() | asked["validation"].keys())
    times = {row["prompt"]: 1 + (place < 20) + (place < 10) for place, row in enumerate(rows)}
    assert asked["train"] + asked["validation"] == {
        question: count for question, count in times.items() if question not in cases
    }
    with pytest.raises(ValueError, match=r"near_duplicates would remove them again; set near_dup"):
        CurateConfig(duplicates="keep")


def test_a_group_stays_on_one_side_and_strata_have_their_share_on_every_side(workspace):
    rows = [
        {
            **pair(f"Question {n}?", f"answer {n}"),
            "thread": n // 3,
            "kind": "rare" if n < 90 else "common",
        }
        for n in range(900)
    ]
    write(workspace, "data/a.jsonl", *rows)

    config = CurateConfig(group_by=("thread",), stratify_by=("kind",), golden_share=0.2)
    dataset, golden_set = run(config, workspace)

    sides = {
        split: [e.metadata for e in dataset.examples(workspace, split)]
        for split in ("train", "validation")
    }
    asked = {case.messages[0].content for case in golden_set.cases(workspace)}
    sides["golden"] = [
        {"thread": str(row["thread"]), "kind": str(row["kind"])}
        for row in rows
        if row["prompt"] in asked
    ]
    threads = [{labels["thread"] for labels in side} for side in sides.values()]
    assert sum(map(len, threads)) == len(set.union(*threads)) == 300
    shares = {
        name: sum(x["kind"] == "rare" for x in side) / len(side) for name, side in sides.items()
    }
    assert shares == pytest.approx(dict.fromkeys(sides, 0.1), abs=0.02)


def test_a_group_whose_rows_are_in_several_strata_stays_on_one_side_too(workspace):
    rows = [
        {**pair(f"Question {n}?", f"answer {n}"), "thread": n // 3, "kind": "abcde"[n * 7 % 5]}
        for n in range(600)
    ]
    write(workspace, "data/a.jsonl", *rows)

    config = CurateConfig(group_by=("thread",), stratify_by=("kind",), golden_share=0.2)
    dataset, golden_set = run(config, workspace)

    asked = {case.messages[0].content for case in golden_set.cases(workspace)}
    sides = {
        split: {e.metadata["thread"] for e in dataset.examples(workspace, split)}
        for split in ("train", "validation")
    }
    sides["golden"] = {str(row["thread"]) for row in rows if row["prompt"] in asked}
    assert sum(map(len, sides.values())) == len(set.union(*sides.values())) == 200
    assert dataset.removed == {}
    assert len(sides["golden"]) == pytest.approx(40, abs=3)


LONG = "Our parcel service delivers from Monday to Saturday; your order {} left the warehouse this morning"


def test_the_best_of_near_duplicates_is_kept_and_rows_with_other_numbers_are_none(workspace):
    asked = "Could you please tell me when my parcel is going to arrive"
    write(
        workspace,
        "data/a.jsonl",
        pair(asked, LONG.format(11)),
        pair(asked + " here?", LONG.format(11) + " by van."),
        pair(asked + " here?", LONG.format(12) + " by van."),
        {**pair(asked, LONG.format(11) + " by train."), "label": False},
    )
    write(workspace, "golden.jsonl", pair("z"))
    config = CurateConfig(golden="golden.jsonl", validation_share=0)

    result = run(config, workspace)

    (gone,) = removed(workspace, result)
    assert (gone.rule, gone.example.source, gone.witness) == (
        "near_duplicate",
        "data/a.jsonl:1",
        "data/a.jsonl:2",
    )
    assert 0.85 <= gone.score < 1
    blind = run(config.model_copy(update={"numbers_matter": False}), workspace)
    assert blind.dataset.removed == {"near_duplicate": 2}
    everything = run(config.model_copy(update={"near_duplicates": None}), workspace)
    assert everything.dataset.removed == {}


ASKED = "Please look at my policy. Its terms are: " + " ".join(str(7**n) for n in range(1, 90))
LONG_ANSWER = (
    "The damage to the roof and the wet ceiling {} covered by your policy up to the sum insured."
)


@pytest.mark.parametrize(
    ("one", "other", "is_repetition"),
    [
        ("Yes.", "No.", False),
        ("urgent", "billing", False),
        (LONG_ANSWER.format("are"), LONG_ANSWER.format("are not"), False),
        (LONG_ANSWER.format("sind"), LONG_ANSWER.format("sind nicht"), False),
        ("Yes.", "yes", True),
        ("It is covered by the policy.", "It is covered by the policy!!", True),
        (
            LONG_ANSWER.format("are"),
            "Your policy covers roof damage and a wet ceiling, up to the sum that is insured.",
            True,
        ),
    ],
)
def test_a_near_row_whose_answer_says_something_else_is_no_repetition(
    workspace, one, other, is_repetition
):
    write(workspace, "data/a.jsonl", pair(ASKED, one), pair(ASKED.replace("look", "see"), other))
    write(workspace, "golden.jsonl", pair("z"))

    made = run(CurateConfig(golden="golden.jsonl", validation_share=0, leakage=None), workspace)

    assert made.dataset.removed == ({"near_duplicate": 1} if is_repetition else {})


def test_a_reworded_golden_question_is_not_trained_on(workspace):
    asked = "Could you please tell me when the parcel that I ordered is going to arrive at my house"
    write(workspace, "data/a.jsonl", pair(asked + "?", "soon"), pair("other", "no"))
    write(workspace, "golden.jsonl", pair(asked.replace("Could", "Would"), "soon"))

    result = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    (leak,) = removed(workspace, result)
    assert (leak.rule, leak.witness) == ("golden", "golden.jsonl:1")
    assert leak.reason.startswith("asks nearly what the golden case golden.jsonl:1 asks (9")


def test_a_conversation_that_is_nearly_a_golden_one_is_not_trained_on_but_equal_boilerplate_is_no_leak(
    workspace,
):
    boilerplate = "Our terms: " + " ".join(str(number**5) for number in range(400))

    def talk(opening: str, asked: str, answer: str) -> dict[str, object]:
        said = [opening, boilerplate, asked, answer]
        roles = ["user", "assistant"] * 2
        turns = [
            dict(zip(("role", "content"), pair, strict=True))
            for pair in zip(roles, said, strict=True)
        ]
        return {"messages": turns}

    asked = (
        "My card was swallowed by the machine at the central station this morning, while my train was about to leave,"
        " and nobody answers the phone there although I have tried it again and again all day long."
    )
    other = "Which documents do I need to open an account for my daughter, who studies abroad?"
    write(workspace, "golden.jsonl", talk("Hello there", asked, "Block it."))
    near = talk("Good day", asked.replace("phone", "bell"), "Block it!")
    write(
        workspace,
        "data/rows.jsonl",
        near,
        talk("Dear all", other, "Block it."),
        pair("Which way is home?"),
    )
    config = CurateConfig(
        golden="golden.jsonl", validation_share=0, near_duplicates=None, leakage=0.75
    )

    result = run(config, workspace)

    (leak,) = removed(workspace, result, "golden")
    assert leak.example.source == "data/rows.jsonl:1"
    assert leak.reason.startswith("says nearly what the golden case golden.jsonl:1 says (")
    assert result.dataset.train_count == 2


def test_near_questions_stay_on_one_side_of_every_split(workspace):
    words = "please explain to a new colleague in a few words how our team is using the"
    rows = [
        pair(f"{start} {words} tool {tool * 5}", f"Answer {tool} {start} {tool * 30}")
        for tool in map(chr, range(ord("a"), ord("z")))
        for start in ("Could you", "Can you", "Would you")
    ]
    write(workspace, "data/a.jsonl", *rows)

    dataset, golden = run(CurateConfig(near_duplicates=None, golden_share=0.3), workspace)

    questions = [
        [e.prompt[0].content[-5:] for e in dataset.examples(workspace, "train")],
        [e.prompt[0].content[-5:] for e in dataset.examples(workspace, "validation")],
        [c.messages[0].content[-5:] for c in golden.cases(workspace)],
    ]
    assert all(questions)
    assert sum(len(set(side)) for side in questions) == 25


def test_a_repetition_that_is_left_out_moves_no_other_row_to_another_side(workspace):
    rows = [pair(f"What does {word} mean?", f"It is {word}.") for word in WORDS]
    config = CurateConfig(golden_share=0.2, validation_share=0.3, near_duplicates=None)
    write(workspace, "data/a.jsonl", *rows)
    before = sides(workspace, run(config, workspace))

    write(workspace, "data/a.jsonl", *(row for each in rows for row in (each, rows[0])))
    after = sides(workspace, run(config, workspace))

    assert after == before


def test_a_witness_inside_a_folder_is_named_by_its_own_file(workspace):
    write(workspace, "data/shop/a.jsonl", pair("one"))
    write(workspace, "data/shop/b.jsonl", pair("two"), pair("ONE"))
    write(workspace, "golden.jsonl", pair("z"))

    result = run(CurateConfig(golden="golden.jsonl", validation_share=0), workspace)

    (gone,) = removed(workspace, result)
    assert (gone.example.source, gone.witness) == ("data/shop/b.jsonl:2", "data/shop/a.jsonl:1")
