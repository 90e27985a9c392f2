"""Verdict rows: chosen and rejected answers, and single thumbs, in the layouts that TRL and the hub use."""

import re
from collections.abc import Mapping

from tunesmith.core.conversation import Message
from tunesmith.curate.turns import ANSWER_KEYS, BadRowError, Fields, as_text, as_turns

QUESTION_KEYS = ("prompt", "messages", "conversations", "question", "instruction")
WORDS = {"true": True, "false": False}
"""How a CSV file writes a label."""
SPOKEN = re.compile(r"\n\n(Human|Assistant): ?")
"""Borders of turns where a whole conversation is one text, as in Anthropic's hh-rlhf."""


def is_pair(row: Fields) -> bool:
    """Whether the row has two answers of which one is preferred."""
    return "chosen" in row and "rejected" in row


def is_thumb(row: Fields) -> bool:
    """Whether the row has an answer labelled good or bad; other labels are just columns of data."""
    has_answer = any(key in row for key in (*ANSWER_KEYS, "messages", "conversations"))
    return label_of(row) is not None and has_answer


def label_of(row: Fields) -> bool | None:
    """The row's thumb."""
    label = row.get("label")
    if isinstance(label, str):
        return WORDS.get(label.strip().lower())
    return label if isinstance(label, bool) else None


def read_pair(row: Fields) -> tuple[list[Message], str]:
    """The conversation that ends with the preferred answer, and the other answer."""
    question = _question(row)
    chosen, rejected = (as_conversation(question, row, key) for key in ("chosen", "rejected"))
    for name, turns in (("chosen", chosen), ("rejected", rejected)):
        if not turns or turns[-1].role != "assistant" or not turns[-1].content.strip():
            raise BadRowError(f"no {name} answer")
    if chosen[:-1] != rejected[:-1]:
        raise BadRowError("chosen and rejected answer different prompts")
    if chosen[-1].content.strip() == rejected[-1].content.strip():
        raise BadRowError("chosen and rejected say the same")
    return chosen, rejected[-1].content


def read_thumb(row: Fields) -> list[Message]:
    """The conversation that ends with the labelled answer."""
    key = next((key for key in ANSWER_KEYS if key in row), None)
    return as_conversation(_question(row), row, key) if key else _question(row)


def _question(row: Fields) -> list[Message]:
    key = next((key for key in QUESTION_KEYS if row.get(key) not in (None, "")), None)
    if key is None:
        return []
    value = row[key]
    if key == "conversations":
        turns = as_turns(value, role_key="from", text_key="value")
    elif isinstance(value, list):
        turns = as_turns(value)
    else:
        extra = as_text(row, "input") if row.get("input") not in (None, "") else ""
        text = as_text(row, key)
        turns = _spoken(text) or [
            Message(role="user", content=f"{text}\n\n{extra}" if extra else text)
        ]
    if row.get("system") and (not turns or turns[0].role != "system"):
        turns = [Message(role="system", content=as_text(row, "system")), *turns]
    return turns


def as_conversation(question: list[Message], row: Fields, key: str) -> list[Message]:
    """The question and the answer under `key`, which may be text, a turn, or turns.

    Some data sets give the answer alone, some the whole conversation that it ends; both are understood.
    """
    value = row[key]
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list):
        is_sharegpt = bool(value) and isinstance(value[0], Mapping) and "from" in value[0]
        answer = (
            as_turns(value, role_key="from", text_key="value") if is_sharegpt else as_turns(value)
        )
    else:
        text = as_text(row, key)
        answer = _spoken(text) or [Message(role="assistant", content=text)]
    if not answer or answer[0].role == "assistant":
        if not question:
            raise BadRowError(f"no prompt: none of {', '.join(QUESTION_KEYS)}")
        return [*question, *answer]
    system = question[:1] if question and question[0].role == "system" else []
    return answer if answer[0].role == "system" else [*system, *answer]


def _spoken(text: str) -> list[Message]:
    """The turns of a text in which `Human:` and `Assistant:` begin paragraphs; none if it is not one."""
    if not text.startswith("\n\nHuman:"):
        return []
    _, *parts = SPOKEN.split(text)
    roles, said = parts[::2], parts[1::2]
    return [
        Message(role="user" if role == "Human" else "assistant", content=words.strip())
        for role, words in zip(roles, said, strict=True)
    ]
