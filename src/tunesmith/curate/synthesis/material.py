"""What a teacher starts from: seed rows that were read, and passages of documents."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.conversation import Case, Example, Message
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.decoding import decode_text
from tunesmith.curate.golden import PLACEHOLDER
from tunesmith.curate.loading import Understood, paths_matching, source_paths, understand
from tunesmith.curate.personal_data import mask_case, protect
from tunesmith.curate.prompt_keys import question_group
from tunesmith.curate.readers.html_text import html_to_text
from tunesmith.curate.reading import read_rows
from tunesmith.curate.reviewed import apply_review
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.provenance import is_synthetic
from tunesmith.errors import DataError

PASSAGE_CHARACTERS = 2_000
"""About how long a passage is: a page, enough for several questions and well within any model's context."""


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


class Passage(NamedTuple):
    """A piece of a document."""

    source: str
    """As `file:line`."""
    text: str
    group: str


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
    for row in read_rows(path, shown):
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


def read_passages(
    config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace
) -> list[Passage]:
    """The documents in passages, cut between paragraphs.

    Raises:
        DataError: If a pattern matches no file.
    """
    passages: list[Passage] = []
    for pattern in plan.documents:
        paths = sorted(path for path in paths_matching(pattern, workspace) if path.is_file())
        if not paths:
            raise DataError(
                f"curate.synthesize.documents: no file matches {pattern!r}",
                fix="name text, Markdown or HTML files",
            )
        for path in paths:
            text = decode_text(path.read_bytes())
            if path.suffix.lower() in {".html", ".htm"}:
                text = html_to_text(text)
            shown = workspace.shown(path)
            places, parts = zip(*cut(text), strict=True) if text.strip() else ((), ())
            passages += [
                Passage(f"{shown}:{line}", part, f"document:{shown}")
                for line, part in zip(places, _masked(parts, config), strict=True)
            ]
    return passages


def _masked(parts: Sequence[str], config: CurateConfig) -> list[str]:
    """The passages as they may leave the machine."""
    if config.privacy.mode != "mask":
        return list(parts)
    cases = [Case(messages=(Message(role="user", content=part),), expected="") for part in parts]
    return [mask_case(case, config).messages[0].content for case in cases]


def cut(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of passages of whole paragraphs; only a paragraph longer than a passage is cut itself."""
    kept: list[str] = []
    line = start = 1
    for paragraph in text.split("\n\n"):
        if kept and sum(map(len, kept)) + len(paragraph) > PASSAGE_CHARACTERS:
            yield start, "\n\n".join(kept).strip()
            kept, start = [], line
        pieces = [
            paragraph[place : place + PASSAGE_CHARACTERS]
            for place in range(0, len(paragraph), PASSAGE_CHARACTERS)
        ]
        for piece in pieces[:-1]:
            yield start, piece.strip()
        if pieces and pieces[-1].strip():
            kept.append(pieces[-1])
        line += paragraph.count("\n") + 2
    if kept:
        yield start, "\n\n".join(kept).strip()
