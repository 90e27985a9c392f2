"""Golden cases: read from the file an expert wrote, or held out of the examples."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.conversation import Case, Prompt
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.facts import facts_of
from tunesmith.curate.formats import recognise
from tunesmith.curate.loading import beginning, other_columns, with_system
from tunesmith.curate.personal_data import mask_case, mask_rejected
from tunesmith.curate.prompt_keys import group_links, hash64, own_link, prompt_key
from tunesmith.curate.reading import read_rows
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.rows import Rows
from tunesmith.curate.split import held_out
from tunesmith.curate.turns import BadRowError
from tunesmith.errors import DataError, NoGoodRowsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACEHOLDER = "-"
"""Stands for the answer while a case is checked like an example."""


class GoldenCases(NamedTuple):
    """The cases, and what could not become one."""

    cases: list[Case]
    rejected: list[Rejected]
    secrets: dict[int, str]
    """Hash of every case's question and groups, and where that case lies: no row to learn from may share one."""


def read_golden(config: CurateConfig, path: Path, shown: str) -> GoldenCases:
    """The cases of a golden file, each prompt once.

    A row is `{"messages", "expected", "tags"}`, `{"prompt", "expected", "tags"}`, or an example in any format that
    sources may have, whose last answer is what is expected.

    Raises:
        NoGoodRowsError: If there is not one case in it.
    """
    cases: dict[str, Case] = {}
    rejected: list[Rejected] = []
    secrets: dict[int, str] = {}
    for row in read_rows(path, shown, config.encoding):
        outcome = row if isinstance(row, Rejected) else _case(row, shown, config)
        if isinstance(outcome, Rejected):
            rejected.append(mask_rejected(outcome, config))
            continue
        outcome = mask_case(outcome, config)
        key = prompt_key(outcome.messages)
        if key in cases:
            reason = f"asks the same as {cases[key].source}"
            rejected.append(
                Rejected(shown, _line(outcome.source), reason, beginning(outcome.expected))
            )
        else:
            cases[key] = outcome
            groups = _groups(row.value, config) if isinstance(row, RawRow) else []
            secrets |= dict.fromkeys([hash64(key), *groups], outcome.source)
    if not cases:
        reasons = [f"line {row.line}: {row.reason}" for row in rejected[:3]]
        raise NoGoodRowsError(
            shown,
            read=len(rejected),
            reasons=reasons or ["there is no row in it"],
            fix='write rows like {"messages": [{"role": "user", "content": "…"}], "expected": "…"}',
        )
    return GoldenCases(list(cases.values()), rejected, secrets)


def hold_out(config: CurateConfig, rows: Rows) -> tuple[GoldenCases, "NDArray[np.int64]"]:
    """Cases made of `golden_share` of the rows, and these rows' positions; of verdicts, the good answer.

    Raises:
        DataError: If the rows are too few for a single case.
    """
    import numpy as np

    positions = held_out(
        rows, rows.kept, purpose="golden", share=config.golden_share, seed=config.seed
    )
    positions = np.setdiff1d(positions, rows.kept_of("down"), assume_unique=True)
    if not len(positions):
        raise DataError(
            f"{len(rows.kept)} examples are too few to hold {config.golden_share:.0%} out as golden cases",
            fix="write golden cases into a file and name it in curate.golden",
        )
    cases: list[Case] = []
    secrets: dict[int, str] = {}
    links = rows.columns.lists("links")
    for position, example in zip(positions.tolist(), rows.examples(positions), strict=True):
        strata = [example.metadata[name] for name in config.stratify_by if name in example.metadata]
        cases.append(
            Case(
                messages=example.prompt,
                expected=example.answer,
                tags=(*example.tags, *strata),
                source=example.source,
            )
        )
        # The last question may stand deeper in a conversation than the opening one, which is among the links.
        asked = [hash64(prompt_key(example.prompt)), *links.at(position)]
        secrets |= dict.fromkeys(asked, example.source)
    return GoldenCases(cases, [], secrets), positions


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


def _groups(value: object, config: CurateConfig) -> list[int]:
    own = facts_of(value).group if isinstance(value, dict) else ""
    return [*own_link(own), *group_links(other_columns(value), config.group_by)]


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
