"""The `curate.synthesize:` section of a recipe."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from tunesmith.core.section import Section
from tunesmith.engines.remote_config import RemoteConfig

TaskKind = Literal["instructions", "documents", "harder", "persona", "paraphrase", "answers"]
GraderChoice = str | dict[str, dict[str, object]]
"""A grader's name, or `{name: {option: value}}`."""


class TaskConfig(Section):
    """One kind of row to make."""

    task: TaskKind
    """`instructions`: new questions in the manner of the seeds; `documents`: questions that a passage answers, with
    the answer; `harder`: a more demanding question from each seed; `persona`: a seed's question as somebody else would
    ask it; `paraphrase`: a seed's question in other words, its answer kept; `answers`: an answer to a seed."""
    count: PositiveInt = 100
    """New rows wanted at most."""
    personas: tuple[str, ...] = ()
    """Who asks, for `persona`; taken in turn."""
    prompt: str | None = None
    """A Jinja file of your own instead of the shipped prompt."""
    temperature: float = Field(0.8, ge=0, le=2)
    """Of the questions; answers are always given at temperature 0."""

    @model_validator(mode="after")
    def _personas_where_they_are_used(self) -> Self:
        if (self.task == "persona") != bool(self.personas):
            raise ValueError("`personas` belong to the task `persona`, and it needs at least one")
        return self


class BudgetConfig(Section):
    """What may ever be paid in this workspace, whatever for; a run stops before a request that could go beyond."""

    tokens: PositiveInt | None = None
    """Prompt and answer tokens of all models together."""
    money: PositiveFloat | None = None
    """In the currency of the prices, at the prices of the time."""

    @model_validator(mode="after")
    def _is_a_limit(self) -> Self:
        if self.tokens is None and self.money is None:
            raise ValueError("give `tokens`, `money` or both")
        return self


class SynthesizeConfig(Section):
    """Which rows a teacher makes, from what, at what cost, and which of them are good enough."""

    teacher: RemoteConfig
    """The model that writes."""
    tasks: tuple[TaskConfig, ...] = Field(min_length=1)
    """What it writes."""
    seeds: tuple[str, ...] = ()
    """Sources of the seed rows; by default those of `curate.sources`."""
    documents: tuple[str, ...] = ()
    """Text, Markdown or HTML files for the task `documents`."""
    output: str = "data/synthetic.jsonl"
    """The rows, as a source for `curate`; never taken as seeds."""
    answer_tokens: PositiveInt = 1_024
    """Longest answer, in tokens; longer ones are cut, and set aside."""
    answer_schema: str | None = None
    """JSON Schema file that answers must fit; sent along where the endpoint takes it, and always checked."""
    max_similarity: float = Field(0.7, gt=0, le=1)
    """Largest share of letter sequences that a new question may have in common with any other."""
    graders: tuple[GraderChoice, ...] = ()
    """Graders that an answer must pass, such as `regex` or your own function; there is no expected answer."""
    judge: RemoteConfig | None = None
    """The model that judges; by default the teacher."""
    judge_score: int | None = Field(None, ge=1, le=5)
    """Lowest score from 1 to 5 that a row is kept with; without it nothing is judged."""
    budget: BudgetConfig | None = None
    """When to stop; without it, when all is done."""
    tries: PositiveInt = 2
    """How often a request is asked whose answer has not the form that was asked for."""
    seed: int = 0
    """Another seed draws other seed rows together."""

    @model_validator(mode="after")
    def _documents_where_they_are_used(self) -> Self:
        uses = any(task.task == "documents" for task in self.tasks)
        if uses != bool(self.documents):
            raise ValueError("`documents` belong to the task `documents`, and it needs some")
        money = self.budget is not None and self.budget.money is not None
        judge = self.judge or self.teacher
        for name, model in (("teacher", self.teacher), ("judge", judge)):
            if money and not (model.prompt_price or model.answer_price):
                raise ValueError(
                    f"a budget in money needs `prompt_price` and `answer_price` of the {name}"
                )
        return self
