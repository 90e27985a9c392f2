"""EvalReport: a tuned model beside its base on the same golden set, and how sure the change is."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from tunesmith.artifacts.artifact import Artifact
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace


class Rate(Section):
    """How one subject did under one grader."""

    passed: int
    graded: int
    """Cases that received a grade; ungraded ones are not counted as failures."""
    ungraded: int
    mean: float
    """Mean score of the graded cases; passed / graded for pass-or-fail graders."""
    low: float
    high: float
    """Ends of the 95% interval: Wilson for pass-or-fail graders."""


class Change(Section):
    """Tuned minus base, over the cases that both have a grade for."""

    mean: float
    low: float
    high: float
    """Ends of the 95% interval of the paired difference."""
    only_base: int
    """Cases that the base passes and the tuned model fails."""
    only_tuned: int
    """Cases that the tuned model passes and the base fails."""
    p_value: float | None
    """Exact McNemar for pass-or-fail graders, else None."""


class GraderResult(Section):
    """Both subjects under one grader."""

    grader: str
    is_secondary: bool
    """Shown for insight; decides nothing."""
    base: Rate
    tuned: Rate
    change: Change


class Generated(Section):
    """What one subject's answers cost."""

    seconds: float
    prompt_tokens: int
    completion_tokens: int


class EvalReport(Artifact):
    """A tuned model compared with its base; page and graded cases lie beside the manifest."""

    kind: ClassVar[str] = "reports"

    adapter_id: str
    dataset_id: str
    golden_set_id: str
    base_name: str
    tuned_name: str
    results: tuple[GraderResult, ...] = Field(min_length=1)
    """One for each grader; the first is the one that decides."""
    base_cost: Generated
    tuned_cost: Generated

    @property
    def primary(self) -> GraderResult:
        """The result that decides whether the tuned model is better."""
        return self.results[0]

    def html_path(self, workspace: Workspace) -> Path:
        """The report as one self-contained page."""
        return self.folder(workspace) / "report.html"

    def cases_path(self, workspace: Workspace) -> Path:
        """One JSON line for each case: question, both answers, every grade."""
        return self.folder(workspace) / "cases.jsonl"
