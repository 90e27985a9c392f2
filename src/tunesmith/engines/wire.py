"""Wire: what differs between the protocols of remote models; and what an answer looks like in all of them."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from tunesmith.engines.endpoint import FinishReason, Generation


class NoAnswerError(ValueError):
    """A reply that is no answer of its protocol; never leaves this package."""


class WithheldError(ValueError):
    """The model declines to answer this request, and would again; never leaves this package."""


class Answer(NamedTuple):
    """An answer, or with an empty reason a piece of one."""

    text: str
    finish_reason: FinishReason | None
    prompt_tokens: int | None
    completion_tokens: int | None


class Wire(Protocol):
    """One protocol's requests and replies."""

    path: str
    """Behind the address."""

    def headers(self, key: str | None) -> dict[str, str]:
        """What every request carries besides its body."""

    def body(self, request: Generation, *, is_constrained: bool) -> dict[str, Any]:
        """The request; with `is_constrained` the endpoint is told the schema of the answer, if there is one."""

    def answer(self, reply: Any) -> Answer:
        """The answer in a whole reply.

        Raises:
            NoAnswerError: If it holds none.
            WithheldError: If the model declines.
        """

    def piece(self, event: Mapping[str, Any]) -> Answer | None:
        """What one event of a stream adds; None if nothing."""


def refusal_of(reply: object) -> str:
    """What an endpoint says about a request it refuses, in a line."""
    if isinstance(reply, dict):
        error = reply.get("error", reply)
        said = error.get("message") if isinstance(error, dict) else error
        reply = said or reply.get("message") or reply.get("detail") or reply
    text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
    return " ".join(text.split())[:300]
