"""The report as one page that needs nothing else: verdict, intervals, curves, then case by case."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.eval_report import EvalReport, GraderResult
from tunesmith.core.conversation import Prompt
from tunesmith.core.section import Section
from tunesmith.core.statistics import wilson_interval

Outcome = Literal["both", "gained", "lost", "neither", "ungraded"]
OUTCOMES: dict[Outcome, str] = {
    "gained": "only tuned right",
    "lost": "only base right",
    "both": "both right",
    "neither": "both wrong",
    "ungraded": "ungraded",
}


class CaseView(Section):
    """One case as it is shown and kept in `cases.jsonl`."""

    number: int
    messages: Prompt
    expected: str
    tags: tuple[str, ...]
    base: str
    tuned: str
    is_base_cut: bool
    """Whether the answer reached its token limit before its end."""
    is_tuned_cut: bool
    base_scores: dict[str, float | None]
    """By grader; None where ungraded."""
    tuned_scores: dict[str, float | None]
    base_reason: str
    """What the deciding grader says."""
    tuned_reason: str

    @property
    def question(self) -> str:
        """The turn that is answered."""
        return self.messages[-1].content

    def outcome(self, grader: str) -> Outcome:
        """Who got it right under one grader."""
        base, tuned = self.base_scores[grader], self.tuned_scores[grader]
        if base is None or tuned is None:
            return "ungraded"
        if base >= 1:
            return "both" if tuned >= 1 else "lost"
        return "gained" if tuned >= 1 else "neither"


class TagRow(NamedTuple):
    """Results within one group of cases."""

    tag: str
    cases: int
    base: float
    tuned: float
    low: float
    high: float
    """Wilson interval of the tuned rate."""


def render(report: EvalReport, adapter: Adapter, cases: Sequence[CaseView], *, plot: Path) -> str:
    """The whole page as HTML; every text from outside is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tunesmith", "evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.1f} %"
    environment.filters["points"] = lambda value: f"{100 * value:+.1f}"
    grader = report.primary.grader
    return environment.get_template("report.html.j2").render(
        report=report,
        adapter=adapter,
        verdict=verdict(report.primary),
        cases=[(case, case.outcome(grader)) for case in cases],
        counts={name: sum(case.outcome(grader) == name for case in cases) for name in OUTCOMES},
        outcomes=OUTCOMES,
        tags=by_tag(cases, grader),
        plot=base64.b64encode(plot.read_bytes()).decode() if plot.is_file() else "",
    )


def verdict(result: GraderResult) -> str:
    """One sentence: better, worse, or not known."""
    change = result.change
    if not (result.base.graded and result.tuned.graded):
        return "Nothing could be graded."
    if change.low > 0:
        return "The tuned model is better than its base."
    if change.high < 0:
        return "The tuned model is worse than its base."
    return "No difference is proven: the interval of the change holds zero."


def by_tag(cases: Sequence[CaseView], grader: str) -> list[TagRow]:
    """The deciding grader's rates within each tag, weakest first."""
    rows = []
    for tag in sorted({tag for case in cases for tag in case.tags}):
        graded = [
            (case.base_scores[grader], case.tuned_scores[grader])
            for case in cases
            if tag in case.tags and case.outcome(grader) != "ungraded"
        ]
        if graded:
            base = sum((before or 0) >= 1 for before, _ in graded)
            tuned = sum((after or 0) >= 1 for _, after in graded)
            count = len(graded)
            rows.append(
                TagRow(tag, count, base / count, tuned / count, *wilson_interval(tuned, count))
            )
    return sorted(rows, key=lambda row: (row.tuned, row.tag))
