"""The OpenAI wire format: what requests may say, and the bodies that answer them."""

import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Completion, Delta, FinishReason, Generation
from tunesmith.errors import RequestError, RequestTooLargeError, TunesmithError
from tunesmith.serve.config import ServeConfig

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "echo": (None, False),
    "suffix": (None, ""),
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "functions": (None, []),
    "logprobs": (None, False, 0),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
    "response_format": (None, {"type": "text"}),
    "modalities": (None, ["text"]),
    "audio": (None,),
}
"""Fields that would change the answer and are not offered, with the values that leave it as it is."""


def _text_of(content: object) -> object:
    """Content parts joined, as clients send them: `[{"type": "text", "text": "…"}]`."""
    if not isinstance(content, list):
        return content
    parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
    if len(parts) != len(content):
        raise ValueError("only parts of type text are understood")
    return "".join(str(part.get("text", "")) for part in parts)


class ChatMessage(BaseModel):
    """One turn as it is sent."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_text_of)]

    def as_message(self) -> Message:
        """`developer` is what newer clients call the system turn."""
        role = "system" if self.role == "developer" else self.role
        return Message(role=role, content=self.content)


class StreamOptions(BaseModel):
    """What a stream carries besides the answer."""

    include_usage: bool = False


class Request(BaseModel):
    """What chat and text requests share. Temperature 0, as the model was measured, unless they say otherwise."""

    model_config = ConfigDict(extra="allow")

    model: str
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    def settings(self, config: ServeConfig) -> dict[str, Any]:
        """The part of a `Generation` that chat and text requests share.

        Raises:
            RequestError: If a field asks for something that is not offered.
            RequestTooLargeError: If more tokens are asked for than the limit.
        """
        for name, neutral in NEUTRAL.items():
            value = (self.model_extra or {}).get(name)
            if value not in neutral:
                raise RequestError(f"{name} is not supported", fix=f"leave {name} out")
        usual = min(config.default_max_tokens, config.max_tokens)
        wanted = self.max_completion_tokens or self.max_tokens or usual
        if wanted > config.max_tokens:
            raise RequestTooLargeError(
                "the answer asked for", size=wanted, limit=config.max_tokens, unit="tokens"
            )
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return {
            "model": self.model,
            "max_tokens": wanted,
            "temperature": self.temperature or 0.0,
            "top_p": self.top_p or 1.0,
            "seed": self.seed or 0,
            "stop": tuple(text for text in stop if text),
        }


class ChatRequest(Request):
    """`POST /v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1)

    def generation(self, config: ServeConfig) -> Generation:
        """The request in our own terms; see `Request.settings`."""
        messages = tuple(message.as_message() for message in self.messages)
        return Generation(messages=messages, **self.settings(config))


class TextRequest(Request):
    """`POST /v1/completions`."""

    prompt: str

    def generation(self, config: ServeConfig) -> Generation:
        """The request in our own terms; see `Request.settings`."""
        return Generation(text=self.prompt, **self.settings(config))


class Shape:
    """Bodies of one answer: chat or text, whole or in pieces, all under one id."""

    def __init__(self, model: str, *, is_chat: bool) -> None:
        """Name the answer; `model` is repeated to the client as it asked."""
        self._is_chat = is_chat
        self._head = {
            "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
        }

    def whole(self, answer: Completion) -> dict[str, object]:
        """The body of an answer that is not streamed."""
        kind = "chat.completion" if self._is_chat else "text_completion"
        content = (
            {"message": {"role": "assistant", "content": answer.text}}
            if self._is_chat
            else {"text": answer.text}
        )
        choice = {"index": 0, **content, "finish_reason": answer.finish_reason, "logprobs": None}
        usage = usage_of(answer.prompt_tokens, answer.completion_tokens)
        return {**self._head, "object": kind, "choices": [choice], "usage": usage}

    def piece(self, delta: Delta, *, is_first: bool) -> dict[str, object]:
        """The body of one event of a stream."""
        content: dict[str, object] = {"text": delta.text}
        if self._is_chat:
            spoken = {"content": delta.text} if delta.text or is_first else {}
            content = {"delta": {"role": "assistant", **spoken} if is_first else spoken}
        return self._event([self._choice(content, delta.finish_reason)])

    def usage(self, last: Delta) -> dict[str, object]:
        """The event that carries the token counts, after the last piece."""
        return {
            **self._event([]),
            "usage": usage_of(last.prompt_tokens, last.completion_tokens),
        }

    def _choice(
        self, content: Mapping[str, object], finish_reason: FinishReason | None
    ) -> dict[str, object]:
        return {"index": 0, **content, "finish_reason": finish_reason, "logprobs": None}

    def _event(self, choices: list[dict[str, object]]) -> dict[str, object]:
        kind = "chat.completion.chunk" if self._is_chat else "text_completion"
        return {**self._head, "object": kind, "choices": choices}


def usage_of(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """Token counts as clients read them."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def error_body(error: TunesmithError) -> dict[str, object]:
    """An error in OpenAI's shape, with the fix in the message."""
    kinds = {404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(
        error.http_status, "invalid_request_error" if error.http_status < 500 else "server_error"
    )
    codes = {
        "UnknownNameError": "model_not_found",
        "RequestTooLargeError": "context_length_exceeded",
    }
    return {
        "error": {
            "message": f"{error.what}; {error.fix}",
            "type": kind,
            "param": None,
            "code": codes.get(type(error).__name__),
        }
    }
