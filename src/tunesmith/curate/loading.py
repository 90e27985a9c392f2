"""Source files to examples: every row read is either accepted or set aside with its reason."""

import glob
import json
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.dataset import Source
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, Message, Prompt
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.formats import recognise
from tunesmith.curate.reading import read_rows
from tunesmith.curate.row import SHOWN_CHARACTERS, RawRow, Rejected
from tunesmith.curate.turns import BadRowError
from tunesmith.errors import DataError, NoGoodRowsError


class Loaded(NamedTuple):
    """What one file, or all of them, yielded."""

    examples: list[Example]
    rejected: list[Rejected]
    sources: list[Source]


def source_paths(config: CurateConfig, workspace: Workspace) -> list[Path]:
    """The files that the patterns name, each once, in an order that is the same on any machine.

    Raises:
        DataError: If a pattern matches no file.
    """
    found: dict[str, Path] = {}
    for pattern in config.sources:
        matches = [
            Path(name)
            for name in glob.glob(str(workspace.path_of(pattern)))
            if Path(name).is_file()
        ]
        matches = [path for path in matches if not path.name.startswith(".")]
        if not matches:
            raise DataError(
                f"curate.sources: no file matches {pattern!r} in {workspace.root}",
                fix="put your data files there, or name where they are",
            )
        found |= {workspace.shown(path): path for path in matches}
    golden = workspace.path_of(config.golden) if config.golden else None
    return [found[name] for name in sorted(found) if found[name] != golden]


def load(config: CurateConfig, workspace: Workspace, paths: list[Path]) -> Loaded:
    """All examples of all files.

    Raises:
        NoGoodRowsError: If a file holds rows and not one of them can be used.
        DataError: If a file cannot be opened as what it claims to be.
    """
    loaded = Loaded([], [], [])
    for path in paths:
        part = load_file(config, path, workspace.shown(path))
        loaded.examples.extend(part.examples)
        loaded.rejected.extend(part.rejected)
        loaded.sources.extend(part.sources)
    return loaded


def load_file(config: CurateConfig, path: Path, shown: str) -> Loaded:
    """The examples of one file; see `load`."""
    examples: list[Example] = []
    rejected: list[Rejected] = []
    formats: set[str] = set()
    for row in read_rows(path, shown):
        outcome = row if isinstance(row, Rejected) else understand(row, shown, config)
        if isinstance(outcome, Rejected):
            rejected.append(outcome)
        else:
            formats.add(outcome[0])
            examples.append(outcome[1])
    if not examples:
        reasons = [f"line {row.line}: {row.reason}" for row in rejected[:3]]
        raise NoGoodRowsError(shown, read=len(rejected), reasons=reasons or ["the file is empty"])
    source = Source(
        path=shown,
        sha256=fingerprint.of_file(path),
        format=" + ".join(sorted(formats)),
        read=len(examples) + len(rejected),
        accepted=len(examples),
        rejected=len(rejected),
    )
    return Loaded(examples, rejected, [source])


def with_system(messages: Prompt, system: str | None) -> Prompt:
    """The messages behind the system turn, unless they bring one of their own."""
    if system is None or messages[0].role == "system":
        return messages
    return (Message(role="system", content=system), *messages)


def beginning(value: object) -> str:
    """What is kept of a row that is set aside."""
    return json.dumps(value, ensure_ascii=False, default=str)[:SHOWN_CHARACTERS]


def understand(row: RawRow, shown: str, config: CurateConfig) -> tuple[str, Example] | Rejected:
    """The row's format and the example in it, or why there is none."""
    try:
        recognised = recognise(row.value)
    except BadRowError as error:
        return Rejected(shown, row.line, str(error), beginning(row.value))
    size = recognised.characters
    if size > config.max_characters:
        reason = f"{size} characters, the limit is {config.max_characters} (curate.max_characters)"
        return Rejected(shown, row.line, reason, beginning(row.value))
    messages = with_system(recognised.messages, config.system)
    return recognised.format, recognised.example(messages, f"{shown}:{row.line}")
