"""Headings and what stands below them, to questions and answers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tunesmith.curate.readers.marked_pairs import marked
from tunesmith.curate.row import RawRow, Row, rejected

FAQ = re.compile(r"\bfaqs?\b|frequently asked|\bq\s*&\s*a\b", re.IGNORECASE)
NO_QUESTION = "no question: the heading does not end with a question mark"
NO_ANSWER = "no answer to the question"
QUESTION_MARKS = ("?", "\uff1f", "\u061f")
"""Those of Latin, Chinese and Arabic script."""
ANCHOR = re.compile(r"\s*(?:\{#[^}]*\}|[\u00b6#\U0001f517])\s*$")
"""What documentation tools put behind a heading to link to it."""


class Section(NamedTuple):
    """A heading and what stands below it, up to the next heading."""

    line: int
    level: int
    title: str
    body: str
    body_line: int
    heading: str
    """The title as it stands in an answer that it is a part of."""


@dataclass
class _Question:
    """A heading that asks, with all that answers it."""

    line: int
    level: int
    title: str
    parts: list[str] = field(default_factory=list)


@dataclass
class Page:
    """Reads the sections of a page one after the other.

    A heading asks if it ends with a question mark or stands below an FAQ. Its answer runs to the next heading of
    the same or a higher level, headings that ask themselves and what is theirs aside.
    """

    shown: str
    kind: str
    rows: list[Row | _Question] = field(default_factory=list)
    open: list[_Question] = field(default_factory=list)
    """Questions whose answers are not over, the outermost first."""
    faq_level: int | None = None

    def read(self, sections: Iterable[Section]) -> Iterator[Row]:
        """A row a question, in the page's order; what neither asks nor answers is set aside."""
        every = list(sections)
        levels = [section.level for section in every] + [-1]
        for section, (level, following) in zip(every, pairwise(levels), strict=True):
            self._take(section, is_group=following > level)
        for row in self.rows:
            if isinstance(row, _Question):
                answer = "\n\n".join(part for part in row.parts if part)
                yield pair_row(row.line, row.title, answer, self.shown, self.kind)
            else:
                yield row

    def _take(self, section: Section, *, is_group: bool) -> None:
        self.open = [question for question in self.open if question.level < section.level]
        if self.faq_level is not None and section.level <= self.faq_level:
            self.faq_level = None
        is_faq = FAQ.search(section.title) is not None
        outer = self._outer()
        is_topic = self.faq_level is not None and outer is None and not is_faq
        body = self._without_marked(section)
        is_whole = body == section.body
        if is_faq and self.faq_level is None:
            self.faq_level = section.level
        if is_asking(section.title) or (is_topic and is_whole and (body.strip() or not is_group)):
            self._ask(section, body)
        elif outer is not None and not is_faq:
            outer.parts += [section.heading, body] if body.strip() or is_whole else []
        elif body.strip():
            self._set_aside(section.line, NO_QUESTION, f"{section.title}\n{body}")

    def _outer(self) -> _Question | None:
        """The question that what comes next may be a part of the answer to."""
        inside = [one for one in self.open if self.faq_level is None or one.level > self.faq_level]
        return inside[-1] if inside else None

    def _without_marked(self, section: Section) -> str:
        """What is left of a section's body when its marked questions are read."""
        intro, asked = marked(section.body)
        is_answer = is_asking(section.title) and all(one.answer is None for one in asked)
        if is_answer or not asked:
            return section.body
        for one in asked:
            line = section.body_line + one.line
            if one.answer is None:
                self._set_aside(line, NO_ANSWER, one.question)
            else:
                row = pair_row(line, one.question, one.answer, self.shown, self.kind)
                self.rows.append(row)
        return intro.strip()

    def _ask(self, section: Section, body: str) -> None:
        question = _Question(section.line, section.level, section.title, [body])
        self.rows.append(question)
        self.open.append(question)

    def _set_aside(self, line: int, reason: str, text: str) -> None:
        self.rows.append(rejected(self.shown, line, reason, text.strip()))


def is_asking(title: str) -> bool:
    """Whether a title is a question, wherever it stands."""
    return title.rstrip().endswith(QUESTION_MARKS)


def plain_title(title: str) -> str:
    """A title in one line, without the link to itself."""
    return ANCHOR.sub("", " ".join(title.split()))


def pair_row(line: int, question: str, answer: str, shown: str, kind: str) -> RawRow:
    """A question with its answer, and the document that both are from."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return RawRow(line, {"messages": turns, "metadata": {"document": shown}}, "", kind)
