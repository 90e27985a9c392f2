"""The endpoint's routes, limits, and the one place where errors become OpenAI error bodies."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tunesmith.core.loopback import LOOPBACK_HOSTS
from tunesmith.engines.endpoint import Endpoint, Generation
from tunesmith.errors import (
    OverloadedError,
    RequestError,
    TunesmithError,
    UnknownNameError,
)
from tunesmith.serve.body_limit import BodyLimit
from tunesmith.serve.config import ServeConfig
from tunesmith.serve.protocol import ChatRequest, Shape, TextRequest, error_body

routes = APIRouter()


class Desk:
    """The endpoint with its limits."""

    def __init__(self, endpoint: Endpoint, config: ServeConfig) -> None:
        """Put `config`'s limits before `endpoint`."""
        self.endpoint, self.config = endpoint, config
        self._under_way = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests under way.

        Raises:
            OverloadedError: If there is none.
        """
        if self._under_way >= self.config.max_waiting:
            raise OverloadedError(self._under_way, self.config.max_waiting)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def answer(
        self, request: Generation, shape: Shape, *, is_streamed: bool, with_usage: bool
    ) -> Response:
        """The answer in one body, or as server-sent events that begin with the first piece."""
        if not is_streamed:
            with self.place():
                return JSONResponse(shape.whole(await self.endpoint.complete(request)))
        events = self._events(request, shape, with_usage=with_usage)
        # The first event is made before the response begins, so that a refusal still has its own status code.
        first = await anext(events)
        return StreamingResponse(_after(first, events), media_type="text/event-stream")

    async def _events(
        self, request: Generation, shape: Shape, *, with_usage: bool
    ) -> AsyncIterator[str]:
        with self.place():
            is_first = True
            async with aclosing(self.endpoint.stream(request)) as deltas:  # type: ignore[type-var]
                try:
                    async for delta in deltas:
                        yield _event(shape.piece(delta, is_first=is_first))
                        is_first, last = False, delta
                except TunesmithError as error:
                    if is_first:
                        raise
                    yield _event(error_body(error))
                    return
            if with_usage:
                yield _event(shape.usage(last))
            yield "data: [DONE]\n\n"


def make_app(endpoint: Endpoint, config: ServeConfig) -> FastAPI:
    """The application for one endpoint; it does not close the endpoint."""
    app = FastAPI(title="tunesmith", docs_url=None, redoc_url=None)
    app.state.desk = Desk(endpoint, config)
    app.include_router(routes)
    app.add_exception_handler(TunesmithError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_surprise)
    app.add_middleware(BodyLimit, limit_bytes=config.max_body_bytes)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_HOSTS)
    return app


@routes.post("/v1/chat/completions")
async def chat(asked: ChatRequest, http: HttpRequest) -> Response:
    """Answer a conversation."""
    return await _reply(asked, http, is_chat=True)


@routes.post("/v1/completions")
async def completions(asked: TextRequest, http: HttpRequest) -> Response:
    """Continue a raw text."""
    return await _reply(asked, http, is_chat=False)


@routes.get("/v1/models")
async def models(http: HttpRequest) -> dict[str, object]:
    """Every name that requests may use; the base first."""
    names = http.app.state.desk.endpoint.models()
    return {"object": "list", "data": [_model(name) for name in names]}


@routes.get("/v1/models/{name:path}")
async def model(name: str, http: HttpRequest) -> dict[str, object]:
    """One of them."""
    known = http.app.state.desk.endpoint.models()
    if name not in known:
        raise UnknownNameError("model", name, known)
    return _model(name)


@routes.get("/health")
async def health(http: HttpRequest) -> dict[str, object]:
    """Whether requests are answered."""
    return {"status": "ok", "models": len(http.app.state.desk.endpoint.models())}


async def _reply(asked: ChatRequest | TextRequest, http: HttpRequest, *, is_chat: bool) -> Response:
    desk: Desk = http.app.state.desk
    options = asked.stream_options
    return await desk.answer(
        asked.generation(desk.config),
        Shape(asked.model, is_chat=is_chat),
        is_streamed=bool(asked.stream),
        with_usage=options is not None and options.include_usage,
    )


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tunesmith"}


def _event(body: dict[str, object]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


async def _after(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async with aclosing(rest):  # type: ignore[type-var]
        async for event in rest:
            yield event


async def _on_error(_: HttpRequest, error: Any) -> JSONResponse:
    headers = {"Retry-After": "1"} if error.http_status == 429 else None
    return JSONResponse(error_body(error), status_code=error.http_status, headers=headers)


async def _on_invalid(http: HttpRequest, error: Any) -> JSONResponse:
    problems = [
        f"{'.'.join(str(part) for part in problem['loc'][1:]) or 'body'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return await _on_error(http, RequestError("; ".join(problems), fix="correct the request"))


async def _on_http(_: HttpRequest, error: Any) -> JSONResponse:
    failure = RequestError(str(error.detail), fix="see /v1/models for what is served")
    return JSONResponse(error_body(failure), status_code=error.status_code)


async def _on_surprise(http: HttpRequest, error: Any) -> JSONResponse:
    # Starlette logs the traceback; the client learns no more than that it was not its fault.
    return await _on_error(
        http, TunesmithError("the server failed", fix=f"its log names the {type(error).__name__}")
    )
