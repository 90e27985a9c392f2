"""Golden questions through an endpoint: an answer, or the reason there is none, for every case."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.artifacts.eval_report import Generated
from tunesmith.core.conversation import Case
from tunesmith.core.progress import Progress
from tunesmith.engines.endpoint import Endpoint, Generation
from tunesmith.errors import TunesmithError
from tunesmith.evaluate.config import EvaluateConfig


class Answer(NamedTuple):
    """What a model said to one case."""

    text: str
    problem: str = ""
    """Why there is no answer; such a case is ungraded, not failed."""
    is_cut: bool = False
    """Whether it reached `max_tokens` before its end."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Answers(NamedTuple):
    """One model's answers to all cases, in their order."""

    answers: list[Answer]
    cost: Generated


async def answer_all(
    endpoint: Endpoint,
    model: str,
    cases: Sequence[Case],
    config: EvaluateConfig,
    progress: Progress,
) -> Answers:
    """Greedy answers of one model; a case that fails stops no other."""
    places = asyncio.Semaphore(config.concurrency)
    started = time.monotonic()

    async def answer(case: Case) -> Answer:
        async with places:
            given = await _answer(endpoint, model, case, config)
            progress.advance(1, model)
            return given

    answers = await asyncio.gather(*map(answer, cases))
    cost = Generated(
        seconds=round(time.monotonic() - started, 3),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
    )
    return Answers(list(answers), cost)


async def _answer(endpoint: Endpoint, model: str, case: Case, config: EvaluateConfig) -> Answer:
    request = Generation(
        model=model, messages=case.messages, max_tokens=config.max_tokens, stop=config.stop
    )
    try:
        given = await endpoint.complete(request)
    except (TunesmithError, OSError) as error:
        return Answer("", problem=f"{type(error).__name__}: {error}")
    return Answer(
        given.text,
        is_cut=given.finish_reason == "length",
        prompt_tokens=given.prompt_tokens,
        completion_tokens=given.completion_tokens,
    )
