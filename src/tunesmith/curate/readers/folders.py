"""Folders as one source: a Slack export, a saved dataset, or whatever readable files lie in them."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.curate.readers import hugging_face, mail, slack, sql_logs
from tunesmith.curate.row import RawRow, Row, rejected
from tunesmith.errors import DataError

READABLE = frozenset(
    [
        ".json",
        ".jsonl",
        ".ndjson",
        ".csv",
        ".tsv",
        ".tab",
        ".parquet",
        ".py",
        ".sql",
        ".md",
        ".markdown",
        ".mdx",
        ".html",
        ".htm",
        ".xhtml",
        ".zip",
    ]
)
PACKED = re.compile(r"\.(?:jsonl?|ndjson|csv|tsv|tab|sql)\.gz$")
PASSED_OVER = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})
"""Folders that hold what others made."""
LINK_TO_NOTHING = "a link to a file that is not there"

ReadFile = Callable[[Path, str], Iterator[Row]]


def read(folder: Path, shown: str, read_file: ReadFile) -> Iterator[Row]:
    """Every row of every file, each with the file it stands in; mails of all files are threaded together."""
    shown = shown.rstrip("/")
    if hugging_face.is_saved(folder):
        yield from hugging_face.read(folder, shown)
        return
    if slack.is_export(folder):
        yield from slack.read(folder, shown)
        return
    mails: list[tuple[Path, str]] = []
    unknown: Counter[str] = Counter()
    for path in files_in(folder):
        name = f"{shown}/{path.relative_to(folder)}"
        suffix = path.suffix.lower()
        if path.is_dir():
            reason = "a link to a folder is not followed: name the folder in curate.sources"
            yield rejected(name, 1, reason, "")
        elif not path.exists():
            yield rejected(name, 1, LINK_TO_NOTHING, "")
        elif _is_mail(path, suffix):
            mails.append((path, name))
        elif suffix in READABLE or PACKED.search(path.name.lower()) or sql_logs.is_log(path):
            yield from _file(path, name, read_file)
        else:
            unknown[suffix or path.name] += 1
    yield from mail.read(mails)
    if unknown:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in unknown.most_common(8))
        yield rejected(shown, 1, f"{unknown.total()} files of kinds that are not read", kinds)


def files_in(folder: Path) -> list[Path]:
    """The files, and links to folders, below a folder in a fixed order.

    Hidden ones and what tools made are passed over.
    """
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in PASSED_OVER
        ]
        found += [link for name in folders if (link := Path(parent, name)).is_symlink()]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _is_mail(path: Path, suffix: str) -> bool:
    """Whether a file is mail; Apple Mail and Thunderbird write mailboxes whose names have no ending."""
    if suffix or not path.is_file():
        return suffix in mail.SUFFIXES
    with path.open("rb") as stream:
        return mail.is_mail(suffix, stream.read(mail.START_BYTES))


def _file(path: Path, name: str, read_file: ReadFile) -> Iterator[Row]:
    try:
        for row in read_file(path, name):
            yield row._replace(file=row.file or name) if isinstance(row, RawRow) else row
    except DataError as error:
        yield rejected(name, 1, error.what, "")
    except OSError as error:
        yield rejected(name, 1, f"it cannot be read: {error.strerror}", "")
