"""GoldenSet: the questions a model is judged by, frozen under their own id and kept out of training."""

from typing import ClassVar

from tunesmith.artifacts.artifact import Artifact, read_lines, write_lines
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Case
from tunesmith.core.workspace import Workspace


class GoldenSet(Artifact):
    """A golden set version; its id depends on questions, reference answers and their order alone."""

    kind: ClassVar[str] = "golden_sets"

    count: int
    origin: str
    """The file it was read from, or `held out of the sources`."""
    rejected: int = 0
    """Rows of that file that are no case; each is in `rejected.jsonl` with its reason."""

    @staticmethod
    def id_of(cases: list[Case]) -> str:
        """The id these cases have, on any machine."""
        return fingerprint.short_id("gold", [case.key for case in cases])

    def cases(self, workspace: Workspace) -> list[Case]:
        """The cases, in their fixed order."""
        return [
            Case.model_validate(row) for row in read_lines(self.folder(workspace) / "cases.jsonl")
        ]

    def write_cases(self, workspace: Workspace, cases: list[Case]) -> None:
        """Put the cases beside the manifest."""
        write_lines(
            self.folder(workspace) / "cases.jsonl", [case.model_dump(mode="json") for case in cases]
        )

    def write_rejected(self, workspace: Workspace, rows: list[dict[str, object]]) -> None:
        """Put the rows that are no case beside the manifest."""
        write_lines(self.folder(workspace) / "rejected.jsonl", rows)
