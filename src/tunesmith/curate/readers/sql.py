"""SQL scripts: the comment above a statement asks, the statement answers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.curate.decoding import Line
from tunesmith.curate.readers.sql_pieces import Piece, pieces
from tunesmith.curate.row import RawRow, Row, rejected

NO_QUESTION = "no comment or question above the statement"
SENDER = re.compile(r"\w+[:=]\S+(?:,\s?\w+[:=]\S+)*")
"""What libraries write into a comment to name what sent it, as in `controller:users,action:index`."""
ROUTINE = re.compile(
    r"\s*CREATE\b.*?\b(?:PROCEDURE|FUNCTION|TRIGGER|EVENT)\b.*?\bBEGIN\b", re.IGNORECASE | re.DOTALL
)
ROUTINE_END = re.compile(
    r"\bEND(?:\s+(?!IF\b|LOOP\b|CASE\b|WHILE\b|REPEAT\b)\w+)?[;\s]*$", re.IGNORECASE
)


class Statement(NamedTuple):
    """A statement, and what asks for it."""

    line: int
    text: str
    question: str
    problem: str = ""
    """Why it cannot be used, where it cannot."""


def read(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a statement under a comment; statements without one are set aside."""
    for statement in statements("\n".join(line.text for line in lines)):
        yield row_of(statement, shown)


def row_of(statement: Statement, shown: str) -> Row:
    """The statement as an answer, or set aside with what it lacks."""
    reason = statement.problem or ("" if statement.question else NO_QUESTION)
    if reason:
        return rejected(shown, statement.line, reason, statement.text)
    turns = [
        {"role": "user", "content": statement.question},
        {"role": "assistant", "content": statement.text},
    ]
    return RawRow(statement.line, {"messages": turns}, "", "sql")


def statements(text: str) -> Iterator[Statement]:
    """Every statement of a script, with the comments above it, or else the one behind it on its last line."""
    script = _Script()
    for piece in pieces(text):
        yield from script.take(piece)
    yield from script.rest()


@dataclass
class _Script:
    """Puts pieces together; a statement is given out when the line of its semicolon is over."""

    comments: list[str] = field(default_factory=list)
    code: list[Piece] = field(default_factory=list)
    ended: Statement | None = None

    def take(self, piece: Piece) -> Iterator[Statement]:
        """Add the next piece; gives the statement that is complete by it."""
        if self.code and piece.kind != "end":
            self.code.append(piece)
        elif self.code:
            self.ended = self._statement()
        elif piece.kind == "comment":
            self._comment(_words(piece.text))
        elif piece.kind == "code":
            yield from self._give()
            self.code.append(piece)
        elif "\n" in piece.text:
            yield from self._give()
            if piece.text.count("\n") > 1:
                # A blank line parts the head of a file from the question of its first statement.
                self.comments = []

    def rest(self) -> Iterator[Statement]:
        """What the end of the text completes."""
        yield from self._give()
        if self.code:
            yield self._statement()

    def _give(self) -> Iterator[Statement]:
        if self.ended:
            yield self.ended
        self.ended = None

    def _comment(self, words: str) -> None:
        if SENDER.fullmatch(words):
            return
        if self.ended is None:
            self.comments.append(words)
        elif not self.ended.question:
            self.ended = self.ended._replace(question=words)

    def _statement(self) -> Statement:
        first = self.code[0]
        whole = "".join(piece.text for piece in self.code)
        line = first.line + whole[: len(whole) - len(whole.lstrip())].count("\n")
        written = [piece for piece in self.code if piece.kind != "space"]
        # A semicolon behind a comment would be part of it.
        is_remark = written[-1].text.startswith(("--", "#"))
        question = "\n".join(self.comments).strip()
        problem = next((piece.problem for piece in self.code if piece.problem), "")
        if "\ufffd" in question + whole:
            problem = problem or "bytes that are no text in this file's encoding"
        problem = problem or _flaw(written)
        self.code, self.comments = [], []
        # Scripts that set a delimiter write `END; //`, too.
        ending = "" if written[-1].text == ";" else "\n;" if is_remark else ";"
        text = whole.strip() + ending
        return Statement(line, text, question, problem)


def _flaw(written: list[Piece]) -> str:
    text = " ".join(piece.text for piece in written if piece.text[0] not in "$'\"`-/#")
    if ROUTINE.match(text) and not ROUTINE_END.search(text):
        return "a semicolon between BEGIN and END cuts it: put the body between $$ and $$"
    return ""


def _words(comment: str) -> str:
    if comment.startswith("/*"):
        inner = comment.removeprefix("/*").removesuffix("*/")
        return "\n".join(line.strip().lstrip("*").strip() for line in inner.split("\n")).strip()
    return comment.lstrip("-#").strip()
