"""Opinion: what one person said about one example in another tool, and the decision in it."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from tunesmith.artifacts.dataset import Split
from tunesmith.artifacts.review import ReviewDecision, Verdict
from tunesmith.core.conversation import Example

KEY = re.compile(r"[0-9a-f]{64}")
VERDICTS: dict[str, Verdict] = {"accept": "accept", "edit": "edit", "reject": "reject"}


class Shown(NamedTuple):
    """An example as it goes out."""

    example: Example
    split: Split


class Opinion(NamedTuple):
    """What came back."""

    key: str
    """Of the example as it went out."""
    shown_answer: str
    reviewer: str
    verdict: str = ""
    answer: str = ""
    """As the reviewer left it; empty where nothing was written."""
    note: str = ""
    when: datetime | None = None
    """None where the tool does not say."""
    seconds: float | None = None


def decision_of(opinion: Opinion, *, now: datetime) -> ReviewDecision:
    """The decision in an opinion; a changed answer is an edit, whatever was ticked beside it, unless it is a reject.

    Raises:
        ValueError: With the reason, if there is none.
    """
    if not KEY.fullmatch(opinion.key):
        raise ValueError(f"{opinion.key[:20]!r} is not the key of an example")
    if not opinion.reviewer.strip():
        raise ValueError("it does not say who decided")
    verdict = VERDICTS.get(opinion.verdict.strip().lower())
    if opinion.verdict.strip() and verdict is None:
        raise ValueError(f"unknown verdict {opinion.verdict[:40]!r}")
    answer = opinion.answer.strip()
    is_changed = bool(answer) and answer != opinion.shown_answer.strip()
    if verdict == "edit" and not is_changed:
        raise ValueError("verdict edit, but the answer is as it was")
    if verdict is None and not is_changed:
        raise ValueError("no verdict")
    if verdict != "reject" and is_changed:
        verdict = "edit"
    return ReviewDecision(
        example_key=opinion.key,
        verdict=verdict or "edit",
        answer=answer if verdict == "edit" else None,
        reviewer=opinion.reviewer.strip(),
        decided_at=opinion.when or now,
        seconds=opinion.seconds,
        note=opinion.note.strip(),
    )


class Entry(NamedTuple):
    """One record of a tool's file."""

    opinions: list[Opinion]
    """None where nobody has looked at it yet."""
    problem: str = ""
    """Why the record cannot be read."""


ReadEntry = Callable[[object], Entry]
