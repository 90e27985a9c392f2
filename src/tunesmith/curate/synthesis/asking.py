"""Asker: requests to teacher and judge, many at once, each paid once; what fails is told apart and kept."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Message, Prompt
from tunesmith.core.progress import track
from tunesmith.curate.synthesis.cache import AnswerCache
from tunesmith.curate.synthesis.spending import Spending
from tunesmith.engines.endpoint import Completion, Endpoint, Generation
from tunesmith.engines.remote_config import RemoteConfig
from tunesmith.errors import EndpointError, EndpointRefusedError, RequestError

OVER_BUDGET = "not asked: the budget is used up"
FAILURES_IN_A_ROW = 5
"""After so many requests without one answer between them, the endpoint is taken for down."""

Check = Callable[[str], object]
"""What an answer says, taken out of its text; raises ValueError with the reason if it has not the form asked for."""


class Question(NamedTuple):
    """One thing to ask, and what its answer must look like."""

    messages: Prompt
    max_tokens: int
    check: Check
    temperature: float = 0.0
    json_schema: dict[str, object] | None = None


class Reply(NamedTuple):
    """An answer that has the form, or why there is none."""

    value: object = None
    problem: str = ""
    text: str = ""
    """The answer as it came, where it has not the form."""


class Asker:
    """One model, asked through the cache and within the budget."""

    def __init__(
        self, config: RemoteConfig, endpoint: Endpoint, cache: AnswerCache, spending: Spending
    ) -> None:
        self.config, self._endpoint = config, endpoint
        self.model = config.model or endpoint.models()[0]
        self._cache, self._spending = cache, spending
        self._places = asyncio.Semaphore(config.concurrency)
        self._failures = 0
        self._locks: dict[str, asyncio.Lock] = {}

    async def ask_all(
        self, questions: Sequence[Question], title: str, *, tries: int, is_quiet: bool
    ) -> list[Reply]:
        """A reply for each question, in their order.

        Raises:
            EndpointError: If the endpoint is down, or refuses whatever it is asked.
        """
        if not questions:
            return []
        with track(f"synthesize: {title}", len(questions), is_quiet=is_quiet) as progress:

            async def one(question: Question) -> Reply:
                reply = await self._ask(question, tries)
                progress.advance(note=self._spending.note())
                return reply

            tasks = [asyncio.create_task(one(question)) for question in questions]
            try:
                return list(await asyncio.gather(*tasks))
            except EndpointError:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                raise

    def request(self, question: Question, attempt: int = 0) -> Generation:
        """The question as it is sent; another attempt draws another answer."""
        return Generation(
            model=self.model,
            messages=question.messages,
            max_tokens=question.max_tokens,
            # A second try at temperature 0 would be the first answer again.
            temperature=max(question.temperature, 0.3 if attempt else 0.0),
            seed=attempt,
            json_schema=question.json_schema,
        )

    async def _ask(self, question: Question, tries: int) -> Reply:
        reply = Reply()
        async with self._places:
            for attempt in range(tries):
                outcome = await self._answer(self.request(question, attempt))
                if isinstance(outcome, str):
                    return reply if reply.problem else Reply(problem=outcome)
                if outcome.finish_reason == "length":
                    reply = Reply(problem="cut off at its limit of tokens", text=outcome.text)
                    continue
                try:
                    return Reply(question.check(outcome.text))
                except ValueError as error:
                    reply = Reply(problem=str(error), text=outcome.text)
        return reply

    async def _answer(self, request: Generation) -> Completion | str:
        """The answer from the cache or the endpoint; or why there is none."""
        key = self._cache.key(self.config, request)
        # Two rows may ask the same: the second waits for the answer to the first.
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._cache.get(key)
            if known is not None:
                self._spending.add(self.config, key, known, is_cached=True)
                return known
            if not self._spending.reserve(self.config, request):
                return OVER_BUDGET
            try:
                answer = await self._endpoint.complete(request)
            except RequestError as error:
                return error.what
            except EndpointError as error:
                self._failures += 1
                if isinstance(error, EndpointRefusedError) or self._failures >= FAILURES_IN_A_ROW:
                    raise
                return error.what
            finally:
                self._spending.release(self.config, request)
            self._failures = 0
            cost = self.config.cost(answer.prompt_tokens, answer.completion_tokens)
            money = cost if self.config.has_price else None
            self._cache.put(key, self.model, answer, money=money)
            self._spending.add(self.config, key, answer, is_cached=False)
            return answer


def as_user(text: str) -> Prompt:
    """One user turn."""
    return (Message(role="user", content=text),)
