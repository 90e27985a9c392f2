"""Bytes of a text file to lines, whatever their encoding, in memory that does not grow with the file."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of the other's."""
GUESSED_BYTES = 1 << 20
"""How much of a file its encoding is guessed from."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    text: str
    problem: str = ""
    """Why its bytes are no text, where they are not."""


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, one after the other; see `decode_lines`."""
    return _lines(lambda: path.open("rb"))


def decode_lines(content: bytes) -> Iterator[Line]:
    """The lines, split at line feeds only: other separators may stand inside a JSON string.

    A byte order mark decides the encoding. Otherwise lines are UTF-8; where most of the lines with bytes above
    ASCII are not, all is read in the encoding that its bytes look most like; a few bad lines among good ones
    carry their problem instead.
    """
    return _lines(lambda: io.BytesIO(content))


def decode_text(content: bytes) -> str:
    """All lines as one text; bytes that are no text become the replacement character."""
    return "\n".join(line.text for line in decode_lines(content))


def _lines(opened: Callable[[], BinaryIO]) -> Iterator[Line]:
    with opened() as stream:
        start = stream.read(4)
        for mark, encoding in BOMS:
            if start.startswith(mark):
                stream.seek(len(mark))
                yield from _decoded(stream, encoding)
                return
        guessed = _guess(stream) if _is_mostly_broken(stream) else None
        stream.seek(0)
        if guessed is not None:
            yield from _decoded(stream, guessed)
            return
        for number, line in enumerate(stream, 1):
            yield _utf8(number, line.removesuffix(b"\n"))


def _is_mostly_broken(stream: BinaryIO) -> bool:
    stream.seek(0)
    beyond_ascii = broken = 0
    for number, line in enumerate(stream, 1):
        if not line.isascii():
            beyond_ascii += 1
            broken += bool(_utf8(number, line).problem)
    return broken * 2 > beyond_ascii


def _guess(stream: BinaryIO) -> str | None:
    from charset_normalizer import from_bytes

    stream.seek(0)
    best = from_bytes(stream.read(GUESSED_BYTES)).best()
    return str(best.encoding) if best is not None else None


def _decoded(stream: BinaryIO, encoding: str) -> Iterator[Line]:
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="\n")
    try:
        for number, line in enumerate(text, 1):
            problem = "bytes that are no character of the file's encoding" * ("\ufffd" in line)
            yield Line(number, line.removesuffix("\n").rstrip("\r"), problem)
    finally:
        text.detach()


def _utf8(number: int, line: bytes) -> Line:
    try:
        return Line(number, line.decode("utf-8").rstrip("\r"))
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
        return Line(number, line.decode("utf-8", errors="replace"), problem)
