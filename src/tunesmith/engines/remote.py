"""RemoteEndpoint: a model behind HTTP as an `Endpoint`; limits kept, failures tried again, refusals told apart."""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.engines.endpoint import Completion, Delta, FinishReason, Generation
from tunesmith.engines.rate_limits import RateLimiter
from tunesmith.engines.remote_config import RemoteConfig, is_loopback
from tunesmith.engines.wire import Answer, NoAnswerError, Wire, WithheldError, refusal_of
from tunesmith.errors import (
    EndpointError,
    EndpointRefusedError,
    NotMadeYetError,
    RequestError,
    UnknownNameError,
)

if TYPE_CHECKING:
    import httpx2

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may be another the next time; 529 is Anthropic's word for overloaded."""
FINAL = frozenset({401, 402, 403, 404})
"""Statuses that every other request would get, too: key, money, rights, name."""
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
LONGEST_ASKED_SECONDS = 600.0
"""Where an endpoint asks to wait longer, a quota is used up: that is for a person to see."""
CHARACTERS_PER_TOKEN = 3
"""Few, so that an estimate is rather too high than too low."""


class Failure(NamedTuple):
    """Why an attempt failed that may be repeated."""

    reason: str
    wait_seconds: float | None = None
    """How long the endpoint asks to wait."""


