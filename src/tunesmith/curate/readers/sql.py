"""SQL scripts and statement logs: the comment above a statement asks, the statement answers."""

import re
from collections.abc import Iterable, Iterator

from tunesmith.curate.decoding import Line
from tunesmith.curate.row import RawRow, Row, rejected

LOG_PREFIX = re.compile(
    r"^\d{4}-\d\d-\d\d.*?\b(?:LOG|Query|Execute):?\s+(?:(?:statement|execute [^:]+):\s*)?"
)
PIECE = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)"
    r"|`[^`]*(?:`|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)|;|[^-/'\"`$;]+|.",
    re.DOTALL,
)
"""A comment, a quoted text, a semicolon or anything else; `;` and quotes inside others do not count."""


def read(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a statement under a comment; statements without one are set aside."""
    text = "\n".join(LOG_PREFIX.sub("", line.text) for line in lines)
    comments: list[str] = []
    statement: list[str] = []
    line = start = 1
    for found in PIECE.finditer(text):
        piece = found[0]
        if statement and piece == ";":
            yield from _row("".join(statement), comments, start, shown)
            statement, comments = [], []
        elif statement:
            statement.append(piece)
        elif piece.startswith(("--", "/*")):
            comments.append(piece)
        elif piece.strip(" \t\r\n;"):
            start = line + piece[: len(piece) - len(piece.lstrip())].count("\n")
            statement.append(piece)
        elif piece.count("\n") > 1:
            # A blank line parts the head of a file from the question of its first statement.
            comments = []
        line += piece.count("\n")
    if statement:
        yield from _row("".join(statement), comments, start, shown)


def _row(statement: str, comments: list[str], line: int, shown: str) -> Iterator[Row]:
    answer = statement.strip()
    if not answer:
        return
    question = "\n".join(_words(comment) for comment in comments).strip()
    if not question:
        yield rejected(shown, line, "no comment or question above the statement", answer)
        return
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": f"{answer};"},
    ]
    yield RawRow(line, {"messages": turns}, "", "sql")


def _words(comment: str) -> str:
    if comment.startswith("--"):
        return comment.lstrip("-").strip()
    inner = comment.removeprefix("/*").removesuffix("*/")
    return "\n".join(line.strip().lstrip("*").strip() for line in inner.split("\n")).strip()
