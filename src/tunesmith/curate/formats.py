"""Raw rows to examples: instruction, chat, ShareGPT and prompt-completion rows, recognised by their keys."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Message, Prompt, Role

ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
ANSWER_KEYS = ("output", "response", "completion", "answer")
Fields = Mapping[str, object]


class BadRowError(Exception):
    """Why a row is no example; never leaves this package."""


class Recognised(NamedTuple):
    """A row understood."""

    format: str
    messages: Prompt


def recognise(value: object) -> Recognised:
    """The conversation in a row.

    Raises:
        BadRowError: With the reason, if the row holds none that can be learnt from.
    """
    if not isinstance(value, dict):
        raise BadRowError(f"not an object but {_kind(value)}")
    for name, keys, read in FORMATS:
        if any(key in value for key in keys):
            return Recognised(name, _checked(read(value)))
    found = ", ".join(sorted(map(str, value))[:6]) or "none"
    raise BadRowError(f"no known columns (found: {found})")


def _chat(row: Fields) -> list[Message]:
    return _turns(row["messages"], role_key="role", text_key="content")


def _sharegpt(row: Fields) -> list[Message]:
    return _turns(row["conversations"], role_key="from", text_key="value")


def _instruction(row: Fields) -> list[Message]:
    question = _text(row, "instruction")
    extra = _text(row, "input") if row.get("input") not in (None, "") else ""
    return _pair(row, f"{question}\n\n{extra}" if extra else question)


def _prompt_completion(row: Fields) -> list[Message]:
    return _pair(row, _text(row, "prompt"))


FORMATS: Sequence[tuple[str, tuple[str, ...], Callable[[Fields], list[Message]]]] = (
    ("chat", ("messages",), _chat),
    ("sharegpt", ("conversations",), _sharegpt),
    ("instruction", ("instruction",), _instruction),
    ("prompt-completion", ("prompt",), _prompt_completion),
)


def _pair(row: Fields, question: str) -> list[Message]:
    key = next((key for key in ANSWER_KEYS if key in row), None)
    if key is None:
        raise BadRowError(f"no answer: none of {', '.join(ANSWER_KEYS)}")
    system = row.get("system")
    turns = [Message(role="system", content=_text(row, "system"))] if system else []
    return [
        *turns,
        Message(role="user", content=question),
        Message(role="assistant", content=_text(row, key)),
    ]


def _turns(value: object, *, role_key: str, text_key: str) -> list[Message]:
    if not isinstance(value, list):
        raise BadRowError(f"turns are {_kind(value)}, not a list")
    turns = []
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise BadRowError(f"turn {number} is {_kind(turn)}, not an object")
        name = turn.get(role_key, turn.get("role"))
        role = ROLES.get(name.lower()) if isinstance(name, str) else None
        if role is None:
            raise BadRowError(f"turn {number} has the unknown role {str(name)[:40]!r}")
        key = text_key if text_key in turn else "content"
        turns.append(Message(role=role, content=_text(turn, key, where=f"turn {number}: ")))
    return turns


def _text(row: Fields, key: str, where: str = "") -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise BadRowError(f"{where}{key} is {_kind(value)}, not text")
    if "\0" in value:
        raise BadRowError(f"{where}{key} holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRowError(f"{where}{key} holds half a character (a lone surrogate)") from None
    return value


def _checked(turns: list[Message]) -> Prompt:
    for number, turn in enumerate(turns, 1):
        if not turn.content.strip():
            raise BadRowError(
                "no answer: it is empty"
                if turn.role == "assistant" and number == len(turns)
                else f"turn {number} ({turn.role}) is empty"
            )
    spoken = turns[1:] if turns and turns[0].role == "system" else turns
    if not spoken:
        raise BadRowError("no turns")
    for number, turn in enumerate(spoken):
        expected = "assistant" if number % 2 else "user"
        if turn.role != expected:
            raise BadRowError(f"wrong role order: {turn.role} where {expected} is due")
    if spoken[-1].role != "assistant":
        raise BadRowError("no answer: the last turn is the user's")
    return tuple(turns)


def _kind(value: object) -> str:
    names = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number"}
    return {**names, str: "text", list: "a list", dict: "an object"}.get(type(value), "no JSON")
