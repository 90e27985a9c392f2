"""Golden cases: read from the file an expert wrote, or held out of the examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Case, Example, Prompt, Thumb
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.formats import recognise
from tunesmith.curate.loading import beginning, with_system
from tunesmith.curate.prompt_keys import prompt_key, prompt_keys
from tunesmith.curate.reading import read_rows
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.split import is_held_out
from tunesmith.curate.turns import BadRowError
from tunesmith.errors import NoGoodRowsError

PLACEHOLDER = "-"
"""Stands for the answer while a case is checked like an example."""


class GoldenCases(NamedTuple):
    """The cases, and what could not become one."""

    cases: list[Case]
    rejected: list[Rejected]


def read_golden(config: CurateConfig, path: Path, shown: str) -> GoldenCases:
    """The cases of a golden file, each prompt once.

    A row is `{"messages", "expected", "tags"}`, `{"prompt", "expected", "tags"}`, or an example in any format that
    sources may have, whose last answer is what is expected.

    Raises:
        NoGoodRowsError: If there is not one case in it.
    """
    cases: dict[str, Case] = {}
    rejected: list[Rejected] = []
    for row in read_rows(path, shown):
        outcome = row if isinstance(row, Rejected) else _case(row, shown, config)
        if isinstance(outcome, Rejected):
            rejected.append(outcome)
            continue
        key = prompt_key(outcome.messages)
        if key in cases:
            reason = f"asks the same as {cases[key].source}"
            rejected.append(
                Rejected(shown, _line(outcome.source), reason, beginning(outcome.expected))
            )
        else:
            cases[key] = outcome
    if not cases:
        reasons = [f"line {row.line}: {row.reason}" for row in rejected[:3]]
        raise NoGoodRowsError(
            shown,
            read=len(rejected),
            reasons=reasons or ["the file is empty"],
            fix='write rows like {"messages": [{"role": "user", "content": "…"}], "expected": "…"}',
        )
    return GoldenCases(list(cases.values()), rejected)


def hold_out(config: CurateConfig, examples: Sequence[Example]) -> list[Case]:
    """Cases made of the examples whose opening question falls into `golden_share`; of verdicts, the good answer."""
    return [
        Case(messages=example.prompt, expected=example.answer, source=example.source)
        for example in examples
        if not (isinstance(example, Thumb) and not example.is_good)
        and is_held_out(
            prompt_keys(example.messages)[0],
            purpose="golden",
            share=config.golden_share,
            seed=config.seed,
        )
    ]


def _case(row: RawRow, shown: str, config: CurateConfig) -> Case | Rejected:
    try:
        messages, expected, tags = _parts(row.value)
    except BadRowError as error:
        return Rejected(shown, row.line, str(error), beginning(row.value))
    return Case(
        messages=with_system(messages, config.system),
        expected=expected,
        tags=tags,
        source=f"{shown}:{row.line}",
    )


def _parts(value: object) -> tuple[Prompt, str, tuple[str, ...]]:
    if not isinstance(value, dict) or "expected" not in value:
        recognised = recognise(value)
        if recognised.is_good is False:
            raise BadRowError("an answer with thumbs down is not what is expected")
        return recognised.messages[:-1], recognised.messages[-1].content, _tags(value)
    expected = value["expected"]
    if not isinstance(expected, str) or not expected.strip():
        raise BadRowError("expected is empty or no text")
    turns = value.get("messages")
    if isinstance(turns, list):
        asked: dict[str, object] = {
            "messages": [*turns, {"role": "assistant", "content": PLACEHOLDER}]
        }
    else:
        asked = {**value, "completion": PLACEHOLDER}
    return recognise(asked).messages[:-1], expected, _tags(value)


def _tags(value: object) -> tuple[str, ...]:
    tags = value.get("tags", []) if isinstance(value, dict) else []
    if isinstance(tags, str):
        tags = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRowError("tags are not a list of texts")
    return tuple(tags)


def _line(source: str) -> int:
    return int(source.rpartition(":")[2])
