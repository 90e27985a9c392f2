"""Drafts: new questions, before they have been answered and judged; each knows what it was made from."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tunesmith.curate.synthesis import replies
from tunesmith.curate.synthesis.asking import Question, as_user
from tunesmith.curate.synthesis.config import TaskConfig
from tunesmith.curate.synthesis.material import Seed
from tunesmith.curate.synthesis.passages import Passage
from tunesmith.curate.synthesis.templates import PromptTemplate

SHOWN_QUESTIONS = 6
"""Questions shown to a teacher that writes new ones, and how many it writes at once.
Source: Wang et al. (2023), Self-Instruct, shows 8; fewer fit small models."""
WRITTEN_AT_ONCE = 5
PAIRS_PER_PASSAGE = 5
QUESTION_TOKENS = 1_024
"""Longest reply with new questions, in tokens."""


class Draft(NamedTuple):
    """A question to be answered, or answered already."""

    task: str
    prompt_id: str
    question: str
    answer: str = ""
    """Known for questions from documents and for paraphrases."""
    made_from: str = ""
    """Seed row or passage, as `file:line`; several are parted by spaces."""
    group: str = ""
    seed: Seed | None = None


class Asked(NamedTuple):
    """A question to the teacher, and what its reply is made into."""

    question: Question
    draft: Draft
    """Everything but the new question."""


def questions_about_seeds(
    task: TaskConfig, template: PromptTemplate, seeds: Sequence[Seed], *, random_seed: int
) -> Iterator[Asked]:
    """One request a seed, in an order drawn from `random_seed`; personas in turn."""
    order = [seed for seed in seeds if seed.has_answer or task.task != "paraphrase"]
    random.Random(f"{random_seed}/{task.task}").shuffle(order)  # noqa: S311  # no secret
    for number, seed in enumerate(order[: task.count]):
        persona = task.personas[number % len(task.personas)] if task.personas else ""
        text = template.render(question=seed.question, persona=persona)
        draft = Draft(
            task.task,
            template.id,
            "",
            answer=seed.example.answer if task.task == "paraphrase" else "",
            made_from=seed.example.source,
            group=seed.group,
            seed=seed,
        )
        yield Asked(_question(task, text, replies.INSTRUCTION), draft)


def questions_about_passages(
    task: TaskConfig, template: PromptTemplate, passages: Sequence[Passage]
) -> Iterator[Asked]:
    """As many requests as it takes for `count` pairs, the same number from each passage."""
    each = min(PAIRS_PER_PASSAGE, -(-task.count // max(1, len(passages))))
    for passage in passages[: -(-task.count // each)]:
        text = template.render(passage=passage.text, count=each)
        draft = Draft(task.task, template.id, "", made_from=passage.source, group=passage.group)
        yield Asked(_question(task, text, replies.PAIRS), draft)


def questions_like(
    task: TaskConfig,
    template: PromptTemplate,
    pool: Sequence[tuple[str, str]],
    numbers: Sequence[int],
    *,
    random_seed: int,
) -> Iterator[Asked]:
    """Requests for new questions, each shown other ones of the pool.

    Args:
        task: How many and how hot.
        template: The prompt.
        pool: Questions with where they come from.
        numbers: Of the requests; the same number draws the same questions from the same pool.
        random_seed: Another one draws others.
    """
    for number in numbers:
        draw = random.Random(f"{random_seed}/{task.task}/{number}")  # noqa: S311  # no secret
        shown = draw.sample(list(pool), min(SHOWN_QUESTIONS, len(pool)))
        text = template.render(questions=[question for question, _ in shown], count=WRITTEN_AT_ONCE)
        sources = " ".join(source for _, source in shown if source)
        draft = Draft(task.task, template.id, "", made_from=sources)
        yield Asked(_question(task, text, replies.INSTRUCTIONS), draft)


def drafts_in(asked: Asked, value: object) -> list[Draft]:
    """The drafts in a reply that has the form asked for."""
    if not isinstance(value, dict):
        return []
    if "pairs" in value:
        return [
            asked.draft._replace(question=pair["question"].strip(), answer=pair["answer"].strip())
            for pair in value["pairs"]
        ]
    texts = value["instructions"] if "instructions" in value else [value["instruction"]]
    return [asked.draft._replace(question=text.strip()) for text in texts if text.strip()]


def _question(task: TaskConfig, text: str, schema: dict[str, object]) -> Question:
    return Question(
        as_user(text),
        QUESTION_TOKENS,
        replies.fitting(schema),
        temperature=task.temperature,
        json_schema=schema,
    )
