"""Documents to passages: text of about a page each; files that are no text are told, and never sent to a teacher."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Case, Message
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.decoding import BOMS, decode_text
from tunesmith.curate.loading import paths_matching
from tunesmith.curate.personal_data import mask_case
from tunesmith.curate.readers.html_text import html_to_text
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.errors import DataError

PASSAGE_CHARACTERS = 2_000
"""About how long a passage is: a page, enough for several questions and well within any model's context."""
KINDS = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip archive or an Office file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"{\\rtf": "a rich text file",
}
"""How files begin that people take for documents, and that hold no plain text."""
JUNK_SHARE = 0.02
"""Share of characters that no text has, from which a file is none."""


class Passage(NamedTuple):
    """A piece of a document."""

    source: str
    """As `file:line`."""
    text: str
    group: str


class Unread(NamedTuple):
    """A file that is no text."""

    file: str
    reason: str


class Passages(NamedTuple):
    """The documents in passages."""

    read: list[Passage]
    unread: list[Unread]


def read_passages(config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace) -> Passages:
    """The documents in passages, cut between paragraphs, and those files of them that are no text.

    Raises:
        DataError: If a pattern matches no file, or there is no text in any.
    """
    found = Passages([], [])
    for pattern in plan.documents:
        paths = sorted(path for path in paths_matching(pattern, workspace) if path.is_file())
        if not paths:
            raise DataError(
                f"curate.synthesize.documents: no file matches {pattern!r}",
                fix="name text, Markdown or HTML files",
            )
        for path in paths:
            content, shown = path.read_bytes(), workspace.shown(path)
            reason = _why_no_text(content, config.encoding)
            if reason:
                found.unread.append(Unread(shown, reason))
            else:
                found.read.extend(_passages(path, content, shown, config))
    if plan.documents and not found.read:
        files = "".join(f"\n  - {file}: {reason}" for file, reason in found.unread)
        raise DataError(
            f"curate.synthesize.documents: there is no text in them{files}",
            fix="name text, Markdown or HTML files; save others as one of these",
        )
    return found


def _passages(path: Path, content: bytes, shown: str, config: CurateConfig) -> Iterator[Passage]:
    text = decode_text(content, config.encoding)
    if path.suffix.lower() in {".html", ".htm"}:
        text = html_to_text(text)
    places, parts = zip(*cut(text), strict=True) if text.strip() else ((), ())
    for line, part in zip(places, _masked(parts, config), strict=True):
        yield Passage(f"{shown}:{line}", part, f"document:{shown}")


def _why_no_text(content: bytes, encoding: str | None) -> str:
    """Why these bytes are no text; empty if they are."""
    kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), "")
    if kind:
        return f"{kind}, no plain text"
    if b"\0" in content and not content.startswith(tuple(mark for mark, _ in BOMS)):
        return "bytes that are no text"
    text = decode_text(content, encoding)
    junk = sum(letter == "\ufffd" or (letter < " " and not letter.isspace()) for letter in text)
    return "bytes that are no text" if junk > JUNK_SHARE * len(text) else ""


def _masked(parts: Sequence[str], config: CurateConfig) -> list[str]:
    """The passages as they may leave the machine."""
    if config.privacy.mode != "mask":
        return list(parts)
    cases = [Case(messages=(Message(role="user", content=part),), expected="") for part in parts]
    return [mask_case(case, config).messages[0].content for case in cases]


def cut(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of passages of whole paragraphs; only a paragraph longer than a passage is cut itself."""
    kept: list[str] = []
    line = start = 1
    for paragraph in text.split("\n\n"):
        if kept and sum(map(len, kept)) + len(paragraph) > PASSAGE_CHARACTERS:
            yield start, "\n\n".join(kept).strip()
            kept, start = [], line
        pieces = [
            paragraph[place : place + PASSAGE_CHARACTERS]
            for place in range(0, len(paragraph), PASSAGE_CHARACTERS)
        ]
        for piece in pieces[:-1]:
            yield start, piece.strip()
        if pieces and pieces[-1].strip():
            kept.append(pieces[-1])
        line += paragraph.count("\n") + 2
    if kept:
        yield start, "\n\n".join(kept).strip()
