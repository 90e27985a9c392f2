"""RateLimiter: requests and tokens a minute, kept by spacing; a pause that the other side asks for holds for all."""

import asyncio
import time
from collections.abc import Awaitable, Callable

BURST_SECONDS = 2.0
"""How much of the allowance may be used at once: a minute's worth sent in its first second is refused by most."""


class RateLimiter:
    """Delays requests so that any minute sees at most the limits, and `BURST_SECONDS` of them on top.

    Source: the generic cell rate algorithm, ITU-T I.371, annex A.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Limits that are None do not limit; `clock` and `sleep` are in seconds."""
        self._request_seconds = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_seconds = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._requests_until = self._tokens_until = self._paused_until = clock()

    async def acquire(self, tokens: int) -> None:
        """Wait until a request of about this many tokens, answer included, may be sent."""
        now = self._clock()
        start = max(now, self._requests_until - BURST_SECONDS, self._tokens_until - BURST_SECONDS)
        self._requests_until = max(self._requests_until, start) + self._request_seconds
        self._tokens_until = max(self._tokens_until, start) + tokens * self._token_seconds
        if start > now:
            await self._sleep(start - now)
        while (left := self._paused_until - self._clock()) > 0:
            await self._sleep(left)

    def settle(self, reserved: int, used: int) -> None:
        """Give back what a request reserved and did not use, or take what it used beyond."""
        self._tokens_until += (used - reserved) * self._token_seconds

    def pause(self, seconds: float) -> None:
        """Let nothing be sent for this long; requests that wait already wait on."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)
