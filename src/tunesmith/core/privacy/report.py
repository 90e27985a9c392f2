"""What was found where, without a letter of it: counts, and the shapes of examples."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tunesmith.core.privacy.legible import Legible
from tunesmith.core.privacy.span import Span
from tunesmith.core.section import Section

SHAPES_PER_TYPE = 3
"""Examples kept of a type."""
LONGEST_SHAPE = 40


class Finding(NamedTuple):
    """One place with personal data, told without it."""

    field: str
    type: str
    shape: str
    """Capitals as X, letters as x, digits as 9: `Xxxxx Xxxxxx`."""


class PrivacyReport(Section):
    """Personal data in some files: how much of which type, in which field, and what was done about it."""

    mode: str
    """`mask`: replaced in all that is stored; `warn`: only counted, in the rows that were looked at."""
    rows: int
    """Rows read."""
    looked_at: int
    with_personal_data: int
    found: dict[str, dict[str, dict[str, int]]]
    """File -> field -> type -> count."""
    shapes: dict[str, tuple[str, ...]]
    """Type -> how some of its examples look, every letter and digit hidden."""

    @property
    def by_type(self) -> dict[str, int]:
        """Count of each type over all files and fields, the commonest first."""
        total: Counter[str] = Counter()
        for fields in self.found.values():
            for types in fields.values():
                total.update(types)
        return dict(total.most_common())

    def as_markdown(self) -> str:
        """The report as a page."""
        what = "replaced" if self.mode == "mask" else "only counted"
        lines = [
            "# Personal data",
            "",
            f"{self.with_personal_data} of {self.looked_at} rows looked at hold some; it was {what}."
            f" {self.rows} rows were read.",
            "",
            "| type | found | how it looks |",
            "|---|---|---|",
        ]
        lines += [
            f"| {kind} | {count} | {', '.join(f'`{shape}`' for shape in self.shapes.get(kind, ()))} |"
            for kind, count in self.by_type.items()
        ]
        lines += ["", "| file | field | type | found |", "|---|---|---|---|"]
        lines += [
            f"| {file} | {field} | {kind} | {count} |"
            for file, fields in self.found.items()
            for field, types in fields.items()
            for kind, count in types.items()
        ]
        return "\n".join(lines) + "\n"


class ReportWriter:
    """Adds up findings row by row."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._rows = self._looked_at = self._with = 0
        self._found: Counter[tuple[str, str, str]] = Counter()
        self._shapes: dict[str, list[str]] = {}

    def add(self, file: str, findings: Iterable[Finding] | None) -> None:
        """One row; None if it was not looked at."""
        self._rows += 1
        if findings is None:
            return
        self._looked_at += 1
        has_some = False
        for finding in findings:
            has_some = True
            self._found[file, finding.field, finding.type] += 1
            shapes = self._shapes.setdefault(finding.type, [])
            if len(shapes) < SHAPES_PER_TYPE and finding.shape not in shapes:
                shapes.append(finding.shape)
        self._with += has_some

    def report(self) -> PrivacyReport:
        """All of it."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for (file, field, kind), count in sorted(self._found.items()):
            found.setdefault(file, {}).setdefault(field, {})[kind] = count
        return PrivacyReport(
            mode=self._mode,
            rows=self._rows,
            looked_at=self._looked_at,
            with_personal_data=self._with,
            found=found,
            shapes={kind: tuple(shapes) for kind, shapes in sorted(self._shapes.items())},
        )


def findings(field: str, text: str, spans: Sequence[Span]) -> list[Finding]:
    """The spans of one field as findings."""
    seen = Legible(text)
    return [Finding(field, span.type, shape(seen.said(span))) for span in spans]


def shape(text: str) -> str:
    """How a text looks, with every letter and digit hidden."""
    hidden = re.sub(r"\d", "9", text)
    hidden = re.sub(r"[^\W\d_]", lambda letter: "X" if letter.group().isupper() else "x", hidden)
    return " ".join(hidden.split())[:LONGEST_SHAPE]
