"""Datasets of Hugging Face `datasets`: saved on disk, or fetched from the hub at a named revision."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.curate.readers import tables
from tunesmith.curate.row import RawRow, Row, rejected
from tunesmith.errors import DataError

SCHEME = "hf://"
HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)(?:/(?P<files>.+))?")


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by `Dataset.save_to_disk` or `DatasetDict.save_to_disk`."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def read(folder: Path, shown: str) -> Iterator[Row]:
    """The rows of every split, with the names of class labels in place of their numbers."""
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(path for path in folder.iterdir() if (path / "state.json").is_file())
        for split in splits:
            yield from _split(split, f"{shown}/{split.name}")
    else:
        yield from _split(folder, shown)


def fetch(reference: str) -> list[Path]:
    """The data files of `hf://owner/name@revision[/pattern]`, fetched from the hub or found in its cache.

    Raises:
        DataError: If the reference names no revision, or nothing is found under it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    found = HUB_NAME.fullmatch(reference.removeprefix(SCHEME))
    if found is None:
        raise DataError(
            f"curate.sources: {reference!r} is not of the form hf://owner/name@revision/files",
            fix="name a revision, so that the same recipe reads the same rows tomorrow",
        )
    pattern = found["files"] or "*"
    wanted = [pattern, f"{pattern}/*"] if found["files"] else ["*.parquet", "*.json*", "*.csv"]
    try:
        folder = Path(
            snapshot_download(
                found["name"],
                revision=found["revision"],
                repo_type="dataset",
                allow_patterns=wanted,
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError) as error:
        raise DataError(
            f"the hub does not give {reference}: {type(error).__name__}",
            fix="check name and revision; HF_HUB_OFFLINE=1 forbids fetching",
        ) from error
    return sorted(folder.glob(pattern)) if found["files"] else [folder]


def _split(folder: Path, shown: str) -> Iterator[Row]:
    import pyarrow

    names = _label_names(folder)
    number = 1
    for path in _data_files(folder):
        file = f"{shown}/{path.name}"
        try:
            with pyarrow.memory_map(str(path)) as stream:
                for row in tables.arrow_rows(pyarrow.ipc.open_stream(stream), number):
                    number = row.line + 1
                    yield RawRow(row.line, _named(row.value, names), file)
        except (pyarrow.ArrowException, OSError) as error:
            yield rejected(file, number, f"not Arrow: {error}", "")


def _data_files(folder: Path) -> list[Path]:
    """The files that the dataset names as its own, in its order; others are what its steps have cached."""
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
        return [folder / Path(file["filename"]).name for file in state["_data_files"]]
    except (OSError, ValueError, LookupError, TypeError):
        files = sorted(folder.glob("*.arrow"))
        return [path for path in files if not path.name.startswith("cache-")]


def _label_names(folder: Path) -> dict[str, list[str]]:
    try:
        features = json.loads((folder / "dataset_info.json").read_text("utf-8")).get("features", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {
        column: kind["names"]
        for column, kind in (features or {}).items()
        if isinstance(kind, dict) and kind.get("_type") == "ClassLabel"
    }


def _named(row: Any, names: dict[str, list[str]]) -> Any:
    for column, labels in names.items():
        value = row.get(column)
        if isinstance(value, int) and 0 <= value < len(labels):
            row[column] = labels[value]
    return row
