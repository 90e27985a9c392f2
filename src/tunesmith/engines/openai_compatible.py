"""OpenAI's chat completions as a wire: spoken by OpenAI, vLLM, Ollama, tunesmith itself and many others.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from tunesmith.engines.endpoint import FinishReason, Generation
from tunesmith.engines.wire import Answer, NoAnswerError, WithheldError

FINISHED: Mapping[str | None, FinishReason] = {"stop": "stop", "length": "length", None: "stop"}


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message = _Message()
    delta: _Message = _Message()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _Reply(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


class OpenAICompatible:
    """Implements `Wire`."""

    path = "/chat/completions"

    def __init__(self, answer_limit: str = "max_tokens") -> None:
        self._answer_limit = answer_limit

    def headers(self, key: str | None) -> dict[str, str]:
        """The key as a bearer token."""
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, request: Generation, *, is_constrained: bool) -> dict[str, Any]:
        """Fields that say what the endpoint does anyway are left out: not every one knows them all."""
        turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        body: dict[str, Any] = {
            "model": request.model,
            "messages": turns or [{"role": "user", "content": request.text}],
            self._answer_limit: request.max_tokens,
            "temperature": request.temperature,
        }
        if request.temperature > 0:
            body["seed"] = request.seed
        if request.top_p < 1:
            body["top_p"] = request.top_p
        if request.stop:
            body["stop"] = list(request.stop)
        if is_constrained and request.json_schema is not None:
            schema = {"name": "answer", "schema": request.json_schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def answer(self, reply: Any) -> Answer:
        """The first choice; see `Wire.answer`."""
        parsed = _parsed(reply)
        if not parsed.choices:
            raise NoAnswerError("the reply has no choices")
        choice = parsed.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise WithheldError(choice.message.refusal or "withheld by the endpoint's filter")
        if choice.message.content is None or choice.finish_reason not in FINISHED:
            raise NoAnswerError(f"no text, finish_reason {choice.finish_reason!r}")
        usage = parsed.usage
        return Answer(
            choice.message.content,
            FINISHED[choice.finish_reason],
            usage.prompt_tokens if usage else None,
            usage.completion_tokens if usage else None,
        )

    def piece(self, event: Mapping[str, Any]) -> Answer | None:
        """The first choice's delta."""
        parsed = _parsed(event)
        usage = parsed.usage
        counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
        if not parsed.choices:
            return Answer("", None, *counts) if usage else None
        choice = parsed.choices[0]
        if choice.delta.refusal or choice.finish_reason == "content_filter":
            raise WithheldError(choice.delta.refusal or "withheld by the endpoint's filter")
        reason = FINISHED.get(choice.finish_reason) if choice.finish_reason else None
        return Answer(choice.delta.content or "", reason, *counts)


def _parsed(reply: Any) -> _Reply:
    try:
        return _Reply.model_validate(reply)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise NoAnswerError(f"not a chat completion: {where}: {problem['msg']}") from None
