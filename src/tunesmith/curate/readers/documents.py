"""Documents with questions and answers: Markdown and HTML pages, FAQs, definition lists."""

from collections.abc import Iterator
from pathlib import Path

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.readers.html_pairs import pairs
from tunesmith.curate.readers.html_sections import html_sections
from tunesmith.curate.readers.html_text import parse
from tunesmith.curate.readers.markdown_sections import markdown_sections
from tunesmith.curate.readers.sections import Page, pair_row
from tunesmith.curate.row import Row, rejected

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
HTML = frozenset({".html", ".htm", ".xhtml"})


def is_document(suffix: str, start: bytes) -> bool:
    """Whether a file is Markdown or HTML, by its name or its first bytes."""
    return suffix in MARKDOWN | HTML or start.lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def read(path: Path, shown: str) -> Iterator[Row]:
    """A row a question with its answer; questions without one and all other text are set aside."""
    text = decode_text(path.read_bytes()).replace("\r", "\n")
    if path.suffix.lower() in MARKDOWN:
        yield from Page(shown, "markdown").read(markdown_sections(text))
        return
    root = parse(text)
    if root is None:
        return
    for line, question, answer, problem in pairs(root):
        if problem:
            yield rejected(shown, line, problem, question or answer)
        else:
            yield pair_row(line, question, answer, shown, "html")
    yield from Page(shown, "html").read(html_sections(root))
