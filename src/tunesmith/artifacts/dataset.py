"""Dataset: what a model learns from, cut into training and validation, under a hash of its content."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tunesmith.artifacts.artifact import Artifact, read_lines, write_lines
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, Pair, Thumb, example_of
from tunesmith.core.privacy.report import PrivacyReport
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace, write_text

PRIVACY_REPORT = "privacy.json"
Split = Literal["train", "validation"]


class Source(Section):
    """One raw file and what became of its rows; accepted + rejected + removed = read."""

    path: str
    sha256: str
    format: str
    """As recognised: `instruction`, `chat`, `sharegpt`, `prompt-completion`, `pair`, `thumb`."""
    read: int
    accepted: int
    """Rows in the dataset, or held out as golden cases."""
    rejected: int
    """Rows that are no example: unreadable, unanswered, too long."""
    removed: int = 0
    """Good rows that a rule left out."""
    guessed_encoding: str = ""
    """What it was read in, where nothing but its bytes said so."""


class LengthStatistics(Section):
    """How long examples are, in characters or in tokens."""

    total: int
    median: int
    longest: int


class VerdictCounts(Section):
    """How many rows are verdicts, by kind; both splits together."""

    pairs: int = 0
    """Two answers to one prompt, one preferred."""
    thumbs_up: int = 0
    thumbs_down: int = 0

    @classmethod
    def of(cls, rows: list[Example]) -> "VerdictCounts":
        """Counted over all rows."""
        thumbs = [row.is_good for row in rows if isinstance(row, Thumb)]
        return cls(
            pairs=sum(isinstance(row, Pair) for row in rows),
            thumbs_up=thumbs.count(True),
            thumbs_down=thumbs.count(False),
        )


class Dataset(Artifact):
    """A dataset version. Its id depends on the rows, their order, the split and nothing else.

    A row is an example to imitate, or a verdict: a pair or a thumb.
    """

    kind: ClassVar[str] = "datasets"

    train_count: int
    """Rows to learn from, verdicts included."""
    validation_count: int
    verdicts: VerdictCounts = VerdictCounts()
    sources: tuple[Source, ...]
    removed: dict[str, int] = Field({})
    """Good rows that were left out, by rule: `duplicate`, `golden`, …; each is in `removed.jsonl` with its witness."""
    unused_mappings: tuple[str, ...] = ()
    """Patterns of the recipe's mappings that fitted no source."""
    held_out: int = 0
    """Rows that became golden cases."""
    characters: LengthStatistics
    tokens: LengthStatistics | None = None
    """In the base model's tokens, chat template included; not part of the id."""

    def examples_path(self, workspace: Workspace, split: Split) -> Path:
        """JSON Lines of the examples of one split."""
        return self.folder(workspace) / f"{split}.jsonl"

    def golden_path(self, workspace: Workspace) -> Path:
        """JSON Lines of the rows held out as golden cases, as examples; empty where a golden file is named."""
        return self.folder(workspace) / "golden.jsonl"

    @staticmethod
    def id_of(train: list[Example], validation: list[Example]) -> str:
        """The id these examples have, on any machine."""
        keys = [[example.key for example in split] for split in (train, validation)]
        return fingerprint.short_id("ds", keys)

    def rows(self, workspace: Workspace, split: Split) -> list[Example]:
        """Examples, pairs and thumbs of one split, in their fixed order."""
        return [example_of(row) for row in read_lines(self.examples_path(workspace, split))]

    def examples(self, workspace: Workspace, split: Split) -> list[Example]:
        """The rows that are to be imitated; never a verdict, whose answer may be a bad one."""
        return [row for row in self.rows(workspace, split) if type(row) is Example]

    def write_examples(self, workspace: Workspace, split: Split, examples: list[Example]) -> None:
        """Put the rows of one split beside the manifest."""
        rows = [example.model_dump(mode="json") for example in examples]
        write_lines(self.examples_path(workspace, split), rows)

    def write_privacy_report(self, workspace: Workspace, report: PrivacyReport) -> None:
        """Put what is known of personal data beside the manifest, for programs and for people."""
        path = self.folder(workspace) / PRIVACY_REPORT
        write_text(path, report.model_dump_json(indent=2) + "\n")
        write_text(path.with_suffix(".md"), report.as_markdown())

    def privacy_report(self, workspace: Workspace) -> PrivacyReport | None:
        """What personal data was found, or None where nobody looked (`curate.privacy.mode: off`)."""
        path = self.folder(workspace) / PRIVACY_REPORT
        return (
            PrivacyReport.model_validate_json(path.read_text("utf-8")) if path.is_file() else None
        )

    def rejected_path(self, workspace: Workspace) -> Path:
        """JSON Lines of every row that is no example: file, line, reason and its beginning."""
        return self.folder(workspace) / "rejected.jsonl"

    def removed_path(self, workspace: Workspace) -> Path:
        """JSON Lines of every good row left out; see `RemovedRow`."""
        return self.folder(workspace) / "removed.jsonl"

    def card_path(self, workspace: Workspace) -> Path:
        """What the dataset covers, as one page; made on demand."""
        return self.folder(workspace) / "card.html"

    def removed_rows(self, workspace: Workspace, rule: str | None = None) -> Iterator["RemovedRow"]:
        """The good rows left out, in the order in which they were read; of one rule, if it is named."""
        with self.removed_path(workspace).open(encoding="utf-8") as lines:
            for line in lines:
                row = RemovedRow.of(json.loads(line))
                if rule in {None, row.rule}:
                    yield row


class RemovedRow(Section):
    """A good row that a rule left out, and why."""

    key: str
    """The example's key: what `curate.keep` and `tunesmith curate restore` take."""
    rule: str
    reason: str
    score: float
    """How sure the rule is, from 0 to 1; of a duplicate its similarity to the witness."""
    witness: str = ""
    """Where the other row lies, the one that it repeats or gives away."""
    witness_key: str = ""
    example: Example

    @classmethod
    def of(cls, row: dict[str, Any]) -> "RemovedRow":
        """The row as `removed.jsonl` holds it; its example may be a pair or a thumb."""
        return cls.model_construct(**{**row, "example": example_of(row["example"])})
