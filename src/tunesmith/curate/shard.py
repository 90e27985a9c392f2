"""Shards: refined rows on disk as Parquet; every row that was read is in exactly one, with its fate so far."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.core.similarity import SIGNATURE_BYTES

if TYPE_CHECKING:
    import pyarrow

UNREADABLE = "unreadable"
"""The rule of rows that are no example at all; all other rules remove good rows."""


NO_SIGNATURE = bytes(SIGNATURE_BYTES)


class Refined(NamedTuple):
    """A row after the steps that look at one row alone."""

    line: int
    """1-based line where it begins in its file."""
    file: int = 0
    """Position of its source among the run's sources."""
    inside: str = ""
    """The file itself, where its source is a folder or an archive."""
    rule: str = ""
    """What set it aside; empty while it is kept."""
    reason: str = ""
    score: float = 1.0
    """How sure the rule is, from 0 to 1."""
    doubts: str = "[]"
    """What filters noted without removing the row, as JSON: rule, score, text."""
    key: str = ""
    """The example's key."""
    format: str = ""
    verdict: str = ""
    """`pair`, `up` or `down`; empty for an example to imitate."""
    row: str = ""
    """The example as JSON; of an unreadable row its beginning."""
    exact: int = 0
    """64-bit hash of the normalised conversation: equal for rows that say the same."""
    answer: int = 0
    """64-bit hash of the normalised last answer; 0 where nothing is asked."""
    asked: Sequence[int] = ()
    """64-bit hash of every question it answers, the opening one first."""
    links: Sequence[int] = ()
    """64-bit hashes of what must stay on one side of a split: opening question, thread, entity."""
    stratum: int = 0
    """64-bit hash of the columns to stratify by."""
    characters: int = 0
    said_numbers: int = 0
    """64-bit hash of the numbers in everything said, in their order."""
    question_numbers: int = 0
    """The same of the opening question."""
    said: bytes = NO_SIGNATURE
    """MinHash signature of everything said."""
    question: bytes = NO_SIGNATURE
    """MinHash signature of the opening question."""
    personal: str = ""
    """Findings of personal data as JSON, told without it; empty if the row was not looked at."""


def _schema() -> "pyarrow.Schema":
    import pyarrow as pa

    hashes = pa.list_(pa.uint64())
    types = {
        "line": pa.int64(),
        "file": pa.int32(),
        "score": pa.float64(),
        "exact": pa.uint64(),
        "answer": pa.uint64(),
        "asked": hashes,
        "links": hashes,
        "stratum": pa.uint64(),
        "characters": pa.int64(),
        "said_numbers": pa.uint64(),
        "question_numbers": pa.uint64(),
        "said": pa.binary(SIGNATURE_BYTES),
        "question": pa.binary(SIGNATURE_BYTES),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in Refined._fields])


def write_shard(path: Path, rows: Sequence[Refined]) -> None:
    """Write a shard so that it exists whole or not at all."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = list(zip(*rows, strict=True)) or [()] * len(Refined._fields)
    schema = _schema()
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), temporary, compression="zstd")
    Path(temporary).replace(path)


def read_columns(paths: Iterable[Path], columns: Sequence[str]) -> "pyarrow.Table":
    """Some columns of many shards, one after another."""
    import pyarrow as pa
    from pyarrow import parquet

    tables = [parquet.read_table(path, columns=list(columns), memory_map=True) for path in paths]
    none = _schema().empty_table().select(list(columns))
    return pa.concat_tables([none, *tables]).combine_chunks()


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of one shard, a dictionary a row."""
    rows: list[dict[str, Any]] = read_columns([path], columns).to_pylist()
    return rows
