"""Raw rows to examples and verdicts: every known layout, recognised by its keys."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Example, Message, Pair, Prompt, Thumb
from tunesmith.curate import tickets
from tunesmith.curate.chat_logs import chatgpt_turns, is_chatgpt, is_openai_log, openai_turns
from tunesmith.curate.facts import Facts, facts_of
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

Reading = Callable[[Fields], list[Message]]


class Recognised(NamedTuple):
    """A row understood."""

    format: str
    messages: Prompt
    rejected: str | None = None
    """Of a pair, the worse answer."""
    is_good: bool | None = None
    """Of a thumb, which way it points."""
    facts: Facts = Facts()

    @property
    def characters(self) -> int:
        """Length of everything said."""
        return sum(len(turn.content) for turn in self.messages) + len(self.rejected or "")

    def example(self, messages: Prompt, source: str) -> Example:
        """The example, pair or thumb with these messages."""
        given = {"messages": messages, "source": source, **self.facts._asdict()}
        if self.rejected is not None:
            return Pair.model_validate({**given, "rejected": self.rejected})
        if self.is_good is not None:
            return Thumb.model_validate({**given, "is_good": self.is_good})
        return Example.model_validate(given)


def recognise(value: object) -> Recognised:
    """The conversation in a row, with the verdict on its answer if the row holds one, and what else it says.

    Raises:
        BadRowError: With the reason, if the row holds none that can be learnt from.
    """
    if not isinstance(value, dict):
        raise BadRowError(f"not an object but {kind_of(value)}")
    facts = facts_of(value)
    if is_pair(value):
        chosen, rejected = read_pair(value)
        return Recognised("pair", checked(chosen), rejected, facts=facts)
    if is_thumb(value):
        return Recognised("thumb", checked(read_thumb(value)), None, label_of(value), facts)
    for name, is_such, read in FORMATS:
        if is_such(value):
            return Recognised(name, checked(read(value)), facts=facts)
    found = ", ".join(sorted(map(str, value))[:6]) or "none"
    raise BadRowError(f"no known columns (found: {found})")


def is_known(value: object) -> bool:
    """Whether a value is laid out as a row of a known format, which may be a bad one all the same."""
    if not isinstance(value, dict):
        return False
    return is_pair(value) or is_thumb(value) or any(is_such(value) for _, is_such, _ in FORMATS)


def _chat(row: Fields) -> list[Message]:
    return as_turns(row["messages"])


def _sharegpt(row: Fields) -> list[Message]:
    return as_turns(row["conversations"], role_key="from", text_key="value")


def _chatgpt(row: Fields) -> list[Message]:
    return as_turns(chatgpt_turns(row))


def _openai_log(row: Fields) -> list[Message]:
    return as_turns(openai_turns(row))


def _ticket(row: Fields) -> list[Message]:
    return as_turns(tickets.turns(row))


def _instruction(row: Fields) -> list[Message]:
    question = as_text(row, "instruction")
    extra = as_text(row, "input") if row.get("input") not in (None, "") else ""
    return _pair(row, f"{question}\n\n{extra}" if extra else question)


def _prompt_completion(row: Fields) -> list[Message]:
    if isinstance(row["prompt"], list):
        return as_conversation(as_turns(row["prompt"]), row, _answer_key(row))
    return _pair(row, as_text(row, "prompt"))


def _has(key: str) -> Callable[[Fields], bool]:
    return lambda row: key in row


FORMATS: Sequence[tuple[str, Callable[[Fields], bool], Reading]] = (
    ("openai-log", is_openai_log, _openai_log),
    ("ticket", tickets.is_thread, _ticket),
    ("chat", _has("messages"), _chat),
    ("sharegpt", _has("conversations"), _sharegpt),
    ("chatgpt", is_chatgpt, _chatgpt),
    ("instruction", _has("instruction"), _instruction),
    ("prompt-completion", _has("prompt"), _prompt_completion),
    ("question-reply", tickets.is_flat, _ticket),
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
