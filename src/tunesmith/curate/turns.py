"""What all formats share: values to turns and text, and which conversations can be learnt from."""

from collections.abc import Mapping

from tunesmith.core.conversation import Message, Prompt, Role

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
TOOL_ROLES = frozenset({"tool", "function", "function_call", "observation"})
TOOL_CALLS = ("tool_calls", "function_call")
ANSWER_KEYS = ("output", "response", "completion", "answer")
Fields = Mapping[str, object]


class BadRowError(Exception):
    """Why a row is no example; never leaves this package."""


def as_turns(value: object, *, role_key: str = "role", text_key: str = "content") -> list[Message]:
    """A list of turns as messages, whatever the roles are called.

    Raises:
        BadRowError: If it is none.
    """
    if not isinstance(value, list):
        raise BadRowError(f"turns are {kind_of(value)}, not a list")
    turns = []
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise BadRowError(f"turn {number} is {kind_of(turn)}, not an object")
        name = turn.get(role_key, turn.get("role"))
        if any(turn.get(call) for call in TOOL_CALLS) or str(name).lower() in TOOL_ROLES:
            raise BadRowError(f"turn {number} is a tool's or calls one: tool calls are not learnt")
        role = ROLES.get(name.lower()) if isinstance(name, str) else None
        if role is None:
            raise BadRowError(f"turn {number} has the unknown role {str(name)[:40]!r}")
        key = text_key if text_key in turn else "content"
        if isinstance(turn.get(key), list):
            turns.append(Message(role=role, content=_text_of_parts(turn[key], number)))
        else:
            turns.append(Message(role=role, content=as_text(turn, key, where=f"turn {number}: ")))
    return turns


def _text_of_parts(parts: list[object], number: int) -> str:
    """Content parts as one text, as newer clients send them."""
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise BadRowError(f"turn {number} holds more than text")
    return as_text({"content": "".join(map(str, texts))}, "content", where=f"turn {number}: ")


def as_text(row: Fields, key: str, where: str = "") -> str:
    """A field that must be text, whole and printable.

    Raises:
        BadRowError: If it is not.
    """
    value = row.get(key)
    if not isinstance(value, str):
        raise BadRowError(f"{where}{key} is {kind_of(value)}, not text")
    if "\0" in value:
        raise BadRowError(f"{where}{key} holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRowError(f"{where}{key} holds half a character (a lone surrogate)") from None
    return value


def checked(turns: list[Message]) -> Prompt:
    """The turns, if they are a conversation that ends with an answer and in which nobody is silent.

    Raises:
        BadRowError: If they are not.
    """
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


def kind_of(value: object) -> str:
    """What a JSON value is called in a reason."""
    names = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number"}
    return {**names, str: "text", list: "a list", dict: "an object"}.get(type(value), "no JSON")
