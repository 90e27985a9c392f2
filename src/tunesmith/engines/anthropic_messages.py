"""Anthropic's Messages API as a wire.

Source: https://docs.anthropic.com/en/api/messages
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from tunesmith.engines.endpoint import FinishReason, Generation
from tunesmith.engines.wire import Answer, NoAnswerError, WithheldError

VERSION = "2023-06-01"
TOOL = "answer"
"""A tool that must be used is how this protocol makes a model fill in a schema."""
FINISHED: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
}


class _Block(BaseModel):
    type: str
    text: str = ""
    input: dict[str, Any] = Field(default_factory=dict)


class _Usage(BaseModel):
    input_tokens: int = Field(0, ge=0)
    output_tokens: int = Field(0, ge=0)
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    @property
    def prompt_tokens(self) -> int:
        """All prompt tokens, cached ones included."""
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return self.input_tokens + cached


class _Reply(BaseModel):
    content: list[_Block]
    stop_reason: str | None
    usage: _Usage


class AnthropicMessages:
    """Implements `Wire`."""

    path = "/messages"

    def headers(self, key: str | None) -> dict[str, str]:
        """The key, and the version of the protocol that is spoken here."""
        return {"anthropic-version": VERSION, **({"x-api-key": key} if key else {})}

    def body(self, request: Generation, *, is_constrained: bool) -> dict[str, Any]:
        """The system turn stands apart from the others; there is no seed."""
        system = [turn.content for turn in request.messages if turn.role == "system"]
        turns = [
            {"role": turn.role, "content": turn.content}
            for turn in request.messages
            if turn.role != "system"
        ]
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_tokens,
            "messages": turns or [{"role": "user", "content": request.text}],
            "temperature": min(request.temperature, 1.0),
        }
        if system:
            body["system"] = "\n\n".join(system)
        if request.top_p < 1:
            body["top_p"] = request.top_p
        if request.stop:
            body["stop_sequences"] = list(request.stop)
        if is_constrained and request.json_schema is not None:
            tool = {
                "name": TOOL,
                "description": "Gives the answer.",
                "input_schema": request.json_schema,
            }
            body |= {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}}
        return body

    def answer(self, reply: Any) -> Answer:
        """The text blocks joined, or what was filled into the schema; see `Wire.answer`."""
        try:
            parsed = _Reply.model_validate(reply)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise NoAnswerError(f"not a message: {where}: {problem['msg']}") from None
        if parsed.stop_reason == "refusal":
            raise WithheldError("the model refuses")
        if parsed.stop_reason is None or parsed.stop_reason not in FINISHED:
            raise NoAnswerError(f"stop_reason {parsed.stop_reason!r}")
        filled = [block.input for block in parsed.content if block.type == "tool_use"]
        text = "".join(block.text for block in parsed.content if block.type == "text")
        return Answer(
            json.dumps(filled[0], ensure_ascii=False) if filled else text,
            FINISHED[parsed.stop_reason],
            parsed.usage.prompt_tokens,
            parsed.usage.output_tokens,
        )

    def piece(self, event: Mapping[str, Any]) -> Answer | None:
        """What a `content_block_delta` or a `message_delta` adds."""
        kind, delta = event.get("type"), event.get("delta") or {}
        if kind == "error":
            raise NoAnswerError(str(event.get("error")))
        if kind == "message_start":
            usage = _Usage.model_validate((event.get("message") or {}).get("usage") or {})
            return Answer("", None, usage.prompt_tokens, usage.output_tokens)
        if kind == "content_block_delta":
            return Answer(
                str(delta.get("text") or delta.get("partial_json") or ""), None, None, None
            )
        if kind == "message_delta":
            if delta.get("stop_reason") == "refusal":
                raise WithheldError("the model refuses")
            used = (event.get("usage") or {}).get("output_tokens")
            return Answer("", FINISHED.get(str(delta.get("stop_reason"))), None, used)
        return None
