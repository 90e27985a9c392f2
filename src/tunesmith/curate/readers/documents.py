"""Documents with questions and answers: Markdown and HTML pages, FAQs, definition lists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.readers.html_text import parse, text_of
from tunesmith.curate.readers.markdown_sections import markdown_sections
from tunesmith.curate.readers.sections import Page, Section, pair_row, plain_title
from tunesmith.curate.row import Row

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
HTML = frozenset({".html", ".htm", ".xhtml"})


def is_document(suffix: str, start: bytes) -> bool:
    """Whether a file is Markdown or HTML, by its name or its first bytes."""
    return suffix in MARKDOWN | HTML or start.lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def read(path: Path, shown: str) -> Iterator[Row]:
    """A row a question with its answer; other sections are set aside."""
    text = decode_text(path.read_bytes()).replace("\r", "\n")
    if path.suffix.lower() in MARKDOWN:
        yield from Page(shown, "markdown").read(markdown_sections(text))
        return
    root = parse(text)
    if root is None:
        return
    for line, question, answer in [*_faq_pages(root), *_definitions(root), *_details(root)]:
        yield pair_row(line, question, answer, shown, "html")
    yield from Page(shown, "html").read(_html_sections(root))


def _html_sections(root: Any) -> Iterator[Section]:
    for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        pieces: list[str] = []
        for sibling in heading.itersiblings():
            if isinstance(sibling.tag, str) and re.fullmatch(r"h[1-6]", sibling.tag):
                break
            if sibling.tag not in {"dl", "details"}:
                pieces.append(text_of(sibling))
        body = "\n\n".join(piece for piece in pieces if piece)
        line, title = heading.sourceline or 1, plain_title(text_of(heading))
        yield Section(line, int(heading.tag[1]), title, body, line, title)


def _definitions(root: Any) -> Iterator[tuple[int, str, str]]:
    for terms in root.iter("dl"):
        question, line = "", 1
        for item in terms.iter("dt", "dd"):
            if item.tag == "dt":
                question, line = text_of(item), item.sourceline or 1
            elif question:
                yield line, question, text_of(item)
                question = ""


def _details(root: Any) -> Iterator[tuple[int, str, str]]:
    for details in root.iter("details"):
        summary = details.find("summary")
        if summary is not None:
            whole, title = text_of(details), text_of(summary)
            yield details.sourceline or 1, title, whole.removeprefix(title).strip()


def _faq_pages(root: Any) -> Iterator[tuple[int, str, str]]:
    """Pairs in the machine-readable form of schema.org's FAQPage."""
    for script in root.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            page = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for item in page.get("mainEntity", []) if isinstance(page, dict) else []:
            answer = item.get("acceptedAnswer") if isinstance(item, dict) else None
            if isinstance(answer, dict):
                text = parse(str(answer.get("text", "")))
                said = text_of(text) if text is not None else ""
                yield script.sourceline or 1, str(item.get("name", "")), said
