"""Raw rows to refined ones: all that can be said of a row without looking at another; runs on any core or machine."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, Pair, Thumb
from tunesmith.core.progress import track
from tunesmith.core.similarity import signatures
from tunesmith.core.text import encodable
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.facts import Facts
from tunesmith.curate.fan_out import fan_out
from tunesmith.curate.filters.known import Filters, Noted, own_files
from tunesmith.curate.loading import Understood, understand
from tunesmith.curate.personal_data import Protected, protect
from tunesmith.curate.prompt_keys import (
    answer_hash,
    conversation_key,
    group_links,
    hash64,
    numbers_key,
    own_link,
    prompt_keys,
    question,
    said,
)
from tunesmith.curate.readers.folders import files_in
from tunesmith.curate.reading import read_rows
from tunesmith.curate.reviewed import apply_review
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.shard import UNREADABLE, Refined, write_shard

Row = TypeVar("Row")
ROWS_PER_SHARD = 5_000
"""Enough that starting a job costs nothing beside it, few enough that a job's rows take some ten MB."""
NO_MATTER_TO_SHARDS = {
    "sources",
    "synthesize",
    "golden",
    "golden_share",
    "validation_share",
    "experts",
    "duplicates",
    "near_duplicates",
    "semantic_duplicates",
    "numbers_matter",
    "leakage",
    "label_noise",
    "select",
    "engine",
    "workers",
    "seed",
}
"""Settings that only later steps look at."""


class Job(NamedTuple):
    """Some consecutive rows of one file, and the shard to make of them."""

    config: CurateConfig
    file: int
    """Position of the file among the run's sources."""
    shown: str
    rows: Sequence[RawRow | Rejected]
    shard: Path
    decisions: Mapping[str, ReviewDecision]
    """What reviewers decided, by example key."""
    root: Path
    """The workspace, where the user's own filters lie."""


def refine_all(
    config: CurateConfig, workspace: Workspace, paths: Sequence[Path], *, is_quiet: bool
) -> list[Path]:
    """Shards of all rows of all files, in reading order; shards that a killed run has made are not made again.

    Raises:
        DataError: If a file cannot be opened as what it claims to be.
    """
    names = [workspace.shown(path) for path in paths]
    Filters(config.filters, workspace.root)  # a wrong one fails here, before anything is read
    own = own_files(config.filters, workspace.root)
    decisions = ReviewLog(workspace).standing()
    files = dict(zip([*names, *(path.name for path in own)], [*paths, *own], strict=True))
    folder = workspace.folder("refining") / _fingerprint(config, files, decisions)
    shards: list[Path] = []
    with track("curate: read", sum(map(about_rows, paths)), is_quiet=is_quiet) as progress:

        def jobs() -> Iterator[Job]:
            for file, (path, name) in enumerate(zip(paths, names, strict=True)):
                rows_of_file = read_rows(path, name, config.encoding, config.mapping)
                for rows in batched(rows_of_file, ROWS_PER_SHARD):
                    shard = folder / f"{len(shards):06}.parquet"
                    shards.append(shard)
                    if shard.is_file():
                        progress.advance(len(rows))
                    else:
                        yield Job(config, file, name, rows, shard, decisions, workspace.root)

        for read in fan_out(refine, jobs(), engine=config.engine, workers=config.workers):
            progress.advance(read)
    return shards


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of `size` consecutive rows, the last one shorter."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def refine(job: Job) -> int:
    """Make the job's shard; returns the number of rows in it, which is the number of rows read."""
    refined: list[Refined] = []
    texts: list[tuple[str, str]] = []
    for row, protected in zip(job.rows, _protected(job), strict=True):
        one, example = _refined(job, row, protected)
        refined.append(one)
        texts.append((said(example), question(example.messages)) if example else ("", ""))
    everything = signatures([text for text, _ in texts])
    questions = signatures([text for _, text in texts])
    write_shard(
        job.shard,
        [
            row._replace(
                said=whole.tobytes(),
                question=asked.tobytes(),
                said_numbers=numbers_key(texts[place][0]),
                question_numbers=numbers_key(texts[place][1]),
            )
            for place, (row, whole, asked) in enumerate(
                zip(refined, everything, questions, strict=True)
            )
        ],
    )
    return len(refined)


