"""Bytes of a text file to lines, whatever their encoding, in memory that does not grow with the file."""

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tunesmith.curate import encodings

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of the other's."""
UTF8 = "utf-8"
GZIP_MAGIC = b"\x1f\x8b"
START_BYTES = 4096
"""How much of a file tells whether it is UTF-16 without a mark, or declares its encoding."""
GUESSED_BYTES = 1 << 16
"""How many bytes of lines that are not ASCII alone an encoding is guessed from."""
LINE_BYTES = 1 << 20
"""How much of one such line is looked at."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    text: str
    problem: str = ""
    """Why its bytes are no text, where they are not."""


class Encoding(NamedTuple):
    """What the bytes of a file are read in."""

    name: str = UTF8
    mark_bytes: int = 0
    """How long the byte order mark is."""
    is_guessed: bool = False


def read_lines(path: Path, encoding: str | None = None) -> Iterator[Line]:
    """The lines of a file, one after the other; see `decode_lines`."""
    found = _encoding_of(path, encoding)
    with _opened(path) as stream:
        yield from _lines(stream, found)


def decode_lines(content: bytes, encoding: str | None = None) -> Iterator[Line]:
    """The lines, split at line feeds only: other separators may stand inside a JSON string.

    A byte order mark decides the encoding. Otherwise lines are UTF-8; where most of the lines with bytes above
    ASCII are not, all is read in the encoding that the content declares as HTML and Python do, that is given, or that
    its bytes look most like; a few bad lines among good ones carry their problem instead.
    """
    stream = io.BytesIO(content)
    yield from _lines(stream, _find_encoding(stream, encoding))


def decode_text(content: bytes, encoding: str | None = None) -> str:
    """All lines as one text; bytes that are no text become the replacement character."""
    return "\n".join(line.text for line in decode_lines(content, encoding))


def guessed_encoding(path: Path, given: str | None = None) -> str:
    """The encoding that a file is read in, where nothing says that it is the right one; else an empty text."""
    found = _encoding_of(path, given)
    return found.name if found.is_guessed else ""


def _encoding_of(path: Path, given: str | None) -> Encoding:
    state = path.stat()
    return _known_encoding(path, state.st_size, state.st_mtime_ns, given)


@lru_cache(maxsize=1 << 16)
def _known_encoding(path: Path, _size: int, _changed: int, given: str | None) -> Encoding:
    """Found once as long as the file stays as it is."""
    with _opened(path) as stream:
        return _find_encoding(stream, given)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked where gzip packed them."""
    with path.open("rb") as stream:
        is_packed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        stream.seek(0)
        if not is_packed:
            yield stream
            return
        with gzip.GzipFile(fileobj=stream) as unpacked, io.BufferedReader(unpacked) as buffered:
            yield buffered


def _find_encoding(stream: BinaryIO, given: str | None) -> Encoding:
    start = stream.read(START_BYTES)
    for mark, name in BOMS:
        if start.startswith(mark):
            return Encoding(name, len(mark))
    if wide := encodings.utf16_without_mark(start):
        return Encoding(wide, is_guessed=True)
    stream.seek(0)
    strange = _strange_lines(stream)
    if not strange:
        return Encoding()
    if said := encodings.declared(start) or given:
        return Encoding(said)
    # Lines of UTF-16 end in the middle of a character.
    sample = start if b"\0" in start else strange
    return Encoding(encodings.guess(sample), is_guessed=True)


def _strange_lines(stream: BinaryIO) -> bytes:
    """The first lines with bytes above ASCII, if most of them in the whole file are no UTF-8; else nothing."""
    beyond_ascii = broken = 0
    sample = bytearray()
    for number, line in enumerate(stream, 1):
        if not line.isascii():
            beyond_ascii += 1
            broken += bool(_utf8(number, line).problem)
            if len(sample) < GUESSED_BYTES:
                sample += line[:LINE_BYTES]
    return bytes(sample) if broken * 2 > beyond_ascii else b""


def _lines(stream: BinaryIO, encoding: Encoding) -> Iterator[Line]:
    stream.seek(encoding.mark_bytes)
    if encoding.name != UTF8 or encoding.mark_bytes:
        yield from _decoded(stream, encoding.name)
        return
    for number, line in enumerate(stream, 1):
        yield _utf8(number, line.removesuffix(b"\n"))


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
