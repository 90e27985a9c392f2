"""Forecast: what a synthesis will ask, and at most cost, without asking anything."""

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.synthesis.asking import Question
from tunesmith.curate.synthesis.config import SynthesizeConfig, TaskConfig
from tunesmith.curate.synthesis.drafts import (
    WRITTEN_AT_ONCE,
    questions_about_passages,
    questions_about_seeds,
    questions_like,
)
from tunesmith.curate.synthesis.judging import VERDICT_TOKENS, answer_form, chosen_graders
from tunesmith.curate.synthesis.material import read_seeds, shared_system
from tunesmith.curate.synthesis.output import need_own_output
from tunesmith.curate.synthesis.passages import Unread, read_passages
from tunesmith.curate.synthesis.spending import CHARACTERS_PER_TOKEN
from tunesmith.curate.synthesis.templates import prompt_of, shipped
from tunesmith.curate.synthesis.writing import Material
from tunesmith.engines.remote_config import RemoteConfig


class Step(NamedTuple):
    """Requests of one kind."""

    name: str
    requests: int
    prompt_tokens: int
    answer_tokens: int
    """At most: every answer at its limit."""
    money: float
    example: str
    """The first request's text."""


class Forecast(NamedTuple):
    """All requests of a synthesis."""

    teacher: str
    seeds: int
    steps: list[Step]
    unread: list[Unread]
    """Documents that are no text."""

    @property
    def money(self) -> float:
        """At most."""
        return sum(step.money for step in self.steps)

    @property
    def tokens(self) -> int:
        """At most."""
        return sum(step.prompt_tokens + step.answer_tokens for step in self.steps)


def forecast(config: CurateConfig, plan: SynthesizeConfig, workspace: Workspace) -> Forecast:
    """What `stage.run` would ask if every first reply had its form and every question was new.

    Raises:
        DataError: If there is no seed row, or no document, or the output would take the place of other rows.
        RecipeError: If a prompt, schema or grader cannot be used.
    """
    need_own_output(plan, workspace)
    answer_form(plan, workspace)
    chosen_graders(plan, workspace.root)
    seeds = read_seeds(config, plan, workspace)
    passages = read_passages(config, plan, workspace)
    material = Material(seeds.rows, passages.read, [])
    steps: list[Step] = []
    answers = rows = 0
    for task in plan.tasks:
        questions = _questions(task, plan, workspace, material)
        if questions:
            steps.append(_step(task.task, plan.teacher, questions))
        made = min(task.count, len(material.seeds)) if task.task != "instructions" else task.count
        made = task.count if task.task == "documents" else made
        rows += made
        answers += made if task.task not in {"documents", "paraphrase"} else 0
    system = config.system or shared_system(material.seeds)
    about = sum(len(seed.question) for seed in material.seeds) // len(material.seeds)
    if answers:
        example = material.seeds[0].question
        prompt = about // CHARACTERS_PER_TOKEN + len(system or "") // CHARACTERS_PER_TOKEN
        steps.append(_many("answers", plan.teacher, answers, prompt, plan.answer_tokens, example))
    if plan.judge_score is not None:
        first = material.seeds[0]
        example = shipped("judge").render(
            system=system or "", question=first.question, answer=first.example.answer
        )
        prompt = len(example) // CHARACTERS_PER_TOKEN + plan.answer_tokens
        judge = plan.judge or plan.teacher
        steps.append(_many("judge", judge, rows, prompt, VERDICT_TOKENS, example))
    teacher = plan.teacher.model or "the recipe's base model"
    return Forecast(teacher, len(material.seeds), steps, passages.unread)


def _questions(
    task: TaskConfig, plan: SynthesizeConfig, workspace: Workspace, material: Material
) -> list[Question]:
    template = prompt_of(task, workspace)
    if task.task == "answers":
        return []
    if task.task == "instructions":
        pool = [(seed.question, seed.example.source) for seed in material.seeds]
        numbers = range(-(-task.count // WRITTEN_AT_ONCE))
        asked = list(questions_like(task, template, pool, numbers, random_seed=plan.seed))
    elif task.task == "documents":
        asked = list(questions_about_passages(task, template, material.passages))
    else:
        asked = list(questions_about_seeds(task, template, material.seeds, random_seed=plan.seed))
    return [one.question for one in asked]


def _step(name: str, config: RemoteConfig, questions: Sequence[Question]) -> Step:
    texts = [question.messages[-1].content for question in questions]
    prompt = sum(map(len, texts)) // CHARACTERS_PER_TOKEN
    answer = sum(question.max_tokens for question in questions)
    return Step(name, len(questions), prompt, answer, config.cost(prompt, answer), texts[0])


def _many(
    name: str, config: RemoteConfig, requests: int, prompt: int, answer: int, example: str
) -> Step:
    prompt, answer = requests * prompt, requests * answer
    return Step(name, requests, prompt, answer, config.cost(prompt, answer), example)
