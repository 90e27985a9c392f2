"""What would make a run worse than it could be, found before anything is spent: each with its number and the fix."""

import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from tunesmith.artifacts.adapter import TrainWarning
from tunesmith.core.conversation import Example, Message
from tunesmith.core.text import normalise
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material

COMMON_ANSWER_SHARE = 0.3
"""Share of the examples with one and the same answer from which a model may learn to say nothing else."""
FEW_EXAMPLES = 10
"""Shares of fewer examples say nothing."""
FEW_STEPS = 10
"""Optimizer steps under which a learning rate has hardly risen and fallen."""
SHOWN_CHARACTERS = 40


class Inspected(NamedTuple):
    """What is looked at."""

    config: TrainConfig
    material: Material


def inspect(config: TrainConfig, material: Material) -> tuple[TrainWarning, ...]:
    """All warnings about a run, the gravest first.

    Args:
        config: The recipe's `train:` section.
        material: What would be trained on.
    """
    run = Inspected(config, material)
    checks = (
        _golden,
        _endless,
        _left_out,
        _long_answers,
        _learning_rate,
        _few_examples,
        _common_answer,
    )
    return tuple(warning for check in checks if (warning := check(run)))


def _golden(run: Inspected) -> TrainWarning | None:
    found = [example for example in run.material.examples if run.material.inputs.is_golden(example)]
    if not found:
        return None
    return TrainWarning(
        code="golden-in-training",
        message=f"{_share(found, run.material.examples)} ask what a golden case asks"
        f" ({_places(found)}): the measurement will be too good",
        fix="run `tunesmith curate`, which keeps golden questions out of training",
        count=len(found),
    )


def _endless(run: Inspected) -> TrainWarning | None:
    asked = (Message(role="user", content="a question"),)
    answered = (*asked, Message(role="assistant", content="an answer"))
    prompt, text = (
        run.material.template.render(turns, is_prompt=turns is asked) for turns in (asked, answered)
    )
    ids = run.material.template.encode_text(text.removeprefix(prompt))
    if run.material.template.end_ids & set(ids):
        return None
    return TrainWarning(
        code="no-end-token",
        message="the chat template does not end an answer, so the tokenizer's end token is trained after each one",
        fix="check that whatever serves the model stops at that token, or use the template of an instruct model",
    )


def _left_out(run: Inspected) -> TrainWarning | None:
    lost = run.material.train.too_long
    if not lost:
        return None
    longest = max(
        len(each.ids)
        for each in run.material.template.encode_examples([each.messages for each in lost])
    )
    limit = run.config.sequence_length
    return TrainWarning(
        code="left-out",
        message=f"{_share(lost, run.material.examples)} are longer than {limit} tokens and left out"
        f" ({_places(lost)})",
        fix=f"set train.sequence_length: {longest} to keep them all, or shorten them",
        count=len(lost),
    )


def _long_answers(run: Inspected) -> TrainWarning | None:
    limit = run.material.inputs.answer_limit
    if limit is None:
        return None
    counts = [example.trained_tokens for example in run.material.train.examples]
    above = [count for count in counts if count > limit]
    if not above:
        return None
    return TrainWarning(
        code="long-answers",
        message=f"{len(above)} of {len(counts)} examples train more than {limit} tokens of answer,"
        f" up to {max(above)}: the tuned model is cut off there when it is measured",
        fix=f"set evaluate.max_tokens: {max(above)} or shorten the answers",
        count=len(above),
    )


def _learning_rate(run: Inspected) -> TrainWarning | None:
    config = run.config
    table = json.loads(files("tunesmith.train").joinpath("learning_rates.json").read_text())
    trained = "full" if config.method == "full" else "adapter"
    rows = table[trained if config.objective == "sft" else f"{trained}, from verdicts"]
    row = next(
        row
        for row in rows
        if row["below_parameters"] is None or run.material.parameters < row["below_parameters"]
    )
    if row["low"] <= config.learning_rate <= row["high"]:
        return None
    side = "high" if config.learning_rate > row["high"] else "low"
    return TrainWarning(
        code="learning-rate",
        message=f"train.learning_rate {config.learning_rate:g} is {side} for {config.method} and"
        f" {run.material.parameters:,} parameters: published runs lie within {row['low']:g} and {row['high']:g}",
        fix=f"set train.learning_rate between {row['low']:g} and {row['high']:g}",
    )


def _few_examples(run: Inspected) -> TrainWarning | None:
    config = run.config
    count = len(run.material.train.examples) // config.answers_per_row
    steps = -(-count // config.batch_size) * config.epochs
    if count >= config.batch_size and steps >= FEW_STEPS:
        return None
    return TrainWarning(
        code="few-examples",
        message=f"{count} examples make {steps} step(s) of at most {config.batch_size}"
        f" in {config.epochs} epoch(s)",
        fix=f"lower train.batch_size or raise train.epochs for at least {FEW_STEPS} steps, or add examples",
        count=count,
    )


def _common_answer(run: Inspected) -> TrainWarning | None:
    total = len(run.material.examples)
    if run.config.objective != "sft":
        return None
    answer, count = Counter(
        normalise(example.answer) for example in run.material.examples
    ).most_common(1)[0]
    if total < FEW_EXAMPLES or count < COMMON_ANSWER_SHARE * total:
        return None
    shown = answer[:SHOWN_CHARACTERS] + ("…" if len(answer) > SHOWN_CHARACTERS else "")
    return TrainWarning(
        code="one-answer",
        message=f"{count} of {total} examples ({count / total:.0%}) have the same answer, {shown!r}:"
        " the model may learn to say little else",
        fix="add examples with other answers, or leave some of these out",
        count=count,
    )


def _share(found: Sequence[Example], of: Sequence[Example]) -> str:
    return f"{len(found)} of {len(of)} examples ({len(found) / len(of):.1%})"


def _places(found: Sequence[Example]) -> str:
    places = [example.source or "source unknown" for example in found[:3]]
    return ", ".join([*places, "…"] if len(found) > len(places) else places)
