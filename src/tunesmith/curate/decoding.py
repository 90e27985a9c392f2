"""A text file's lines, whatever its encoding, one at a time."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of the other's."""
GUESSED_FROM_BYTES = 1_000_000
"""How much of a file without a mark is looked at to guess an encoding that is not UTF-8."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    text: str
    problem: str = ""
    """Why its bytes are no text, where they are not."""


def decode_lines(path: Path) -> Iterator[Line]:
    """All lines, split at line feeds only: other separators may stand inside a JSON string.

    A byte order mark decides the encoding. Otherwise lines are UTF-8; where most of the lines with bytes above
    ASCII are not, the whole file is read in the encoding that its bytes look most like; a few bad lines among good
    ones carry their problem instead.
    """
    mark, encoding = _mark(path)
    if not mark and not _is_mostly_utf8(path):
        encoding = _guess(path) or encoding
    if not mark and encoding == "utf-8":
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield _decode(number, line)
        return
    with path.open("rb") as raw:
        raw.seek(len(mark))
        lines = io.TextIOWrapper(raw, encoding, errors="replace", newline="\n")
        for number, read in enumerate(lines, 1):
            text = read.rstrip("\r\n")
            is_bad = "\ufffd" in text
            yield Line(number, text, "bytes that are no character of the file's encoding" * is_bad)


def _decode(number: int, line: bytes) -> Line:
    line = line.removesuffix(b"\n")
    try:
        return Line(number, line.decode("utf-8").rstrip("\r"))
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
        return Line(number, line.decode("utf-8", errors="replace"), problem)


def _mark(path: Path) -> tuple[bytes, str]:
    with path.open("rb") as stream:
        beginning = stream.read(4)
    return next((pair for pair in BOMS if beginning.startswith(pair[0])), (b"", "utf-8"))


def _is_mostly_utf8(path: Path) -> bool:
    beyond_ascii = broken = 0
    with path.open("rb") as stream:
        for line in stream:
            if not line.isascii():
                beyond_ascii += 1
                broken += bool(_decode(0, line).problem)
    return broken * 2 <= beyond_ascii


def _guess(path: Path) -> str | None:
    from charset_normalizer import from_bytes

    with path.open("rb") as stream:
        best = from_bytes(stream.read(GUESSED_FROM_BYTES)).best()
    return best.encoding if best is not None else None
