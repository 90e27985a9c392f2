"""Content hashes: the same content has the same id on every machine."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

ID_LENGTH = 12
"""Hex digits kept in an id: 48 bits, a chance clash among a million artifacts is under 1 in 500."""


def of_json(content: object) -> str:
    """SHA-256 (hex) of a JSON-able value, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def short_id_of_lists(prefix: str, lists: Sequence[Iterable[str]]) -> str:
    """The id that `short_id` gives these lists of keys, without holding them in memory."""
    digest = hashlib.sha256(b"[")
    for number, keys in enumerate(lists):
        digest.update(b",[" if number else b"[")
        for position, key in enumerate(keys):
            digest.update(
                (("," if position else "") + json.dumps(key, ensure_ascii=False)).encode()
            )
        digest.update(b"]")
    digest.update(b"]")
    return f"{prefix}_{digest.hexdigest()[:ID_LENGTH]}"


def of_path(path: Path) -> str:
    """SHA-256 (hex) of a file, or of a folder: the names and bytes of all files in it that are not hidden."""
    if path.is_file():
        return of_file(path)
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    return of_json([[str(file.relative_to(path)), of_file(file)] for file in files])


def short_id(prefix: str, content: object) -> str:
    """An artifact id such as `ds_3fa9c01b77de`: a kind's prefix and the first digits of its content's hash."""
    return f"{prefix}_{of_json(content)[:ID_LENGTH]}"
