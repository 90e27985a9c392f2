"""The evaluate stage: GoldenSet x Endpoint x graders -> EvalReport."""

from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.eval_report import EvalReport, GraderResult
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Case
from tunesmith.core.progress import track
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.engines.endpoint import Endpoint
from tunesmith.evaluate.comparison import compare
from tunesmith.evaluate.config import EvaluateConfig
from tunesmith.evaluate.generation import Answers, answer_all
from tunesmith.evaluate.grading import CaseGrade, grade_all, make_graders
from tunesmith.evaluate.report import CaseView, render


class Subject(NamedTuple):
    """Who is compared with whom, by the names the endpoint knows."""

    adapter: Adapter
    base_name: str
    tuned_name: str


class _Measured(NamedTuple):
    cases: list[Case]
    base: Answers
    tuned: Answers
    grades: dict[str, tuple[list[CaseGrade], list[CaseGrade]]]
    """By grader: the base's grades, the tuned model's."""


async def run(
    config: EvaluateConfig,
    workspace: Workspace,
    golden_set: GoldenSet,
    endpoint: Endpoint,
    subject: Subject,
    *,
    is_quiet: bool = False,
) -> EvalReport:
    """Ask base and tuned model the golden questions, grade and compare; saves the report and its page.

    Raises:
        UnknownNameError: If a grader does not exist.
        RecipeError: If a grader's options are no good.
    """
    graders = make_graders(config, workspace.root)
    cases = golden_set.cases(workspace)
    with track("evaluating", 2 * len(cases), is_quiet=is_quiet) as progress:
        base = await answer_all(endpoint, subject.base_name, cases, config, progress)
        tuned = await answer_all(endpoint, subject.tuned_name, cases, config, progress)
    grades = {
        name: (grade_all(grader, cases, base.answers), grade_all(grader, cases, tuned.answers))
        for name, grader in graders.items()
    }
    measured = _Measured(cases, base, tuned, grades)
    results = tuple(
        compare(name, base=pair[0], tuned=pair[1], is_secondary=name in config.secondary)
        for name, pair in grades.items()
    )
    return _save(config, workspace, golden_set, subject, measured, results)


def _save(
    config: EvaluateConfig,
    workspace: Workspace,
    golden_set: GoldenSet,
    subject: Subject,
    measured: _Measured,
    results: tuple[GraderResult, ...],
) -> EvalReport:
    adapter = subject.adapter
    answers = [[given.text for given in side.answers] for side in (measured.base, measured.tuned)]
    content = [adapter.id, golden_set.id, config.model_dump(mode="json"), answers]
    report = EvalReport(
        id=fingerprint.short_id("eval", content),
        parents=(adapter.id, golden_set.id),
        adapter_id=adapter.id,
        dataset_id=adapter.dataset_id,
        golden_set_id=golden_set.id,
        base_name=subject.base_name,
        tuned_name=subject.tuned_name,
        results=results,
        base_cost=measured.base.cost,
        tuned_cost=measured.tuned.cost,
    )
    views = _views(measured)
    write_lines(report.cases_path(workspace), [view.model_dump(mode="json") for view in views])
    page = render(report, adapter, views, plot=adapter.plot_path(workspace))
    write_text(report.html_path(workspace), page)
    return report.save(workspace)


def _views(measured: _Measured) -> list[CaseView]:
    names = list(measured.grades)
    return [
        CaseView(
            number=index + 1,
            messages=case.messages,
            expected=case.expected,
            tags=case.tags,
            base=measured.base.answers[index].text,
            tuned=measured.tuned.answers[index].text,
            is_base_cut=measured.base.answers[index].is_cut,
            is_tuned_cut=measured.tuned.answers[index].is_cut,
            base_scores={name: measured.grades[name][0][index].score for name in names},
            tuned_scores={name: measured.grades[name][1][index].score for name in names},
            base_reason=measured.grades[names[0]][0][index].reason,
            tuned_reason=measured.grades[names[0]][1][index].reason,
        )
        for index, case in enumerate(measured.cases)
    ]
