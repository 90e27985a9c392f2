"""Bytes of a text file to lines, whatever their encoding."""

import codecs
from typing import NamedTuple

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of the other's."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    text: str
    problem: str = ""
    """Why its bytes are no text, where they are not."""


def decode_lines(content: bytes) -> list[Line]:
    """All lines, split at line feeds only: other separators may stand inside a JSON string.

    A byte order mark decides the encoding. Otherwise lines are UTF-8; where most of the lines with bytes above
    ASCII are not, the whole file is read in the encoding that its bytes look most like; a few bad lines among good
    ones carry their problem instead.
    """
    for mark, encoding in BOMS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, errors="replace")
            return [_checked(number, line) for number, line in enumerate(text.split("\n"), 1)]
    raw = content.split(b"\n")
    lines = [_decode(number, line) for number, line in enumerate(raw, 1)]
    beyond_ascii = sum(not line.isascii() for line in raw)
    broken = sum(bool(line.problem) for line in lines)
    if broken * 2 > beyond_ascii:
        guessed = _guess(content)
        if guessed is not None:
            return [
                Line(number, line.rstrip("\r"))
                for number, line in enumerate(guessed.split("\n"), 1)
            ]
    return lines


def _decode(number: int, line: bytes) -> Line:
    try:
        return Line(number, line.decode("utf-8").rstrip("\r"))
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
        return Line(number, line.decode("utf-8", errors="replace"), problem)


def _checked(number: int, text: str) -> Line:
    problem = "bytes that are no character of the file's encoding" if "\ufffd" in text else ""
    return Line(number, text.rstrip("\r"), problem)


def _guess(content: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    return str(best) if best is not None else None
