"""Questions that HTML marks as such: definition lists, `<details>`, and the FAQ pages of schema.org."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tunesmith.curate.readers.html_text import parse, text_of
from tunesmith.curate.readers.sections import is_asking, plain_title

QUESTION_TYPE = re.compile(r"https?://(?:www\.)?schema\.org/Question/?")
UNACCEPTED = "no answer: the question has no accepted answer with a text"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Asked(NamedTuple):
    """A question in a page."""

    line: int
    question: str
    answer: str
    problem: str = ""
    """Why it has no answer, where the page gives it none."""


def pairs(root: Any) -> Iterator[Asked]:
    """Every marked question of a page, answered or not."""
    yield from _structured(root)
    asked = [node for node in root.iter() if is_question(node) and not _is_inside_question(node)]
    yield from map(_microdata_pair, asked)
    for terms in root.iter("dl"):
        if next(terms.iterancestors("dl"), None) is None and not _is_inside_question(terms):
            yield from _definitions(terms)
    for details in root.iter("details"):
        is_pair = details.find("summary") is not None and not is_group(details)
        if is_pair and not is_question(details) and not _is_inside_question(details):
            yield _disclosed(details)


def is_question(node: Any) -> bool:
    """Whether microdata says that an element is a question with its answers."""
    return any(map(QUESTION_TYPE.fullmatch, (node.get("itemtype") or "").split()))


def _is_inside_question(node: Any) -> bool:
    return any(map(is_question, node.iterancestors()))


def _microdata_pair(question: Any) -> Asked:
    answers = [
        _property(_property_node(node, "text", node))
        for node in question.iterdescendants()
        if "acceptedAnswer" in (node.get("itemprop") or "").split()
    ]
    answer = next(filter(None, answers), "")
    title = _property(_property_node(question, "name"))
    return Asked(question.sourceline or 1, plain_title(title), answer, "" if answer else UNACCEPTED)


def _property_node(item: Any, name: str, default: Any = None) -> Any:
    """The first element inside that microdata calls so."""
    named = (
        node for node in item.iterdescendants() if name in (node.get("itemprop") or "").split()
    )
    return next(named, default)


def _property(node: Any) -> str:
    if node is None:
        return ""
    return str(node.get("content") or text_of(node)).strip()


def is_group(details: Any) -> bool:
    """Whether `<details>` holds questions of its own, and is no answer as a whole."""
    return next(details.iterdescendants("details"), None) is not None or any(
        is_asking(plain_title(text_of(heading)))
        for heading in details.iterdescendants(*HEADINGS)
        if next(heading.iterancestors("summary"), None) is None
    )


def _definitions(terms: Any) -> Iterator[Asked]:
    """A row a term; terms above one another share the definitions below them."""
    asked: list[Any] = []
    answers: list[Any] = []
    for item in terms.iter("dt", "dd"):
        if next(item.iterancestors("dl")) is not terms:
            continue
        if item.tag == "dd":
            answers.append(item)
            continue
        if answers:
            yield from _defined(asked, answers)
            asked, answers = [], []
        asked.append(item)
    yield from _defined(asked, answers)


def _defined(asked: list[Any], answers: list[Any]) -> Iterator[Asked]:
    answer = "\n\n".join(text for text in map(text_of, answers) if text)
    problem = "" if answers else "no answer: no definition stands below the term"
    for term in asked:
        yield Asked(term.sourceline or 1, text_of(term), answer, problem)
    if answers and not asked:
        yield Asked(answers[0].sourceline or 1, "", answer, "no question: no term stands above")


def _disclosed(details: Any) -> Asked:
    body = copy.deepcopy(details)
    body.tail = None
    summary = body.find("summary")
    title = text_of(summary)
    summary.clear(keep_tail=True)
    return Asked(details.sourceline or 1, title, text_of(body))


def _structured(root: Any) -> Iterator[Asked]:
    """Questions in the machine-readable form of schema.org, wherever they stand in it."""
    for script in root.iter("script"):
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        if kind != "application/ld+json":
            continue
        line, text = script.sourceline or 1, script.text or ""
        try:
            found = list(_questions(json.loads(text)))
        except (ValueError, RecursionError) as error:
            if '"Question"' in text:
                yield Asked(line, text, "", f"schema.org data that is no JSON: {error}")
            continue
        for question in found:
            yield _structured_pair(line, question)


def _questions(page: object) -> Iterator[dict[str, Any]]:
    waiting = [page]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            if "acceptedAnswer" in value or value.get("@type") in ("Question", ["Question"]):
                yield value
            else:
                waiting.extend(reversed(value.values()))


def _structured_pair(line: int, question: dict[str, Any]) -> Asked:
    accepted = question.get("acceptedAnswer")
    answers = accepted if isinstance(accepted, list) else [accepted]
    texts = [_seen(answer.get("text")) for answer in answers if isinstance(answer, dict)]
    answer = next((text for text in texts if text), "")
    problem = "" if answer else UNACCEPTED
    return Asked(line, _seen(question.get("name")), answer, problem)


def _seen(content: object) -> str:
    root = parse(content) if isinstance(content, str) else None
    return text_of(root) if root is not None else ""
