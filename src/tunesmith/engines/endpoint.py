"""Endpoint: the protocol every engine speaks, and what goes in and comes out."""

from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from tunesmith.core.conversation import Prompt
from tunesmith.core.section import Section

FinishReason = Literal["stop", "length"]


class Generation(Section):
    """One request for an answer."""

    model: str
    """The base's name or an adapter's."""
    messages: Prompt = ()
    """A chat, rendered with the base's own template; leave empty to send `text` instead."""
    text: str = ""
    """A raw prompt, sent as it is."""
    max_tokens: int = Field(256, ge=1)
    temperature: float = Field(0.0, ge=0)
    """0 is greedy: always the most likely token."""
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = 0
    """Seed of the draw when temperature is above 0."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer; they are not part of it."""
    json_schema: dict[str, Any] | None = None
    """Schema that the answer should fit; an engine that cannot enforce it answers freely."""


class Delta(NamedTuple):
    """A piece of an answer as it is made; the last one carries the reason it ended."""

    text: str
    finish_reason: FinishReason | None
    prompt_tokens: int
    completion_tokens: int


class Completion(NamedTuple):
    """A whole answer."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    """From when the request was handed in to the last token."""


class Endpoint(Protocol):
    """Something that answers for one or more models by name."""

    def models(self) -> list[str]:
        """Names that requests may use; the base first."""

    async def complete(self, request: Generation) -> Completion:
        """The whole answer.

        Raises:
            UnknownNameError: If no model bears the requested name.
            RequestError: If the request cannot be answered as asked.
        """

    def stream(self, request: Generation) -> AsyncIterator[Delta]:
        """The answer piece by piece; joined, the pieces equal what `complete` returns."""

    async def close(self) -> None:
        """Stop working and free the memory; requests under way fail."""
