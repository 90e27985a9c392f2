"""Refuses bodies above a limit while they arrive, whatever length they announce."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import RequestTooLargeError
from tunesmith.serve.protocol import error_body


class BodyLimit:
    """ASGI middleware: reads at most `limit_bytes` of a request's body, then answers 413."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        """Stand before `app`."""
        self._app, self._limit = app, limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collect the body, then pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        is_whole = False
        while not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            is_whole = not message.get("more_body", False)
            if len(body) > self._limit:
                await self._refuse(len(body), scope, receive, send)
                return
        await self._app(scope, _once(bytes(body), receive), send)

    async def _refuse(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        error = RequestTooLargeError(
            "the request", size=size, limit=self._limit, unit="bytes (or more)"
        )
        response = JSONResponse(error_body(error), status_code=error.http_status)
        await response(scope, receive, send)


def _once(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