def _protected(job: Job) -> list[Protected]:
    """Every row understood, or not, without the personal data that must not be stored."""
    understood = [
        row if isinstance(row, Rejected) else understand(row, job.shown, job.config)
        for row in job.rows
    ]
    return protect(understood, job.config)


def _refined(
    job: Job, row: RawRow | Rejected, protected: Protected
) -> tuple[Refined, Example | None]:
    """The row's columns, and the example where it is one."""
    outcome = protected.outcome
    if isinstance(outcome, Rejected):
        return Refined(
            outcome.line,
            job.file,
            inside=outcome.file if outcome.file != job.shown else "",
            rule=UNREADABLE,
            reason=encodable(outcome.reason),
            row=encodable(outcome.row),
            personal=protected.findings,
        ), None
    reviewed = apply_review([outcome.example], job.decisions)
    for example, reason in reviewed.rejected:
        refined = _columns(job, row.line, outcome._replace(example=example), protected)
        return refined._replace(rule="review", reason=reason), example
    kept = reviewed.kept[0]
    columns = _columns(job, row.line, outcome._replace(example=kept), protected)
    if columns.key in job.decisions or columns.key in job.config.keep:
        return columns, kept
    return _filtered(columns, _filters(job)(kept), job.config.remove_from), kept


def _filtered(row: Refined, noted: Sequence[Noted], remove_from: float) -> Refined:
    """The row with what filters noted; set aside by the most certain of them if it is certain enough."""
    if noted and noted[0].finding.score >= remove_from:
        rule, (score, reason) = noted[0]
        return row._replace(rule=rule, score=score, reason=encodable(reason))
    doubts = [
        {"rule": rule, "score": round(score, 4), "text": encodable(reason)}
        for rule, (score, reason) in noted
    ]
    return row._replace(doubts=json.dumps(doubts, ensure_ascii=False))


def _filters(job: Job) -> Filters:
    return _made_filters(json.dumps(job.config.filters), job.root)


@lru_cache(maxsize=1)
def _made_filters(choices: str, root: Path) -> Filters:
    """Made once a process: some load word lists or models."""
    return Filters(json.loads(choices), root)


def _columns(job: Job, line: int, understood: Understood, protected: Protected) -> Refined:
    example = understood.example
    asked = [hash64(key) for key in prompt_keys(example.messages)]
    file = example.source.rpartition(":")[0]
    return Refined(
        line,
        job.file,
        inside=file if file != job.shown else "",
        key=example.key,
        format=understood.format,
        verdict=_verdict(example),
        row=example.model_dump_json(exclude_unset=True),
        exact=hash64(conversation_key(example)),
        answer=answer_hash(example),
        asked=asked,
        links=[asked[0], *_groups(protected.facts, job.config.group_by)],
        stratum=_stratum(protected.facts, job.config.stratify_by),
        characters=sum(len(text) for _, text in example.texts),
        personal=protected.findings,
    )


def _groups(facts: Facts, group_by: Sequence[str]) -> list[int]:
    return [*own_link(facts.group), *group_links(facts.metadata, group_by)]


def _verdict(example: Example) -> str:
    if isinstance(example, Pair):
        return "pair"
    if isinstance(example, Thumb):
        return "up" if example.is_good else "down"
    return ""


def _stratum(facts: Facts, stratify_by: Sequence[str]) -> int:
    if not stratify_by:
        return 0
    return hash64("\x1f".join(facts.metadata.get(name, "") for name in stratify_by))


def _fingerprint(
    config: CurateConfig, files: Mapping[str, Path], decisions: Mapping[str, ReviewDecision]
) -> str:
    """The same for runs that would make the same shards."""
    settings = config.model_dump(mode="json", exclude=NO_MATTER_TO_SHARDS)
    hashes = [[name, fingerprint.of_path(path)] for name, path in files.items()]
    reviewed = [decision.model_dump(mode="json") for decision in decisions.values()]
    return fingerprint.of_json([version("tunesmith"), settings, hashes, reviewed])[:16]


def about_rows(path: Path) -> int:
    """Lines of a source, for the progress bar; it may hold fewer rows."""
    count = 0
    files = files_in(path) if path.is_dir() else [path]
    for file in filter(Path.is_file, files):
        with file.open("rb") as stream:
            pieces = iter(partial(stream.read, 1 << 20), b"")
            count += sum(piece.count(b"\n") for piece in pieces)
    return count
