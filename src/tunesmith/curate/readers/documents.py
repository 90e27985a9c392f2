"""Documents with questions and answers: Markdown and HTML pages, FAQs, definition lists."""

from collections.abc import Iterator
from pathlib import Path

from tunesmith.curate.readers.html_pairs import pairs
from tunesmith.curate.readers.html_sections import html_sections
from tunesmith.curate.readers.html_text import parse
from tunesmith.curate.readers.markdown_sections import markdown_sections
from tunesmith.curate.readers.sections import Page, pair_row
from tunesmith.curate.readers.whole_text import WholeText
from tunesmith.curate.row import Row, rejected

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
HTML = frozenset({".html", ".htm", ".xhtml"})


def is_document(suffix: str, start: bytes) -> bool:
    """Whether a file is Markdown or HTML, by its name or its first bytes."""
    return suffix in MARKDOWN | HTML or start.lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def read(path: Path, shown: str, encoding: str | None = None) -> Iterator[Row]:
    """A row a question with its answer; questions without one and all other text are set aside."""
    file = WholeText(path, shown, encoding)
    yield from map(file.trusted, _rows(file.text, path.suffix.lower(), shown))


def _rows(text: str, suffix: str, shown: str) -> Iterator[Row]:
    if suffix in MARKDOWN:
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
