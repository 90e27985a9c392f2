"""What rows are made of: the tags they carry and how often a conversation asks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Case, Example, Prompt

NO_TAG = "no tag"
MOST_QUESTIONS = 8
"""Conversations that ask this often or oftener are counted together."""


class Part(NamedTuple):
    """How many rows are of one kind."""

    name: str
    train: int
    golden: int


def tag_parts(rows: Sequence[Example], cases: Sequence[Case]) -> list[Part]:
    """How many rows carry which tag, the most frequent first and those without any last; nothing if none has a tag.

    A row with two tags counts for both.
    """
    if not any(row.tags for side in (rows, cases) for row in side):
        return []
    train, golden = (
        Counter(tag for row in side for tag in set(row.tags) or {NO_TAG}) for side in (rows, cases)
    )
    names = sorted(train | golden, key=lambda tag: (tag == NO_TAG, -train[tag], -golden[tag], tag))
    return [Part(name, train[name], golden[name]) for name in names]


def question_parts(rows: Sequence[Example], cases: Sequence[Case]) -> list[Part]:
    """How many conversations ask how often, fewest first."""
    train = _asked(row.messages for row in rows)
    golden = _asked(case.messages for case in cases)
    return [
        Part(_questions(times), train[times], golden[times]) for times in sorted(train | golden)
    ]


def _asked(conversations: Iterable[Prompt]) -> Counter[int]:
    return Counter(
        min(sum(turn.role == "user" for turn in turns), MOST_QUESTIONS) for turns in conversations
    )


def _questions(times: int) -> str:
    if times == MOST_QUESTIONS:
        return f"{times} questions and more"
    return "1 question" if times == 1 else f"{times} questions"
