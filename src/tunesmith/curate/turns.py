"""What all formats share: values to turns and text, and which conversations can be learnt from."""

from collections.abc import Mapping

from tunesmith.core.conversation import Message, Prompt, Role
from tunesmith.curate.readers.threads import PRIVATE_NOTE, is_private

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
    """A list of turns as messages, whatever the roles are called; private notes are left out.

    Raises:
        BadRowError: If it is none, or nothing in it is public.
    """
    if not isinstance(value, list):
        raise BadRowError(f"turns are {kind_of(value)}, not a list")
    public: list[Message] = []
    is_private_last = False
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise BadRowError(f"turn {number} is {kind_of(turn)}, not an object")
        is_private_last = is_private(turn)
        if not is_private_last:
            public.append(_as_turn(turn, number, role_key, text_key))
    if len(public) == len(value):
        return public
    if not public:
        raise BadRowError(f"every turn is {PRIVATE_NOTE}")
    return _closed_up(public, is_cut=is_private_last)


def private_turns(value: object) -> int:
    """How many of a list of turns are left out because only colleagues were to read them."""
    turns = value if isinstance(value, list) else []
    return sum(isinstance(turn, dict) and is_private(turn) for turn in turns)


def _as_turn(turn: Fields, number: int, role_key: str, text_key: str) -> Message:
    name = turn.get(role_key, turn.get("role"))
    if any(turn.get(call) for call in TOOL_CALLS) or str(name).lower() in TOOL_ROLES:
        raise BadRowError(f"turn {number} is a tool's or calls one: tool calls are not learnt")
    role = ROLES.get(name.lower()) if isinstance(name, str) else None
    if role is None:
        raise BadRowError(f"turn {number} has the unknown role {str(name)[:40]!r}")
    key = text_key if text_key in turn else "content"
    parts = turn.get(key)
    if isinstance(parts, list):
        return Message(role=role, content=_text_of_parts(parts, number))
    return Message(role=role, content=as_text(turn, key, where=f"turn {number}: "))


def _closed_up(turns: list[Message], *, is_cut: bool) -> list[Message]:
    """The turns between which some were left out: neighbours of one role are one turn.

    Where the last was left out, so is the question that nothing else answers.
    """
    joined: list[Message] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            text = f"{joined.pop().content}\n\n{turn.content}"
            joined.append(Message(role=turn.role, content=text))
        else:
            joined.append(turn)
    is_unanswered = is_cut and len(joined) > 2 and joined[-1].role == "user"
    return joined[:-1] if is_unanswered else joined


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