class RemoteEndpoint:
    """Implements `Endpoint` for one model at one address."""

    def __init__(self, config: RemoteConfig, wire: Wire) -> None:
        """Nothing is sent, and no key is read, before the first request."""
        self._config, self._wire = config, wire
        self._limiter = RateLimiter(config.requests_per_minute, config.tokens_per_minute)
        self._places = asyncio.Semaphore(config.concurrency)
        self._client: httpx2.AsyncClient | None = None
        self._key = ""
        self._knows_schemas = True

    def models(self) -> list[str]:
        """The one model."""
        return [self._config.model]

    async def complete(self, request: Generation) -> Completion:
        """The whole answer.

        Raises:
            RequestError: If the endpoint refuses this request, or the model declines to answer it.
            EndpointRefusedError: If it would refuse all others, too.
            EndpointError: If all attempts failed.
        """
        started = time.monotonic()
        failure = Failure("")
        async with self._places:
            for attempt in range(self._config.attempts):
                if attempt:
                    await self._wait(attempt, failure)
                outcome = await self._attempt(request)
                if isinstance(outcome, Answer):
                    return _completion(request, outcome, time.monotonic() - started)
                failure = outcome
                if (failure.wait_seconds or 0) > LONGEST_ASKED_SECONDS:
                    break
        raise self._given_up(failure)

    async def stream(self, request: Generation) -> AsyncIterator[Delta]:
        """The answer piece by piece; a stream that breaks is not begun again."""
        import httpx2

        asked, made, text = _tokens_of(request), 0, 0
        reason: FinishReason = "stop"
        body = {**self._body(request), "stream": True}
        async with self._places:
            await self._limiter.acquire(asked + request.max_tokens)
            try:
                async with self._opened().stream("POST", self._wire.path, json=body) as response:
                    if response.status_code != 200:
                        await response.aread()
                        raise self._given_up(self._failure(response))
                    async for piece in _pieces(response, self._wire):
                        asked, made = piece.prompt_tokens or asked, piece.completion_tokens or made
                        text += len(piece.text)
                        reason = piece.finish_reason or reason
                        if piece.text:
                            yield Delta(piece.text, None, asked, made or _as_tokens(text))
            except (httpx2.TransportError, NoAnswerError) as error:
                raise self._given_up(Failure(f"the stream broke: {error}")) from error
            except WithheldError as error:
                raise self._withheld(str(error)) from error
        yield Delta("", reason, asked, made or _as_tokens(text))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _attempt(self, request: Generation) -> Answer | Failure:
        import httpx2

        reserved = _tokens_of(request) + request.max_tokens
        await self._limiter.acquire(reserved)
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                response = await self._opened().post(self._wire.path, json=self._body(request))
        except TimeoutError:
            return Failure(f"no answer within {self._config.timeout_seconds:g} s")
        except httpx2.TransportError as error:
            return Failure(f"no connection: {type(error).__name__} {error}".rstrip())
        if response.status_code != 200:
            return self._refused_schema(request, response) or self._failure(response)
        try:
            answer = self._wire.answer(response.json())
        except (NoAnswerError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return Failure(f"a reply that is no answer: {error}")
        except WithheldError as error:
            raise self._withheld(str(error)) from error
        self._limiter.settle(
            reserved, (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
        )
        return answer

    def _refused_schema(self, request: Generation, response: "httpx2.Response") -> Failure | None:
        """Ask without the schema from now on, if that is what an endpoint does not understand."""
        said = response.text.lower()
        words = ("response_format", "json_schema", "tool")
        is_about_it = response.status_code in {400, 422} and any(word in said for word in words)
        if request.json_schema is None or not self._knows_schemas or not is_about_it:
            return None
        self._knows_schemas = False
        return Failure("it takes no schemas", 0.0)

    def _failure(self, response: "httpx2.Response") -> Failure:
        try:
            said = refusal_of(response.json())
        except (json.JSONDecodeError, UnicodeDecodeError):
            said = " ".join(response.text.split())[:300]
        said = f"{response.status_code}: {said.replace(self._key, '…') if self._key else said}"
        if response.status_code in PASSING:
            wait = _asked_wait(response.headers)
            if wait is not None:
                self._limiter.pause(wait)
            return Failure(said, wait)
        if response.status_code in FINAL:
            raise EndpointRefusedError(self._config.address, said, self._config.key_variable)
        raise RequestError(
            f"{self._config.address} refuses a request, {said}",
            fix="see what it says, and ask otherwise",
        )

    async def _wait(self, attempt: int, failure: Failure) -> None:
        # Full jitter: requests that failed together do not come back together.
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        wait = random.uniform(0, longest)  # noqa: S311  # no secret
        await asyncio.sleep(wait if failure.wait_seconds is None else failure.wait_seconds)

    def _given_up(self, failure: Failure) -> EndpointError:
        return EndpointError(self._config.address, failure.reason, attempts=self._config.attempts)

    def _withheld(self, reason: str) -> RequestError:
        return RequestError(
            f"{self._config.model} declines to answer: {reason}", fix="leave this request out"
        )

    def _body(self, request: Generation) -> dict[str, Any]:
        if request.model != self._config.model:
            raise UnknownNameError("model", request.model, self.models())
        return self._wire.body(request, is_constrained=self._knows_schemas)

    def _opened(self) -> "httpx2.AsyncClient":
        import httpx2

        if self._client is None:
            self._key = _key_in(self._config.key_variable)
            is_here = is_loopback(httpx2.URL(self._config.address).host)
            self._client = httpx2.AsyncClient(
                base_url=self._config.address,
                headers=self._wire.headers(self._key or None),
                timeout=httpx2.Timeout(self._config.timeout_seconds, connect=15.0),
                follow_redirects=False,  # the key goes nowhere but where the recipe says
                trust_env=not is_here,
            )
        return self._client


@asynccontextmanager
async def _lines(response: "httpx2.Response") -> AsyncIterator[AsyncIterator[str]]:
    lines = response.aiter_lines()
    try:
        yield lines
    finally:
        await response.aclose()


async def _pieces(response: "httpx2.Response", wire: Wire) -> AsyncIterator[Answer]:
    async with _lines(response) as lines:
        async for line in lines:
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or data == "[DONE]":
                continue
            try:
                event = json.loads(data)
            except json.JSONDecodeError as error:
                raise NoAnswerError(f"an event that is no JSON: {error}") from error
            piece = wire.piece(event) if isinstance(event, dict) else None
            if piece is not None:
                yield piece


def _completion(request: Generation, answer: Answer, seconds: float) -> Completion:
    asked, made = answer.prompt_tokens, answer.completion_tokens
    return Completion(
        answer.text,
        answer.finish_reason or "stop",
        _tokens_of(request) if asked is None else asked,
        _as_tokens(len(answer.text)) if made is None else made,
        seconds,
    )


def _tokens_of(request: Generation) -> int:
    """About how many tokens a request has."""
    return _as_tokens(len(request.text) + sum(len(turn.content) for turn in request.messages))


def _as_tokens(characters: int) -> int:
    return characters // CHARACTERS_PER_TOKEN + 1


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`, which is a number or a date."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None


def _key_in(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise NotMadeYetError(
            f"key in the environment variable {variable}", made_by=f"export {variable}=…"
        )
    return key
