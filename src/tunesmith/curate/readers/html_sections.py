"""HTML to its sections: a heading and the text up to the next one, whatever elements lie between them."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from tunesmith.curate.readers.html_pairs import HEADINGS, is_group, is_question
from tunesmith.curate.readers.html_text import BLOCKS, UNSEEN, text_of
from tunesmith.curate.readers.sections import Section, is_asking, plain_title

UNPRINTABLE = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What pages may hold and elements of our own may not."""
PAGE, DEEPEST = 0, 7
"""Levels above and below those of all headings."""


def html_sections(root: Any) -> Iterator[Section]:
    """A section a heading, in the page's order, with a nameless one for text above all headings.

    Definition lists, `<details>` and microdata's questions are no part of any: they are read on their own. Questions
    on buttons, which open an answer, are headings; what stands behind the end of `<main>` belongs to no heading.
    """
    walk = _Walk(root)
    for section in walk.sections():
        if section.title or section.body:
            yield section


class _Walk:
    """Goes through a page once and collects what stands below the heading passed last."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._pairs = {node for node in root.iter() if _is_pair(node)}
        self._levels = {
            node: level
            for node in root.iter(*HEADINGS, "summary", "button")
            if (level := _level(node)) and self._is_text(node)
        }
        marks = (*self._levels, *self._pairs)
        self._opened = {above for node in marks for above in node.iterancestors()}
        self._begin(1, PAGE, "")

    def sections(self) -> Iterator[Section]:
        """Every section; those without a word among them."""
        # A stack instead of recursion: documents of strangers may be nested deeper than Python allows.
        stack: list[tuple[Any, bool]] = [(self._root, False)]
        while stack:
            node, is_leaving = stack.pop()
            if is_leaving:
                self._part(node)
                if node.tag == "main":
                    yield self._section()
                    self._begin(node.sourceline or 1, PAGE, "")
                self._say(node.tail)
            elif node in self._levels:
                yield self._section()
                self._begin(node.sourceline or 1, self._levels[node], text_of(node))
                self._say(node.tail)
            elif node.tag in UNSEEN or node in self._pairs:
                self._part(node)
                self._say(node.tail)
            elif node in self._opened:
                self._part(node)
                self._say(node.text)
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node))
            else:
                self._below.append(copy.deepcopy(node))
        yield self._section()

    def _is_text(self, node: Any) -> bool:
        """Whether a heading is part of the page's text, and not of another heading or of a question with its answer."""
        return not any(
            above in self._pairs or above.tag in UNSEEN or above.tag in {*HEADINGS, "summary"}
            for above in node.iterancestors()
        )

    def _begin(self, line: int, level: int, title: str) -> None:
        self._heading = (line, level, plain_title(title))
        self._below = self._root.makeelement("div")

    def _section(self) -> Section:
        line, level, title = self._heading
        return Section(line, level, title, text_of(self._below), line, title)

    def _say(self, text: str | None) -> None:
        if not text:
            return
        said = UNPRINTABLE.sub(" ", text)
        if len(self._below):
            self._below[-1].tail = UNPRINTABLE.sub(" ", self._below[-1].tail or "") + said
        else:
            self._below.text = (self._below.text or "") + said

    def _part(self, node: Any) -> None:
        """Keep texts of different blocks apart, though only one of them is kept whole."""
        if node.tag in BLOCKS:
            self._below.append(self._root.makeelement("p"))


def _is_pair(node: Any) -> bool:
    if is_question(node):
        return True
    if node.tag == "details":
        return node.find("summary") is not None and not is_group(node)
    return bool(node.tag == "dl")


def _level(node: Any) -> int | None:
    """The level of what may head a section; None for what does not."""
    if node.tag in HEADINGS:
        return int(node.tag[1])
    if node.tag == "button":
        return DEEPEST if is_asking(text_of(node)) else None
    if not _heads_group(node):
        return None
    inner = [int(heading.tag[1]) for heading in node.getparent().iterdescendants(*HEADINGS)]
    return max(min(inner, default=DEEPEST) - 1, 1)


def _heads_group(summary: Any) -> bool:
    details = summary.getparent()
    return details.tag == "details" and details.find("summary") is summary and is_group(details)
