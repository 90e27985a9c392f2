"""Which files are read, and how a raw row becomes an example."""

import glob
import json
import os
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Example, Message, Prompt
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.formats import recognise
from tunesmith.curate.mapping import mapped, mapping_for
from tunesmith.curate.readers import hugging_face
from tunesmith.curate.readers.folders import files_in
from tunesmith.curate.row import SHOWN_CHARACTERS, RawRow, Rejected, rejected
from tunesmith.curate.turns import ANSWER_KEYS, BadRowError
from tunesmith.errors import DataError, NotMadeYetError, TunesmithError

CONVERSATION_COLUMNS = frozenset(
    {
        "messages",
        "conversations",
        "instruction",
        "input",
        "prompt",
        "system",
        "chosen",
        "rejected",
        "group",
        "tags",
        "metadata",
        *ANSWER_KEYS,
    }
)
FACT_CHARACTERS = 200
"""Longest cell that is kept as a fact about its row; longer ones are texts."""


class Understood(NamedTuple):
    """A row that is an example."""

    format: str
    example: Example


def source_paths(
    config: CurateConfig, workspace: Workspace, *, without: Path | None = None
) -> list[Path]:
    """The files and folders that the patterns name, each once, in an order that is the same on any machine.

    Args:
        config: The recipe's `curate:` section.
        workspace: Where they lie.
        without: A file that is left out, and need not be there yet.

    Raises:
        DataError: If a pattern matches no file, or a file may not be read.
        NotMadeYetError: If it names the synthetic rows, which nobody has made yet.
    """
    found: dict[str, Path] = {}
    for pattern in config.sources:
        matches = paths_matching(pattern, workspace)
        if not matches and not (without and _names(pattern, without, workspace)):
            raise _nothing_matches(pattern, config, workspace)
        found |= {workspace.shown(path): path for path in matches}
    golden = workspace.path_of(config.golden) if config.golden else None
    paths = [found[name] for name in sorted(found) if found[name] not in (golden, without)]
    for path in paths:
        if path.exists() and not os.access(path, os.R_OK):
            raise DataError(
                f"{workspace.shown(path)} may not be read",
                fix=f"give yourself the right: chmod u+r {shlex.quote(str(path))}",
            )
    return paths


def _names(pattern: str, path: Path, workspace: Workspace) -> bool:
    """Whether the pattern would match a file of this name."""
    return path.match(str(workspace.path_of(pattern)))


def _nothing_matches(pattern: str, config: CurateConfig, workspace: Workspace) -> TunesmithError:
    plan = config.synthesize
    if plan is not None and _names(pattern, workspace.path_of(plan.output), workspace):
        return NotMadeYetError(plan.output, made_by="tunesmith curate synthesize")
    return DataError(
        f"curate.sources: no file matches {pattern!r} in {workspace.root}",
        fix="put your data files there, or name where they are",
    )


def bad_rows_excused(config: CurateConfig, workspace: Workspace) -> dict[str, int]:
    """Sources that a pattern found among others, with how many bad rows each may hold without a good one.

    None, which excuses an empty file; or one, which is what a link that leads nowhere counts for.
    """
    by_pattern = [paths_matching(pattern, workspace) for pattern in config.sources]
    several = {path for paths in by_pattern for path in paths if len(paths) > 1}
    named = {path for paths in by_pattern for path in paths if len(paths) == 1}
    return {workspace.shown(path): int(not path.exists()) for path in several - named}


def paths_matching(pattern: str, workspace: Workspace) -> list[Path]:
    """The files and folders that one pattern names, hidden ones aside; links that lead nowhere are among them.

    What is there under this very name is meant, whatever brackets are in it; `**` finds files in folders of any depth.
    """
    if pattern.startswith(hugging_face.SCHEME):
        return hugging_face.fetch(pattern)
    literal = workspace.path_of(pattern)
    if literal.exists():
        return [literal]
    found = [Path(name) for name in glob.glob(str(literal), recursive=True)]
    if "**" in pattern:
        found = [path for path in found if not path.is_dir()]
    return [path for path in found if not path.name.startswith(".")]


def unused_mappings(
    config: CurateConfig, workspace: Workspace, paths: Sequence[Path]
) -> tuple[str, ...]:
    """The patterns of mappings that fit none of these sources, nor a file inside one: misspelt, most likely."""
    if not config.mapping:
        return ()
    names = [name for path in paths for name in _names_in(path, workspace.shown(path))]
    fits = {mapping.files for mapping in config.mapping if any(map(mapping.fits, names))}
    return tuple(mapping.files for mapping in config.mapping if mapping.files not in fits)


def _names_in(path: Path, shown: str) -> Iterator[str]:
    """What rows of a source may say that their file is."""
    yield shown
    if path.is_dir():
        yield from (f"{shown}/{file.relative_to(path)}" for file in files_in(path))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (f"{shown}/{name}" for name in archive.namelist())


def understand(row: RawRow, shown: str, config: CurateConfig) -> Understood | Rejected:
    """The example in a raw row, or why there is none."""
    file = row.file or shown
    mapping = mapping_for(config.mapping, file)
    try:
        recognised = recognise(row.value if mapping is None else mapped(mapping, row.value))
    except BadRowError as error:
        return rejected(file, row.line, str(error), beginning(row.value))
    size = recognised.characters
    if size > config.max_characters:
        reason = f"{size} characters, the limit is {config.max_characters} (curate.max_characters)"
        return rejected(file, row.line, reason, beginning(row.value))
    messages = with_system(recognised.messages, config.system)
    example = recognised.example(messages, f"{file}:{row.line}")
    columns = other_columns(row.value)
    if columns:
        example = example.model_copy(update={"metadata": {**columns, **example.metadata}})
    kind = "mapping" if mapping is not None else row.format or recognised.format
    return Understood(kind, example)


def other_columns(value: object) -> dict[str, str]:
    """A row's short scalar columns that are no part of the conversation."""
    if not isinstance(value, dict):
        return {}
    return {
        name: text
        for name, cell in value.items()
        if name not in CONVERSATION_COLUMNS and _fact(name) and (text := _fact(cell))
    }


def with_system(messages: Prompt, system: str | None) -> Prompt:
    """The messages behind the system turn, unless they bring one of their own."""
    if system is None or messages[0].role == "system":
        return messages
    return (Message(role="system", content=system), *messages)


def beginning(value: object) -> str:
    """What is kept of a row that is set aside."""
    return json.dumps(value, ensure_ascii=False, default=str)[:SHOWN_CHARACTERS]


def _fact(cell: object) -> str:
    if not isinstance(cell, str | int | float | bool):
        return ""
    text = str(cell)
    is_short = len(text) <= FACT_CHARACTERS and text.isprintable()
    return text if is_short else ""
