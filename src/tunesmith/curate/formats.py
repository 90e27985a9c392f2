"""Raw rows to examples and verdicts: every known layout, recognised by its keys."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Example, Message, Pair, Prompt, Thumb
from tunesmith.curate.turns import (
    ANSWER_KEYS,
    BadRowError,
    Fields,
    as_text,
    as_turns,
    checked,
    kind_of,
)
from tunesmith.curate.verdicts import (
    as_conversation,
    is_pair,
    is_thumb,
    label_of,
    read_pair,
    read_thumb,
)


class Recognised(NamedTuple):
    """A row understood."""

    format: str
    messages: Prompt
    rejected: str | None = None
    """Of a pair, the worse answer."""
    is_good: bool | None = None
    """Of a thumb, which way it points."""

    @property
    def characters(self) -> int:
        """Length of everything said."""
        return sum(len(turn.content) for turn in self.messages) + len(self.rejected or "")

    def example(self, messages: Prompt, source: str) -> Example:
        """The example, pair or thumb with these messages."""
        if self.rejected is not None:
            return Pair(messages=messages, source=source, rejected=self.rejected)
        if self.is_good is not None:
            return Thumb(messages=messages, source=source, is_good=self.is_good)
        return Example(messages=messages, source=source)


def recognise(value: object) -> Recognised:
    """The conversation in a row, with the verdict on its answer if the row holds one.

    Raises:
        BadRowError: With the reason, if the row holds none that can be learnt from.
    """
    if not isinstance(value, dict):
        raise BadRowError(f"not an object but {kind_of(value)}")
    if is_pair(value):
        chosen, rejected = read_pair(value)
        return Recognised("pair", checked(chosen), rejected=rejected)
    if is_thumb(value):
        return Recognised("thumb", checked(read_thumb(value)), is_good=label_of(value))
    for name, keys, read in FORMATS:
        if any(key in value for key in keys):
            return Recognised(name, checked(read(value)))
    found = ", ".join(sorted(map(str, value))[:6]) or "none"
    raise BadRowError(f"no known columns (found: {found})")


def _chat(row: Fields) -> list[Message]:
    return as_turns(row["messages"])


def _sharegpt(row: Fields) -> list[Message]:
    return as_turns(row["conversations"], role_key="from", text_key="value")


def _instruction(row: Fields) -> list[Message]:
    question = as_text(row, "instruction")
    extra = as_text(row, "input") if row.get("input") not in (None, "") else ""
    return _pair(row, f"{question}\n\n{extra}" if extra else question)


def _prompt_completion(row: Fields) -> list[Message]:
    if isinstance(row["prompt"], list):
        return as_conversation(as_turns(row["prompt"]), row, _answer_key(row))
    return _pair(row, as_text(row, "prompt"))


FORMATS: Sequence[tuple[str, tuple[str, ...], Callable[[Fields], list[Message]]]] = (
    ("chat", ("messages",), _chat),
    ("sharegpt", ("conversations",), _sharegpt),
    ("instruction", ("instruction",), _instruction),
    ("prompt-completion", ("prompt",), _prompt_completion),
)


def _pair(row: Fields, question: str) -> list[Message]:
    system = row.get("system")
    turns = [Message(role="system", content=as_text(row, "system"))] if system else []
    return [
        *turns,
        Message(role="user", content=question),
        Message(role="assistant", content=as_text(row, _answer_key(row))),
    ]


def _answer_key(row: Fields) -> str:
    key = next((key for key in ANSWER_KEYS if key in row), None)
    if key is None:
        raise BadRowError(f"no answer: none of {', '.join(ANSWER_KEYS)}")
    return key
