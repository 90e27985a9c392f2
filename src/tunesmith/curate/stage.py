"""The curate stage: raw files -> Dataset + GoldenSet, with no question on both sides of a split."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.contradictions import write_contradictions
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.allocator import return_freed_memory
from tunesmith.core.workspace import Workspace, alone
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.contradictions import find_contradictions
from tunesmith.curate.golden import GoldenCases, hold_out, read_golden
from tunesmith.curate.loading import (
    bad_rows_excused,
    paths_matching,
    source_paths,
    unused_mappings,
)
from tunesmith.curate.noise import Probe, no_probe
from tunesmith.curate.personal_data import report_of
from tunesmith.curate.publishing import Origins, Sides, TokenCounter, publish
from tunesmith.curate.reading import guessed_encodings
from tunesmith.curate.refining import refine_all
from tunesmith.curate.rows import Rows
from tunesmith.curate.split import held_out
from tunesmith.curate.steps.diversity import find_redundant
from tunesmith.curate.steps.duplicates import find_duplicates
from tunesmith.curate.steps.leakage import find_leaks, find_near_leaks
from tunesmith.curate.steps.meaning import find_semantic_duplicates
from tunesmith.curate.steps.near import find_near_duplicates, near_questions
from tunesmith.curate.steps.noise import find_noise
from tunesmith.errors import DataError, NotMadeYetError

RETURNED_BYTES = 4 * 2**20
"""Arrays with a number for every row of many are given back when they are freed, or memory would grow from step to
step. Pieces of columns are smaller and used again: to map each anew takes longer than to read it."""


class CurateResult(NamedTuple):
    """What curation made."""

    dataset: Dataset
    golden_set: GoldenSet


def run(
    config: CurateConfig,
    workspace: Workspace,
    *,
    count_tokens: TokenCounter | None = None,
    probe: Probe = no_probe,
    is_quiet: bool = True,
) -> CurateResult:
    """Make and save a dataset and a golden set.

    Nothing read is lost: rows that are no example lie beside the dataset in `rejected.jsonl`, good rows that a rule
    left out in `removed.jsonl` with the rule, its score and the other row.

    Args:
        config: The recipe's `curate:` section.
        workspace: Where sources are read and artifacts kept.
        count_tokens: Lengths of examples in the base model's tokens, for the manifest.
        probe: Asked about label noise, where the recipe has rows removed for it.
        is_quiet: Show no progress.

    Raises:
        NoGoodRowsError: If a file holds not one usable row.
        DataError: If a file cannot be opened, or nothing is left to train on or to judge by.
        BusyError: If another process curates in this workspace: both would work in one folder.
    """
    with alone(workspace.folder("refining") / "lock", "curation"):
        return _made(config, workspace, count_tokens, probe, is_quiet=is_quiet)


def _made(
    config: CurateConfig,
    workspace: Workspace,
    count_tokens: TokenCounter | None,
    probe: Probe,
    *,
    is_quiet: bool,
) -> CurateResult:
    paths = source_paths(config, workspace)
    unused = unused_mappings(config, workspace, paths)
    shards = refine_all(config, workspace, paths, is_quiet=is_quiet)
    folder = workspace.folder("refining") / "columns"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return_freed_memory(above=RETURNED_BYTES)
    with closing(_open(config, workspace, paths, shards, folder)) as rows:
        rows.need_good_ones(bad_rows_excused(config, workspace), unused)
        _deduplicate(config, rows, is_quiet=is_quiet)
        golden, sides = _sides(config, workspace, rows, probe)
        if not len(sides.train):
            raise DataError(
                f"none of {len(rows)} rows is left to train on",
                fix="add examples, or lower curate.validation_share and curate.golden_share",
            )
        golden_set = _save_golden(config, workspace, golden)
        encodings = {path: ", ".join(guessed_encodings(path, config.encoding)) for path in paths}
        dataset = publish(
            rows,
            sides,
            workspace,
            origins=Origins(encodings, unused),
            count_tokens=count_tokens,
            is_quiet=is_quiet,
        )
        contradictions = find_contradictions(
            rows, rows.imitated(sides.all), numbers_matter=config.numbers_matter
        )
        write_contradictions(dataset, workspace, contradictions)
        if config.privacy.mode != "off":
            dataset.write_privacy_report(workspace, report_of(rows, config.privacy.mode))
    shutil.rmtree(folder)
    shutil.rmtree(shards[0].parent)
    return CurateResult(dataset, golden_set)


def _deduplicate(config: CurateConfig, rows: Rows, *, is_quiet: bool) -> None:
    """Leave out what repeats other rows; bind those that ask nearly the same to one side of every split."""
    if config.duplicates == "remove":
        rows.remove(find_duplicates(rows))
    if config.near_duplicates:
        rows.remove(
            find_near_duplicates(rows, config.near_duplicates, numbers_matter=config.numbers_matter)
        )
    if config.semantic_duplicates:
        rows.remove(
            find_semantic_duplicates(
                rows,
                config.semantic_duplicates,
                numbers_matter=config.numbers_matter,
                is_quiet=is_quiet,
            )
        )
    if config.leakage:
        rows.bind(near_questions(rows, config.leakage, numbers_matter=config.numbers_matter))


def _open(
    config: CurateConfig,
    workspace: Workspace,
    paths: Sequence[Path],
    shards: Sequence[Path],
    folder: Path,
) -> Rows:
    experts = {
        workspace.shown(path)
        for pattern in config.experts
        for path in paths_matching(pattern, workspace)
    }
    names = [workspace.shown(path) for path in paths]
    accepted = {
        key
        for key, decision in ReviewLog(workspace).standing().items()
        if decision.verdict == "accept"
    }
    return Rows(shards, names, folder, experts=experts, keep={*config.keep, *accepted})


def _sides(
    config: CurateConfig, workspace: Workspace, rows: Rows, probe: Probe
) -> tuple[GoldenCases, Sides]:
    """The golden cases, and every kept row on its side; rows that give a case away are left out."""
    import numpy as np

    if config.golden is None:
        golden, held = hold_out(config, rows)
    else:
        path = workspace.path_of(config.golden)
        if not path.is_file():
            raise NotMadeYetError(f"golden file {config.golden}", made_by="tunesmith init")
        golden, held = read_golden(config, path, workspace.shown(path)), np.array([], dtype=int)
    rows.set_apart(held)
    rows.remove(find_leaks(rows, golden.secrets), is_final=True)
    if config.golden and config.leakage:
        rows.remove(
            find_near_leaks(
                rows, golden.cases, config.leakage, numbers_matter=config.numbers_matter
            ),
            is_final=True,
        )
    # Golden cases are out by now: taking those away that a model finds hard would flatter every model.
    if config.label_noise is not None:
        rows.remove(find_noise(rows, config.label_noise, probe))
    if config.select is not None:
        rows.remove(find_redundant(rows, config.select))
    validation = held_out(
        rows, rows.kept, purpose="validation", share=config.validation_share, seed=config.seed
    )
    train = np.setdiff1d(rows.kept, validation, assume_unique=True)
    return golden, Sides(train, validation, held)


def _save_golden(config: CurateConfig, workspace: Workspace, golden: GoldenCases) -> GoldenSet:
    golden_set = GoldenSet(
        id=GoldenSet.id_of(golden.cases),
        count=len(golden.cases),
        origin=config.golden or "held out of the sources",
        rejected=len(golden.rejected),
    )
    golden_set.write_cases(workspace, golden.cases)
    golden_set.write_rejected(workspace, [row._asdict() for row in golden.rejected])
    return golden_set.save(workspace)
