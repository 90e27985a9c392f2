"""Documents with questions and answers: Markdown and HTML pages, FAQs, definition lists."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.readers.html_text import parse, text_of
from tunesmith.curate.row import RawRow, Row, rejected

MARKDOWN = frozenset({".md", ".markdown", ".mdx"})
HTML = frozenset({".html", ".htm", ".xhtml"})
FAQ = re.compile(r"\bfaqs?\b|frequently asked|\bq\s*&\s*a\b", re.IGNORECASE)
ASKED_THEN_ANSWERED = re.compile(
    r"^\W{0,3}(?:q|question)\s*\d*\s*[:.)](.+?)^\W{0,3}(?:a|answer)\s*\d*\s*[:.)](.*)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


class Section(NamedTuple):
    """A heading and what stands below it, up to the next heading."""

    line: int
    level: int
    title: str
    body: str


def is_document(suffix: str, start: bytes) -> bool:
    """Whether a file is Markdown or HTML, by its name or its first bytes."""
    return suffix in MARKDOWN | HTML or start.lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def read(path: Path, shown: str) -> Iterator[Row]:
    """A row a question with its answer; other sections are set aside."""
    text = decode_text(path.read_bytes())
    if path.suffix.lower() in MARKDOWN:
        yield from _of_sections(_markdown_sections(text), shown, "markdown")
        return
    root = parse(text)
    if root is None:
        return
    pairs = [*_faq_pages(root), *_definitions(root), *_details(root)]
    for line, question, answer in pairs:
        yield _row(line, question, answer, shown, "html")
    yield from _of_sections(_html_sections(root), shown, "html")


def _of_sections(sections: Iterator[Section], shown: str, kind: str) -> Iterator[Row]:
    faq_level = 0
    for section in sections:
        if faq_level and section.level <= faq_level:
            faq_level = 0
        pairs = list(_marked_pairs(section.body))
        is_question = section.title.rstrip().endswith("?") or (
            faq_level and section.level > faq_level
        )
        if not faq_level and FAQ.search(section.title):
            faq_level = section.level
        if pairs:
            for question, answer in pairs:
                yield _row(section.line, question, answer, shown, kind)
        elif is_question:
            yield _row(section.line, section.title, section.body, shown, kind)
        elif section.body.strip():
            reason = "no question: the heading does not end with a question mark"
            yield rejected(shown, section.line, reason, f"{section.title}\n{section.body}")


def _marked_pairs(body: str) -> Iterator[tuple[str, str]]:
    """Pairs written as `Q: …` and `A: …`, whatever stars stand around the letters."""
    starts = [
        found.start()
        for found in re.finditer(
            r"^\W{0,3}(?:q|question)\s*\d*\s*[:.)]", body, re.IGNORECASE | re.MULTILINE
        )
    ]
    for start, end in pairwise([*starts, len(body)]):
        found = ASKED_THEN_ANSWERED.match(body[start:end])
        if found:
            question, answer = (part.strip().strip("*_").strip() for part in found.groups())
            yield question, answer


def _markdown_sections(text: str) -> Iterator[Section]:
    from markdown_it import MarkdownIt

    lines = text.split("\n")
    tokens = MarkdownIt("commonmark").parse(text)
    headings = [
        (token.map[0], token.map[1], int(token.tag[1:]), _inline_text(tokens[place + 1]))
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.map
    ]
    first = headings[0][0] if headings else len(lines)
    start = _front_matter_end(lines)
    if "".join(lines[start:first]).strip():
        yield Section(start + 1, 0, "", "\n".join(lines[start:first]).strip())
    ends = [heading[0] for heading in headings[1:]] + [len(lines)]
    for (line, body_start, level, title), end in zip(headings, ends, strict=False):
        yield Section(line + 1, level, title, "\n".join(lines[body_start:end]).strip())


def _front_matter_end(lines: list[str]) -> int:
    if lines and lines[0].strip() == "---" and "---" in [line.strip() for line in lines[1:]]:
        return [line.strip() for line in lines[1:]].index("---") + 2
    return 0


def _inline_text(token: Any) -> str:
    kept = [
        child.content for child in token.children or [] if child.type in {"text", "code_inline"}
    ]
    return "".join(kept).strip()


def _html_sections(root: Any) -> Iterator[Section]:
    for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        pieces: list[str] = []
        for sibling in heading.itersiblings():
            if isinstance(sibling.tag, str) and re.fullmatch(r"h[1-6]", sibling.tag):
                break
            if sibling.tag not in {"dl", "details"}:
                pieces.append(text_of(sibling))
        body = "\n\n".join(piece for piece in pieces if piece)
        yield Section(heading.sourceline or 1, int(heading.tag[1]), text_of(heading), body)


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


def _row(line: int, question: str, answer: str, shown: str, kind: str) -> RawRow:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return RawRow(line, {"messages": turns, "metadata": {"document": shown}}, "", kind)
