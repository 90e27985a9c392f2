"""What is said to a model and what it should answer: Message, Example, and the verdicts Pair and Thumb."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tunesmith.core import fingerprint
from tunesmith.core.section import Section

Role = Literal["system", "user", "assistant"]


class Message(Section):
    """One turn of a conversation."""

    role: Role
    content: str


Prompt = tuple[Message, ...]


class Example(Section):
    """A conversation to learn from; every assistant turn in it is a target."""

    messages: Prompt
    """System turn first if there is one, then user and assistant in turn, ending with the assistant."""
    source: str = ""
    """Where it came from, as `file:line`. Neither this nor any field below is part of the example's identity."""
    group: str = ""
    """Thread, ticket or entity it belongs to; all examples of a group stay on one side of every split."""
    tags: tuple[str, ...] = ()
    """Labels that came with it, as golden cases have them."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Further facts about its origin by name, such as `teacher` and `prompt_id` of a synthetic one."""

    @property
    def key(self) -> str:
        """Hash of what is said, independent of where it was read."""
        return fingerprint.of_json(self.texts)

    @property
    def texts(self) -> list[list[str]]:
        """Everything said, as `[role, text]`; what makes two examples the same."""
        return [[turn.role, turn.content] for turn in self.messages]

    @property
    def prompt(self) -> Prompt:
        """Everything before the last answer."""
        return self.messages[:-1]

    @property
    def answer(self) -> str:
        """The last assistant turn."""
        return self.messages[-1].content

    def answered(self, answer: str) -> "Example":
        """The same question with another last answer."""
        last = Message(role="assistant", content=answer)
        return self.model_copy(update={"messages": (*self.prompt, last)})


class Pair(Example):
    """A verdict on two answers to one prompt: `messages` end with the better one."""

    rejected: str
    """The worse answer."""

    @property
    def texts(self) -> list[list[str]]:
        """As of an example; the worse answer counts."""
        return [*super().texts, ["rejected", self.rejected]]


class Thumb(Example):
    """A verdict on a single answer, the last turn: something to do again, or never again."""

    is_good: bool
    """Thumbs up, or thumbs down."""

    @property
    def texts(self) -> list[list[str]]:
        """As of an example; a thumb up and a thumb down for one answer are not the same."""
        return [*super().texts, ["thumb", "up" if self.is_good else "down"]]


def example_of(row: Mapping[str, object]) -> Example:
    """The example, pair or thumb that was written as this row."""
    kind = Pair if "rejected" in row else Thumb if "is_good" in row else Example
    return kind.model_validate(row)


class Case(Section):
    """One golden question with the answer an expert wants."""

    messages: Prompt
    """What the model is asked; ends with a user turn."""
    expected: str
    """The reference answer that graders compare with."""
    tags: tuple[str, ...] = ()
    """Groups this case belongs to; the report breaks results down by them."""
    source: str = ""

    @property
    def key(self) -> str:
        """Hash of question and reference answer."""
        return fingerprint.of_json(
            [[[turn.role, turn.content] for turn in self.messages], self.expected]
        )
