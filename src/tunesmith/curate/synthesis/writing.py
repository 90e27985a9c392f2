"""From tasks to drafts: the teacher writes questions, and those too near to any other are set aside."""

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.workspace import Workspace
from tunesmith.curate.synthesis.asking import Asker, Reply
from tunesmith.curate.synthesis.config import SynthesizeConfig, TaskConfig
from tunesmith.curate.synthesis.diversity import Neighbourhood
from tunesmith.curate.synthesis.drafts import (
    WRITTEN_AT_ONCE,
    Asked,
    Draft,
    drafts_in,
    questions_about_passages,
    questions_about_seeds,
    questions_like,
)
from tunesmith.curate.synthesis.material import Seed
from tunesmith.curate.synthesis.passages import Passage
from tunesmith.curate.synthesis.templates import prompt_of

ROUND = 8
"""Requests for new questions that are sent together; the next round is shown some of what they brought."""
FRUITLESS_ROUNDS = 2
"""So many rounds without one new question end the search."""


class Aside(NamedTuple):
    """Something the teacher made that is not kept, or a document that it cannot be given."""

    step: str
    reason: str
    draft: Draft
    said: str = ""
    """The reply, where it had not the form asked for."""


class Material(NamedTuple):
    """What there is to start from."""

    seeds: list[Seed]
    passages: list[Passage]
    existing: list[str]
    """Questions that the sources ask besides the seeds."""


class Writer:
    """Writes the drafts of all tasks; remembers every question there is."""

    def __init__(
        self,
        plan: SynthesizeConfig,
        workspace: Workspace,
        material: Material,
        teacher: Asker,
        *,
        is_quiet: bool,
    ) -> None:
        self._plan, self._workspace, self._material = plan, workspace, material
        self._teacher, self._is_quiet = teacher, is_quiet
        self._known = Neighbourhood()
        for question in [*(seed.question for seed in material.seeds), *material.existing]:
            self._known.add(question)
        self.aside: list[Aside] = []

    async def write(self, task: TaskConfig) -> list[Draft]:
        """The new drafts of one task, at most as many as it wants."""
        template = prompt_of(task, self._workspace)
        if task.task == "instructions":
            return await self._invent(task)
        if task.task == "answers":
            return [
                Draft(
                    task.task, template.id, seed.question, "", seed.example.source, seed.group, seed
                )
                for seed in self._material.seeds[: task.count]
            ]
        if task.task == "documents":
            asked = list(questions_about_passages(task, template, self._material.passages))
        else:
            asked = list(
                questions_about_seeds(
                    task, template, self._material.seeds, random_seed=self._plan.seed
                )
            )
        return self._take(asked, await self._ask(task, asked), task.count)

    async def _invent(self, task: TaskConfig) -> list[Draft]:
        """Round by round, until there are enough or nothing new comes; see Wang et al. (2023), Self-Instruct."""
        template = prompt_of(task, self._workspace)
        pool = [(seed.question, seed.example.source) for seed in self._material.seeds]
        found: list[Draft] = []
        number = fruitless = 0
        while len(found) < task.count and fruitless < FRUITLESS_ROUNDS:
            wanted = min(ROUND, -(-(task.count - len(found)) // WRITTEN_AT_ONCE))
            numbers = range(number, number + wanted)
            number += wanted
            asked = list(questions_like(task, template, pool, numbers, random_seed=self._plan.seed))
            replies = await self._ask(task, asked)
            new = self._take(asked, replies, task.count - len(found))
            found += new
            pool += [(draft.question, "") for draft in new]
            fruitless = 0 if new else fruitless + 1
        return found

    async def _ask(self, task: TaskConfig, asked: Sequence[Asked]) -> list[Reply]:
        return await self._teacher.ask_all(
            [one.question for one in asked],
            task.task,
            tries=self._plan.tries,
            is_quiet=self._is_quiet,
        )

    def _take(self, asked: Sequence[Asked], replies: Sequence[Reply], count: int) -> list[Draft]:
        kept: list[Draft] = []
        for one, reply in zip(asked, replies, strict=True):
            if reply.problem:
                self.aside.append(Aside("write", reply.problem, one.draft, reply.text))
                continue
            for draft in drafts_in(one, reply.value):
                reason = self._why_not(draft) or ("more than wanted" if len(kept) >= count else "")
                if reason:
                    self.aside.append(Aside("novelty", reason, draft))
                else:
                    kept.append(draft)
                    self._known.add(draft.question)
        return kept

    def _why_not(self, draft: Draft) -> str:
        nearest = self._known.nearest(draft.question)
        if nearest.similarity <= self._plan.max_similarity:
            return ""
        shown = " ".join(nearest.text.split())[:80]
        return f"{nearest.similarity:.2f} like: {shown}"
