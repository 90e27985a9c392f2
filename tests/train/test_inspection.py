"""Warnings before anything is spent: each is found with its number, and a clean run has none."""

import pytest

from conftest import make_tokenizer
from tunesmith.models.config import ModelConfig
from tunesmith.models.template import ChatTemplate
from tunesmith.train.config import TrainConfig
from tunesmith.train.inspection import inspect
from tunesmith.train.material import TrainInputs, prepare

SANE = TrainConfig(learning_rate=1e-3, batch_size=4)
PAIRS = [(f"question {number}", f"answer {number}") for number in range(20)]
ENDLESS = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"  # fmt: skip # noqa: E501


@pytest.fixture
def warnings_of(workspace, dataset_of, tiny_model):
    def find(config=SANE, pairs=PAIRS, *, template=None, **options):
        inputs = TrainInputs(dataset_of(pairs), ModelConfig(base=str(tiny_model)), "t", **options)
        material = prepare(config, workspace, inputs)
        if template:
            material = material._replace(template=ChatTemplate(make_tokenizer(template)))
        found = inspect(config, material)
        return {warning.code: warning for warning in found}

    return find


def test_a_sane_run_is_not_warned_about(warnings_of):
    assert warnings_of() == {}


def test_examples_left_out_are_counted_with_the_length_that_would_keep_them(warnings_of):
    pairs = [*PAIRS, ("long " * 40, "yes"), ("longer " * 40, "no")]

    found = warnings_of(SANE.model_copy(update={"sequence_length": 100}), pairs)["left-out"]

    assert found.count == 2
    assert "2 of 22 examples (9.1%)" in found.message
    longest = int(found.fix.split("sequence_length: ")[1].split()[0])
    fitting = SANE.model_copy(update={"sequence_length": longest})
    assert warnings_of(fitting, pairs) == {}
    assert warnings_of(SANE.model_copy(update={"sequence_length": longest - 1}), pairs)


def test_answers_longer_than_the_model_may_give_are_counted(warnings_of):
    # 8 or 9 letters and the end token: "answer 7" is 9 tokens, "answer 17" is 10.
    found = warnings_of(answer_limit=9)["long-answers"]

    assert found.count == 10
    assert "max_tokens: 10" in found.fix
    assert warnings_of(answer_limit=10) == {}


def test_a_template_that_never_ends_an_answer_is_named(warnings_of):
    assert list(warnings_of(template=ENDLESS)) == ["no-end-token"]


@pytest.mark.parametrize(
    ("method", "rate", "side"),
    [("qlora", 5e-2, "high"), ("lora", 1e-6, "low"), ("full", 1e-2, "high"), ("full", 1e-4, None)],
)
def test_a_learning_rate_is_judged_by_method_and_size(warnings_of, method, rate, side):
    found = warnings_of(SANE.model_copy(update={"method": method, "learning_rate": rate}))

    assert list(found) == (["learning-rate"] if side else [])
    if side:
        assert f"is {side} for {method} and " in found["learning-rate"].message


def test_too_few_examples_for_the_steps_are_counted(warnings_of):
    found = warnings_of(SANE.model_copy(update={"batch_size": 32}))["few-examples"]

    assert found.count == 20
    assert "20 examples make 3 step(s) of at most 32" in found.message


def test_one_answer_to_many_questions_is_counted(warnings_of):
    pairs = [(question, "I do not know" if number < 7 else answer)
             for number, (question, answer) in enumerate(PAIRS)]  # fmt: skip

    found = warnings_of(pairs=pairs)["one-answer"]

    assert found.count == 7
    assert "7 of 20 examples (35%)" in found.message


def test_golden_questions_in_training_come_first(warnings_of):
    found = warnings_of(
        SANE.model_copy(update={"learning_rate": 1}),
        is_golden=lambda example: example.prompt[-1].content in {"question 3", "question 4"},
    )

    assert list(found) == ["golden-in-training", "learning-rate"]
    assert found["golden-in-training"].count == 2
