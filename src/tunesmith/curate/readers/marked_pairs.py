"""Questions and answers marked in running text: `Q: …` and `A: …`, whatever stars stand around the letters."""

import re
from itertools import pairwise
from typing import NamedTuple

AFTER = r"[ \t]*\d*[ \t]*[*_]{0,3}(?P<after>:|[.)](?=[\s*_]))(?:[*_]{1,3}(?=\s))?"
QUESTION = re.compile(
    rf"^(?P<before>[^\w\n]{{0,4}})(?P<word>question|q){AFTER}", re.IGNORECASE | re.MULTILINE
)
ANSWER = re.compile(
    rf"^(?P<before>[^\w\n]{{0,4}})(?P<word>answer|a){AFTER}", re.IGNORECASE | re.MULTILINE
)
FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
"""Code, in which a `q:` asks nothing."""
STARS = re.compile(r"[*_]+$")


class Asked(NamedTuple):
    """A marked question."""

    line: int
    """Lines above it in the text."""
    question: str
    answer: str | None
    """None where no mark of an answer follows."""


class Marked(NamedTuple):
    """A text, taken apart at its marks."""

    intro: str
    """What stands before the first mark: all of a text without marks."""
    asked: list[Asked]


def marked(text: str) -> Marked:
    """Everything in the text: what stands before the questions, and each question up to the next one."""
    code = [block.span() for block in FENCED.finditer(text)]
    marks = [
        mark
        for mark in QUESTION.finditer(text)
        if not any(start <= mark.start() < end for start, end in code)
    ]
    ends = [mark.start() for mark in marks] + [len(text)]
    asked = [
        _asked(mark, text, end, text.count("\n", 0, mark.start()))
        for mark, (_, end) in zip(marks, pairwise(ends), strict=True)
    ]
    return Marked(text[: ends[0]], asked)


def _asked(mark: re.Match[str], text: str, end: int, line: int) -> Asked:
    answer = _answer_mark(mark, text, end)
    if answer is None:
        return Asked(line, text[mark.start() : end].strip(), None)
    question = _unstarred(mark, text[mark.end() : answer.start()])
    return Asked(line, question, _unstarred(answer, text[answer.end() : end]))


def _answer_mark(mark: re.Match[str], text: str, end: int) -> re.Match[str] | None:
    """The mark in the manner of the question's, or else the first other one that begins no list of choices."""
    marks = [
        found
        for found in ANSWER.finditer(text, mark.end(), end)
        if found["word"][0].isupper() == mark["word"][0].isupper()
        and found["after"] in {":", ".", mark["after"]}
    ]
    answers = [found for found in marks if not _is_choice(found, text, end)]
    alike = (found for found in answers if found["after"] == mark["after"])
    return next(alike, next(iter(answers), None))


def _is_choice(mark: re.Match[str], text: str, end: int) -> bool:
    """Whether `a)` is the first choice of several, with `b)` below it."""
    if len(mark["word"]) > 1:
        return False
    second = "B" if mark["word"].isupper() else "b"
    following = re.compile(
        rf"^[^\w\n]{{0,4}}{second}[ \t]*{re.escape(mark['after'])}", re.MULTILINE
    )
    return following.search(text, mark.end(), end) is not None


def _unstarred(mark: re.Match[str], text: str) -> str:
    """What follows a mark, without the stars that close those before the mark."""
    stars = STARS.search(mark["before"])
    is_closed = re.search(r"[*_]", mark[0].removeprefix(mark["before"]))
    if stars and not is_closed:
        text = text.replace(stars[0], "", 1)
    return text.strip()
