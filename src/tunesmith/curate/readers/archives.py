"""Zip archives as services export them: Slack's, ChatGPT's."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from tunesmith.curate.decoding import decode_lines
from tunesmith.curate.readers import json_text, slack
from tunesmith.curate.row import RawRow, Row
from tunesmith.errors import DataError

CHATGPT_FILE = "conversations.json"


PACKED_BESIDE = frozenset({"__MACOSX", ".DS_Store"})
"""What macOS puts beside a folder that it packs."""


def read(path: Path, shown: str) -> Iterator[Row]:
    """The conversations in an export.

    Raises:
        DataError: If the archive is damaged, or no export that is known.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = _top(zipfile.Path(archive))
            shown = f"{shown}/{root.at}".rstrip("/")
            if slack.is_export(root):
                yield from slack.read(root, shown)
                return
            if not (root / CHATGPT_FILE).is_file():
                raise DataError(
                    f"{shown} is neither Slack's export nor ChatGPT's",
                    fix="unpack it and name the folder in curate.sources",
                )
            inside = f"{shown}/{CHATGPT_FILE}"
            for row in json_text.json_array(
                decode_lines((root / CHATGPT_FILE).read_bytes()), inside
            ):
                yield row._replace(file=inside) if isinstance(row, RawRow) else row
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, EOFError) as error:
        raise DataError(
            f"{shown} is no zip archive that can be read: {error}",
            fix="export it again, or leave it out of curate.sources",
        ) from error


def _top(root: zipfile.Path) -> zipfile.Path:
    """The folder that holds the export: the only one, where all was packed in one."""
    inside = [path for path in root.iterdir() if path.name not in PACKED_BESIDE]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else root
