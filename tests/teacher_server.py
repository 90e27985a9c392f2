"""A server that speaks two protocols strictly, misbehaves when told to, and logs what it is paid for."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving import answering

KEY = "sk-test-0123456789"


class Fault(NamedTuple):
    """What the server does instead of answering."""

    status: int = 500
    headers: Mapping[str, str] = {}
    content: bytes = b'{"error": {"message": "broken"}}'
    delay_seconds: float = 0.0


class Logged(NamedTuple):
    key: str
    """Hash of the body: two requests that ask the same have the same."""
    question: str
    status: int


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Turn(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class _Schema(_Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool


class _ResponseFormat(_Strict):
    type: Literal["json_schema"]
    json_schema: _Schema


class _OpenAI(_Strict):
    model: str
    messages: list[_Turn] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = 0
    stop: list[str] = []
    stream: bool = False
    response_format: _ResponseFormat | None = None


class _AnthropicTurn(_Strict):
    role: Literal["user", "assistant"]
    content: str = Field(min_length=1)


class _Tool(_Strict):
    name: str
    description: str
    input_schema: dict[str, Any]


class _Choice(_Strict):
    type: Literal["tool"]
    name: str


class _Anthropic(_Strict):
    model: str
    max_tokens: int = Field(ge=1)
    messages: list[_AnthropicTurn] = Field(min_length=1)
    system: str | None = None
    temperature: float = Field(1.0, ge=0, le=1)
    top_p: float = Field(1.0, gt=0, le=1)
    stop_sequences: list[str] = []
    stream: bool = False
    tools: list[_Tool] = []
    tool_choice: _Choice | None = None


Script = Callable[[str, dict[str, Any]], "str | Fault"]


class TeacherServer:
    """Answers by `script(last user turn, body)`; `hold` makes it keep every further request waiting."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.log: list[Logged] = []
        self.hold = threading.Event()
        self.waiting = 0
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._openai, methods=["POST"]),
                Route("/v1/messages", self._anthropic, methods=["POST"]),
            ]
        )

    @property
    def paid(self) -> list[str]:
        """Keys of the requests that were answered."""
        return [entry.key for entry in self.log if entry.status == 200]

    async def _openai(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            said = f"Incorrect API key provided: {request.headers.get('authorization')}"
            return JSONResponse({"error": {"message": said, "type": "auth"}}, 401)
        return await self._answer(request, _OpenAI, _openai_reply, _openai_events)

    async def _anthropic(self, request: Request) -> Response:
        if request.headers.get("x-api-key") != KEY or "anthropic-version" not in request.headers:
            error = {"type": "authentication_error", "message": "invalid x-api-key"}
            return JSONResponse({"type": "error", "error": error}, 401)
        return await self._answer(request, _Anthropic, _anthropic_reply, _anthropic_events)

    async def _answer(self, request: Request, kind: Any, reply: Any, events: Any) -> Response:
        body = json.loads(await request.body())
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        try:
            asked = kind.model_validate(body)
            roles = [turn.role for turn in asked.messages if turn.role != "system"]
            assert roles == (["user", "assistant"] * len(roles))[: len(roles)], (
                "roles do not alternate"
            )
        except (ValidationError, AssertionError) as error:
            self.log.append(Logged(key, "", 400))
            return JSONResponse({"error": {"message": str(error)}}, 400)
        self.waiting += 1
        try:
            while self.hold.is_set():
                if await request.is_disconnected():
                    self.log.append(Logged(key, "", 499))
                    return Response(status_code=499)
                await asyncio.sleep(0.01)
        finally:
            self.waiting -= 1
        question = body["messages"][-1]["content"]
        answer = self.script(question, body)
        status = answer.status if isinstance(answer, Fault) else 200
        self.log.append(Logged(key, question, status))
        if isinstance(answer, Fault):
            await asyncio.sleep(answer.delay_seconds)
            return Response(answer.content, answer.status, dict(answer.headers), "application/json")
        if asked.stream:
            return Response(events(body, answer), media_type="text/event-stream")
        return JSONResponse(reply(body, answer))


def words_in(body: dict[str, Any]) -> int:
    said = [str(body.get("system") or ""), *(turn["content"] for turn in body["messages"])]
    return len(" ".join(said).split())


def _openai_reply(body: dict[str, Any], answer: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer, "refusal": None}
    counts = {"prompt_tokens": words_in(body), "completion_tokens": len(answer.split())}
    usage = {**counts, "total_tokens": sum(counts.values())}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**head, "choices": [choice], "usage": usage}


def _openai_events(body: dict[str, Any], answer: str) -> str:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in answer.split(" ")]
    events = [{"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def _anthropic_reply(body: dict[str, Any], answer: str) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": answer}
    reason = "end_turn"
    if "tool_choice" in body:
        block = {"type": "tool_use", "id": "t", "name": "answer", "input": json.loads(answer)}
        reason = "tool_use"
    usage = {"input_tokens": words_in(body), "output_tokens": len(answer.split())}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"]}
    return {
        **head,
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _anthropic_events(body: dict[str, Any], answer: str) -> str:
    start = {"usage": {"input_tokens": words_in(body), "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for word in answer.split(" "):
        delta = {"type": "text_delta", "text": word}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    used = {"output_tokens": len(answer.split())}
    events.append({"type": "message_delta", "delta": ended, "usage": used})
    events.append({"type": "message_stop"})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app on a free port of this machine; gives the address up to `/v1`."""
    with answering(app) as address:
        yield f"{address}/v1"
