"""The curate stage: raw files -> Dataset + GoldenSet, with no question on both sides of a split."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import Dataset, LengthStatistics, Removals, VerdictCounts
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.conversation import Case, Example
from tunesmith.core.text import normalise
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.golden import GoldenCases, hold_out, read_golden
from tunesmith.curate.loading import Loaded, load, source_paths
from tunesmith.curate.prompt_keys import prompt_key, prompt_keys
from tunesmith.curate.reviewed import apply_review
from tunesmith.curate.row import SHOWN_CHARACTERS, Rejected
from tunesmith.curate.split import is_held_out
from tunesmith.errors import DataError, NotMadeYetError

TokenCounter = Callable[[Example], int]


class CurateResult(NamedTuple):
    """What curation made."""

    dataset: Dataset
    golden_set: GoldenSet


class Splits(NamedTuple):
    """The examples to learn from."""

    train: list[Example]
    validation: list[Example]


def run(
    config: CurateConfig, workspace: Workspace, *, count_tokens: TokenCounter | None = None
) -> CurateResult:
    """Make and save a dataset and a golden set; rows set aside lie beside the dataset in `rejected.jsonl`.

    Args:
        config: The recipe's `curate:` section.
        workspace: Where sources are read and artifacts kept.
        count_tokens: Length of an example in the base model's tokens, for the manifest.

    Raises:
        NoGoodRowsError: If a file holds not one usable row.
        DataError: If a file cannot be opened, or nothing is left to train on or to judge by.
    """
    loaded = load(config, workspace, source_paths(config, workspace))
    reviewed = apply_review(loaded.examples, ReviewLog(workspace).standing())
    unique, duplicates = _without_duplicates(reviewed.kept)
    golden = _golden(config, workspace, unique)
    kept, leaked = _without_golden(unique, golden.cases)
    splits = _split(config, kept)
    if not splits.train:
        raise DataError(
            f"none of {len(unique)} examples is left to train on",
            fix="add examples, or lower curate.validation_share and curate.golden_share",
        )
    golden_set = _save_golden(config, workspace, golden.cases)
    held_out = [] if config.golden else leaked
    removed = Removals(
        duplicates=len(duplicates),
        golden=len(leaked) - len(held_out),
        held_out=len(held_out),
        review=len(reviewed.rejected),
    )
    dataset = _save_dataset(workspace, loaded, splits, removed, count_tokens)
    rejected = [
        *loaded.rejected,
        *(_aside(example, reason) for example, reason in reviewed.rejected),
        *golden.rejected,
        *duplicates,
        *(leaked if config.golden else []),
    ]
    write_lines(dataset.rejected_path(workspace), [row._asdict() for row in rejected])
    return CurateResult(dataset, golden_set)


def _golden(config: CurateConfig, workspace: Workspace, examples: list[Example]) -> GoldenCases:
    if config.golden is None:
        cases = hold_out(config, examples)
        if not cases:
            raise DataError(
                f"{len(examples)} examples are too few to hold {config.golden_share:.0%} out as golden cases",
                fix="write golden cases into a file and name it in curate.golden",
            )
        return GoldenCases(cases, [])
    path = workspace.path_of(config.golden)
    if not path.is_file():
        raise NotMadeYetError(f"golden file {config.golden}", made_by="tunesmith init")
    return read_golden(config, path, workspace.shown(path))


def _without_duplicates(examples: Sequence[Example]) -> tuple[list[Example], list[Rejected]]:
    seen: dict[tuple[str, ...], Example] = {}
    duplicates: list[Rejected] = []
    for example in examples:
        key = tuple(f"{role}\x1e{normalise(text)}" for role, text in example.texts)
        if key in seen:
            duplicates.append(_aside(example, f"says the same as {seen[key].source}"))
        else:
            seen[key] = example
    return list(seen.values()), duplicates


def _without_golden(
    examples: Sequence[Example], cases: Sequence[Case]
) -> tuple[list[Example], list[Rejected]]:
    source_of = {prompt_key(case.messages): case.source for case in cases}
    kept: list[Example] = []
    leaked: list[Rejected] = []
    for example in examples:
        found = next((key for key in prompt_keys(example.messages) if key in source_of), None)
        if found is None:
            kept.append(example)
        else:
            leaked.append(_aside(example, f"asks what the golden case {source_of[found]} asks"))
    return kept, leaked


def _split(config: CurateConfig, examples: Sequence[Example]) -> Splits:
    splits = Splits([], [])
    for example in examples:
        is_validation = is_held_out(
            prompt_keys(example.messages)[0],
            purpose="validation",
            share=config.validation_share,
            seed=config.seed,
        )
        (splits.validation if is_validation else splits.train).append(example)
    return splits


def _save_golden(config: CurateConfig, workspace: Workspace, cases: list[Case]) -> GoldenSet:
    golden_set = GoldenSet(
        id=GoldenSet.id_of(cases),
        count=len(cases),
        origin=config.golden or "held out of the sources",
    )
    golden_set.write_cases(workspace, cases)
    return golden_set.save(workspace)


def _save_dataset(
    workspace: Workspace,
    loaded: Loaded,
    splits: Splits,
    removed: Removals,
    count_tokens: TokenCounter | None,
) -> Dataset:
    examples = [*splits.train, *splits.validation]
    dataset = Dataset(
        id=Dataset.id_of(*splits),
        train_count=len(splits.train),
        validation_count=len(splits.validation),
        verdicts=VerdictCounts.of(examples),
        sources=tuple(loaded.sources),
        removed=removed,
        characters=_lengths([sum(len(text) for _, text in example.texts) for example in examples]),
        tokens=_lengths([count_tokens(example) for example in examples]) if count_tokens else None,
    )
    dataset.write_examples(workspace, "train", splits.train)
    dataset.write_examples(workspace, "validation", splits.validation)
    return dataset.save(workspace)


def _lengths(sizes: list[int]) -> LengthStatistics:
    return LengthStatistics(total=sum(sizes), median=int(median(sizes)), longest=max(sizes))


def _aside(example: Example, reason: str) -> Rejected:
    file, _, line = example.source.rpartition(":")
    row = " | ".join(turn.content for turn in example.messages)
    return Rejected(file, int(line), reason, row[:SHOWN_CHARACTERS])
