"""Synthesis: seeds and documents -> new rows in a source file; asks a teacher, filters, and stops at the budget."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.personal_data import holds_personal
from tunesmith.curate.synthesis.asking import Asker
from tunesmith.curate.synthesis.cache import AnswerCache
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.drafts import Draft
from tunesmith.curate.synthesis.judging import (
    Row,
    answer,
    answer_form,
    chosen_graders,
    grade,
    judge,
)
from tunesmith.curate.synthesis.material import (
    existing_questions,
    read_seeds,
    shared_system,
)
from tunesmith.curate.synthesis.output import is_source, need_own_output, write_aside, write_rows
from tunesmith.curate.synthesis.passages import Unread, read_passages
from tunesmith.curate.synthesis.spending import Spending
from tunesmith.curate.synthesis.writing import Aside, Material, Writer
from tunesmith.engines.endpoint import Endpoint
from tunesmith.engines.remote_config import RemoteConfig

FOLDER = "synthesis"
OpenTeacher = Callable[[RemoteConfig], Endpoint]


class Synthesis(NamedTuple):
    """What a run made, and what it cost."""

    output: Path
    rows: int
    aside: dict[str, int]
    """How many were not kept, by the step that set them aside: read, write, novelty, answer, grade, judge."""
    aside_path: Path
    requests: int
    cached: int
    """Requests that an earlier run had paid for."""
    prompt_tokens: int
    """Paid in all runs together, as are the next two."""
    answer_tokens: int
    money: float
    is_exhausted: bool
    """Whether the budget ended it before all was done."""
    is_source: bool
    """Whether `curate.sources` names the output, so that the next curation reads it."""
    unread: Sequence[Unread] = ()
    """Documents that are no text; the teacher was not given them."""


async def run(
    config: CurateConfig,
    plan: SynthesizeConfig,
    workspace: Workspace,
    open_teacher: OpenTeacher,
    *,
    is_quiet: bool = True,
) -> Synthesis:
    """Write the new rows to `plan.output`, whole or not at all; what is not kept lies in the workspace with its reason.

    Every answer is on the disk before it is used: after a kill, the same call asks only what was not answered yet, and
    makes the same rows.

    Args:
        config: The recipe's `curate:` section.
        plan: Its `synthesize:` section.
        workspace: Where seeds are read and answers kept.
        open_teacher: Makes the endpoint of teacher and judge.
        is_quiet: Show no progress.

    Raises:
        DataError: If there is no seed row, or no document, or the output would take the place of other rows.
        EndpointError: If the teacher is down or refuses; what was answered is kept.
    """
    need_own_output(plan, workspace)
    form, graders = answer_form(plan, workspace), chosen_graders(plan, workspace.root)
    seeds = read_seeds(config, plan, workspace)
    passages = read_passages(config, plan, workspace)
    material = Material(
        seeds.rows,
        passages.read,
        [*seeds.written, *existing_questions(config, plan, workspace)],
    )
    folder = workspace.folder(FOLDER)
    cache = _cache(config, folder / "answers.sqlite")
    spending = Spending(plan.budget, cache.paid(partial(_price, plan)))
    endpoints = [open_teacher(plan.teacher)]
    if plan.judge is not None and plan.judge_score is not None:
        endpoints.append(open_teacher(plan.judge))
    try:
        teacher = Asker(plan.teacher, endpoints[0], cache, spending)
        judges = Asker(plan.judge or plan.teacher, endpoints[-1], cache, spending)
        writer = Writer(plan, workspace, material, teacher, is_quiet=is_quiet)
        drafts = [draft for task in plan.tasks for draft in await writer.write(task)]
        system = config.system or shared_system(material.seeds)
        answered = await answer(plan, drafts, system, form, teacher, is_quiet=is_quiet)
        graded = grade(answered.rows, graders)
        judged = await judge(plan, graded.rows, judges, is_quiet=is_quiet)
    finally:
        cache.close()
        for endpoint in endpoints:
            await endpoint.close()
    unread = [_unread(one) for one in passages.unread]
    aside = [*unread, *writer.aside, *answered.aside, *graded.aside, *judged.aside]
    made = _saved(plan, workspace, judged.rows, aside, spending, teacher.model)
    return made._replace(
        is_source=is_source(made.output, config, workspace), unread=passages.unread
    )


def _unread(document: Unread) -> Aside:
    return Aside("read", document.reason, Draft("documents", "", "", made_from=document.file))


def _price(plan: SynthesizeConfig, model: str, prompt_tokens: int, answer_tokens: int) -> float:
    """What a model's tokens cost today; of a model that the plan does not name, as much as the dearer of its own."""
    named = [plan.teacher, plan.judge or plan.teacher]
    known = [one for one in named if one.model == model] or named
    return max(one.cost(prompt_tokens, answer_tokens) for one in known)


def _cache(config: CurateConfig, path: Path) -> AnswerCache:
    """The answers so far; where personal data is masked now, without those that hold some from before it was."""
    is_masking = config.privacy.mode == "mask"
    cache = AnswerCache(path, is_masking=is_masking)
    if is_masking:
        cache.forget_personal(lambda texts: holds_personal(texts, config.privacy))
    return cache


def _saved(
    plan: SynthesizeConfig,
    workspace: Workspace,
    rows: Sequence[Row],
    aside: Sequence[Aside],
    spending: Spending,
    model: str,
) -> Synthesis:
    aside_path = workspace.folder(FOLDER) / "aside.jsonl"
    write_aside(aside_path, aside)
    # Looked at again: a run takes hours, in which the user may have put something there.
    output = need_own_output(plan, workspace)
    write_rows(output, rows, model)
    return Synthesis(
        output,
        len(rows),
        dict(Counter(one.step for one in aside)),
        aside_path,
        spending.requests,
        spending.cached,
        spending.prompt_tokens,
        spending.answer_tokens,
        spending.money,
        spending.is_exhausted,
        is_source=False,
    )
