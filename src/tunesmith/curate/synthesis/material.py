"""What a teacher starts from: seed rows that were read, and what is asked already."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.conversation import Example
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.golden import PLACEHOLDER
from tunesmith.curate.loading import Understood, source_paths, understand
from tunesmith.curate.personal_data import protect
from tunesmith.curate.prompt_keys import question_group
from tunesmith.curate.reading import read_rows
from tunesmith.curate.reviewed import apply_review
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.provenance import is_synthetic
from tunesmith.errors import DataError


class Seed(NamedTuple):
    """A row that something new is made from."""

    example: Example
    group: str
    """What keeps a descendant on the seed's own side of every split."""

    has_answer: bool = True

    @property
    def question(self) -> str:
        """What is asked last."""
        return self.example.prompt[-1].content


class Seeds(NamedTuple):
    """What the rows of some sources are to a synthesis."""

    rows: list[Seed]
    written: list[str]
    """What rows ask that a teacher wrote for another output: no seeds, but nothing new must be near to them."""


def read_seeds(config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace) -> Seeds:
    """The good rows of the seed sources, and questions alone, as they may leave the machine.

    Neither what was synthesised before, nor preferences, nor what a reviewer rejected. The plan's own output is not
    looked at, wherever it lies: it would change what is made of everything else. Where `curate.privacy` masks,
    personal data is masked here already, before a teacher sees it.

    Raises:
        DataError: If there is no seed.
    """
    seeds = _seeds_in(plan.seeds or config.sources, config, plan, workspace)
    if not seeds.rows:
        raise DataError(
            "there is no seed row to start from",
            fix="write a few good examples into a source, and see `tunesmith curate preview`",
        )
    return seeds


def existing_questions(
    config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace
) -> list[str]:
    """What the sources ask already, where the seeds are others: new questions must not be near to it."""
    if not plan.seeds:
        return []
    try:
        found = _seeds_in(config.sources, config, plan, workspace)
    except DataError:
        return []
    return [*(row.question for row in found.rows), *found.written]


def _seeds_in(
    patterns: tuple[str, ...], config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace
) -> Seeds:
    output = workspace.path_of(plan.output)
    sources = config.model_copy(update={"sources": patterns})
    standing = ReviewLog(workspace).standing()
    seeds = Seeds([], [])
    for path in source_paths(sources, workspace, without=output):
        found = list(_read(path, workspace.shown(output), config, workspace))
        protected = protect([one.understood for one in found], config)
        for one, hidden in zip(found, protected, strict=True):
            if isinstance(hidden.outcome, Rejected):
                continue
            for example in apply_review([hidden.outcome.example], standing).kept:
                group = hidden.facts.group or question_group(example.messages)
                seed = Seed(example, group, one.has_answer)
                if one.is_synthetic:
                    seeds.written.append(seed.question)
                else:
                    seeds.rows.append(seed)
    return seeds


def shared_system(seeds: Sequence[Seed]) -> str | None:
    """The system turn of the seeds, where they all have the same."""
    turns = {
        seed.example.messages[0].content if seed.example.messages[0].role == "system" else None
        for seed in seeds
    }
    return turns.pop() if len(turns) == 1 else None


class _Found(NamedTuple):
    """A row that may be a seed."""

    understood: Understood
    has_answer: bool
    is_synthetic: bool


def _read(path: Path, output: str, config: CurateConfig, workspace: Workspace) -> Iterator[_Found]:
    """The rows of a source that are understood, without those that stand in the output."""
    shown = workspace.shown(path)
    for row in read_rows(path, shown, config.encoding, config.mapping):
        if isinstance(row, RawRow) and row.file != output:
            found = _understood(row, shown, config)
            if found is not None:
                yield found


def _understood(row: RawRow, shown: str, config: CurateConfig) -> _Found | None:
    """The seed in a row, which may be a question alone."""
    outcome = understand(row, shown, config)
    has_answer = not isinstance(outcome, Rejected)
    if isinstance(outcome, Rejected) and isinstance(row.value, dict):
        outcome = understand(row._replace(value=_with_answer(row.value)), shown, config)
    if isinstance(outcome, Rejected) or type(outcome.example) is not Example:
        return None
    return _Found(outcome, has_answer, is_synthetic(row.value))


def _with_answer(value: dict[str, object]) -> dict[str, object]:
    turns = value.get("messages")
    if isinstance(turns, list):
        return {**value, "messages": [*turns, {"role": "assistant", "content": PLACEHOLDER}]}
    return {**value, "completion": PLACEHOLDER, "output": PLACEHOLDER}
