"""From drafts to rows: answered by the teacher, checked by graders and by a judge; what fails is kept aside."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.conversation import Message, Prompt
from tunesmith.core.workspace import Workspace
from tunesmith.curate.synthesis import replies
from tunesmith.curate.synthesis.asking import Asker, Check, Question, as_user
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.drafts import Draft
from tunesmith.curate.synthesis.templates import shipped
from tunesmith.curate.synthesis.writing import Aside
from tunesmith.errors import RecipeError
from tunesmith.graders.grade import Grader, UngradableError, passed
from tunesmith.graders.known import get_grader

VERDICT_TOKENS = 300


class Row(NamedTuple):
    """A finished row, before it is written."""

    draft: Draft
    messages: Prompt
    verdict: str = ""
    """The judge's reason."""
    score: int | None = None


class Outcome(NamedTuple):
    """What became of drafts."""

    rows: list[Row]
    aside: list[Aside]


class AnswerForm(NamedTuple):
    """What answers must look like."""

    schema: dict[str, Any] | None
    check: Check


async def answer(
    plan: SynthesizeConfig,
    drafts: Sequence[Draft],
    system: str | None,
    form: AnswerForm,
    teacher: Asker,
    *,
    is_quiet: bool,
) -> Outcome:
    """Rows of the drafts, the teacher's answer where there is none yet."""
    open_drafts = [draft for draft in drafts if not draft.answer]
    asked = [
        Question(_prompt(draft, system), plan.answer_tokens, form.check, 0.0, form.schema)
        for draft in open_drafts
    ]
    given = await teacher.ask_all(asked, "answers", tries=plan.tries, is_quiet=is_quiet)
    answers = dict(zip(map(id, open_drafts), given, strict=True))
    outcome = Outcome([], [])
    for draft in drafts:
        reply = answers.get(id(draft))
        if reply is not None and reply.problem:
            outcome.aside.append(Aside("answer", reply.problem, draft, reply.text))
            continue
        said = draft.answer if reply is None else _as_text(reply.value)
        last = Message(role="assistant", content=said)
        outcome.rows.append(Row(draft, (*_prompt(draft, system), last)))
    return outcome


def grade(rows: Sequence[Row], graders: Mapping[str, Grader]) -> Outcome:
    """The rows whose answers pass every grader."""
    outcome = Outcome([], [])
    for row in rows:
        problem = next(
            filter(None, (_why_not(row, name, one) for name, one in graders.items())), ""
        )
        if problem:
            outcome.aside.append(Aside("grade", problem, row.draft, row.messages[-1].content))
        else:
            outcome.rows.append(row)
    return outcome


async def judge(
    plan: SynthesizeConfig, rows: Sequence[Row], judge: Asker, *, is_quiet: bool
) -> Outcome:
    """The rows that the judge gives at least `judge_score`; all of them where none is asked for."""
    if plan.judge_score is None:
        return Outcome(list(rows), [])
    template = shipped("judge")
    asked = [
        Question(
            as_user(
                template.render(
                    system=row.messages[0].content if row.messages[0].role == "system" else "",
                    question=row.draft.question,
                    answer=row.messages[-1].content,
                )
            ),
            VERDICT_TOKENS,
            replies.fitting(replies.VERDICT),
            0.0,
            replies.VERDICT,
        )
        for row in rows
    ]
    verdicts = await judge.ask_all(asked, "judge", tries=plan.tries, is_quiet=is_quiet)
    outcome = Outcome([], [])
    for row, reply in zip(rows, verdicts, strict=True):
        verdict = reply.value if isinstance(reply.value, dict) else {}
        score, reason = verdict.get("score", 0), verdict.get("reason", "")
        said = row.messages[-1].content
        if reply.problem:
            outcome.aside.append(Aside("judge", f"not judged: {reply.problem}", row.draft, said))
        elif score < plan.judge_score:
            outcome.aside.append(Aside("judge", f"scored {score}: {reason}", row.draft, said))
        else:
            outcome.rows.append(row._replace(verdict=str(reason), score=score))
    return outcome


def answer_form(plan: SynthesizeConfig, workspace: Workspace) -> AnswerForm:
    """What the recipe wants answers to look like.

    Raises:
        RecipeError: If the schema file is missing or holds no JSON Schema.
    """
    if plan.answer_schema is None:
        return AnswerForm(None, replies.any_text)
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    path = workspace.path_of(plan.answer_schema)
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        reason = f"{plan.answer_schema}: {getattr(error, 'message', error)}"
        raise RecipeError("curate.synthesize.answer_schema", [reason]) from error
    return AnswerForm(schema, replies.fitting(schema))


def chosen_graders(plan: SynthesizeConfig, root: Path) -> dict[str, Grader]:
    """The graders of the recipe by name.

    Raises:
        UnknownNameError: If there is no such grader.
        RecipeError: If an option does not exist or has no good value.
    """
    made: dict[str, Grader] = {}
    for choice in plan.graders:
        options = {choice: {}} if isinstance(choice, str) else choice
        made |= {name: get_grader(name, values, root=root) for name, values in options.items()}
    return made


def _why_not(row: Row, name: str, grader: Grader) -> str:
    try:
        found = grader(row.messages[-1].content, "")
    except UngradableError as error:
        return f"{name} cannot grade it: {error}"
    return "" if passed(found.score) else f"{name}: {found.reason}"


def _prompt(draft: Draft, system: str | None) -> Prompt:
    """What is asked: the seed's own conversation with the new question last, or the question alone."""
    last = Message(role="user", content=draft.question)
    if draft.seed is not None:
        return (*draft.seed.example.prompt[:-1], last)
    return (Message(role="system", content=system), last) if system else (last,)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
