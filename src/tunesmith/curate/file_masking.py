"""`tunesmith curate mask`: one field of every row of a file, masked; as a stream, in order, on all cores."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.detector import detector
from tunesmith.core.privacy.legible import Legible
from tunesmith.core.privacy.masking import mask
from tunesmith.core.privacy.report import Finding, PrivacyReport, ReportWriter, findings
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.stand_ins import is_country, is_stand_in
from tunesmith.core.progress import track
from tunesmith.core.text import is_json
from tunesmith.core.workspace import open_whole, write_text
from tunesmith.curate.fan_out import fan_out
from tunesmith.curate.mapping import Mapping
from tunesmith.curate.reading import read_rows
from tunesmith.curate.refining import about_rows, batched
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.curate.row_file import as_line, row_file
from tunesmith.curate.turns import ROLES, TOOL_ROLES, kind_of
from tunesmith.errors import DataError, PersonalDataError

AS_THEY_STAND = (Mapping(question="", answer=""),)
"""Rows that a mapping fits are given as they stand: messages of a table are not put together to threads."""
ROWS_PER_JOB = 256
"""Enough for the language model's batches, few enough that a small file keeps all cores busy."""
WORTH_ALL_CORES = 250_000
"""Bytes; what a smaller file holds is masked before another process has loaded its language model."""
TEXT_KEYS = ("content", "value", "text")
"""Where a turn of a chat holds its text."""
VAGUE = frozenset({"AGE", "DATE_TIME", "NRP", "TITLE"})
"""Types that point at nobody by themselves, and whose stand-ins look like any other: a check passes over them."""


class MaskedRow(NamedTuple):
    """A row of the file with its field masked."""

    line: int
    masked: str | list[str] | None
    """The text, or the turns of a chat, or what else the field holds, as JSON; None where it holds nothing, or the row
    could not be read."""
    spans: list[Span] | list[list[Span]]
    """Where personal data stood in the text, or in each turn."""
    findings: list[Finding]
    is_clean: bool
    """No span but stand-ins, and types that point at nobody."""
    error: str = ""
    value: object = None
    """The whole row with the masked field in its place."""
    has_field: bool = True

    def as_json(self) -> str:
        """One line: where the row begins, what it says now, and where personal data stood."""
        told: dict[str, object] = {
            "line": self.line,
            "masked": self.masked,
            "spans": [_as_dict(span) for span in self.spans],
        }
        if self.error:
            told["error"] = self.error
        return as_line(told)


class Job(NamedTuple):
    """Consecutive rows of the file."""

    number: int
    config: PrivacyConfig
    field: str
    rows: Sequence[RawRow | Rejected]


class FileMasking:
    """The masking of one field of one file."""

    def __init__(
        self, config: PrivacyConfig, path: Path, field: str, *, is_quiet: bool = True
    ) -> None:
        self._config, self._path, self._field, self._is_quiet = config, path, field, is_quiet
        self._writer = ReportWriter("mask")
        self._suspicious: dict[str, int] = {}
        self._unread = self._with_field = self._without_field = 0
        self._first_unread = ""

    def rows(self) -> Iterator[MaskedRow]:
        """Every row once, in order.

        Raises:
            DataError: If there is no such file, or it cannot be opened as what it claims to be; behind the last row, if
                none has the field.
        """
        if not self._path.is_file():
            raise DataError(f"there is no file {self._path}", fix="name an existing file")
        waiting: dict[int, list[MaskedRow]] = {}
        turn = 0
        total = about_rows(self._path)
        workers = 1 if self._path.stat().st_size < WORTH_ALL_CORES else 0
        with track(f"mask {self._path.name}", total, is_quiet=self._is_quiet) as progress:
            for number, masked in fan_out(mask_rows, self._jobs(), workers=workers):
                waiting[number] = masked
                while turn in waiting:
                    for row in waiting.pop(turn):
                        self._count(row)
                        yield row
                    turn += 1
                progress.advance(len(masked))
        if self._without_field and not self._with_field:
            raise DataError(
                f"{self._path}: none of {self._without_field} rows has a field {self._field!r}",
                fix="name the field that holds the text",
            )

    def write(self, out: Path) -> Iterator[MaskedRow]:
        """The same; writes the whole rows as the name of `out` says, a report and the rejected rows beside them.

        Raises:
            DataError: As `rows` does, and if rows are not written so.
        """
        with row_file(out) as write, open_whole(out.with_suffix(".rejected.jsonl")) as rejected:
            for row in self.rows():
                if row.error:
                    rejected.write(row.as_json() + "\n")
                else:
                    write(row.value)
                yield row
        write_text(out.with_suffix(".privacy.json"), self.report().model_dump_json(indent=2) + "\n")
        write_text(out.with_suffix(".privacy.md"), self.report().as_markdown())

    def report(self) -> PrivacyReport:
        """What was found in the rows so far."""
        return self._writer.report()

    @property
    def without_field(self) -> int:
        """Rows so far that do not have the field, and are left as they are."""
        return self._without_field

    def need_none(self) -> None:
        """Nothing, if all rows were read and none holds personal data.

        Raises:
            PersonalDataError: If one does; stand-ins and tags are none.
            DataError: If rows could not be read, so that nobody knows what is in them.
        """
        if self._suspicious:
            raise PersonalDataError(str(self._path), self._suspicious)
        if self._unread:
            raise DataError(
                f"{self._path}: {self._unread} rows could not be read, so what is in them is not known;"
                f" {self._first_unread}",
                fix="correct or remove these rows, or name the right field",
            )

    def _jobs(self) -> Iterator[Job]:
        rows = read_rows(self._path, self._path.name, mappings=AS_THEY_STAND)
        for number, batch in enumerate(batched(rows, ROWS_PER_JOB)):
            yield Job(number, self._config, self._field, batch)

    def _count(self, row: MaskedRow) -> None:
        self._writer.add(self._path.name, row.findings)
        if row.error:
            self._unread += 1
            self._first_unread = self._first_unread or f"line {row.line}: {row.error}"
        elif row.has_field:
            self._with_field += 1
        else:
            self._without_field += 1
        if not row.is_clean:
            for finding in row.findings:
                self._suspicious[finding.type] = self._suspicious.get(finding.type, 0) + 1


def mask_rows(job: Job) -> tuple[int, list[MaskedRow]]:
    """The job's rows masked; a row that cannot be read is kept with its reason, and stops no other."""
    texts = [_texts(row, job.field) for row in job.rows]
    spans = detector(job.config).find_in_conversations(
        [[] if isinstance(found, str) else found for found in texts]
    )
    return job.number, [
        _masked(job, row, found, there)
        for row, found, there in zip(job.rows, texts, spans, strict=True)
    ]


def _texts(row: RawRow | Rejected, field: str) -> list[str] | str:
    """The texts of the field, or why there are none."""
    if isinstance(row, Rejected):
        return row.reason
    if not isinstance(row.value, str | dict):
        return f"a row that is {kind_of(row.value)}"
    value = row.value.get(field) if isinstance(row.value, dict) else row.value
    if value is None:
        return []
    turns = _turns(value)
    return turns or [value if isinstance(value, str) else as_line(value)]


def _turns(value: object) -> list[str]:
    """The texts of a chat; none where it is something else."""
    turns = [_turn(turn) for turn in value] if isinstance(value, list) else [None]
    return [turn for turn in turns if isinstance(turn, str)] if None not in turns else []


def _turn(turn: object) -> str | None:
    """The text of a turn that says nothing else but who speaks."""
    if isinstance(turn, dict):
        said = [value for value in turn.values() if isinstance(value, str | list | dict)]
        said = [value for value in said if str(value).lower() not in ROLES.keys() | TOOL_ROLES]
        is_text = len(said) == 1 and any(turn.get(key) is said[0] for key in TEXT_KEYS)
        turn = said[0] if is_text else None
    return turn if isinstance(turn, str) else None


def _masked(
    job: Job, row: RawRow | Rejected, texts: list[str] | str, spans: list[list[Span]]
) -> MaskedRow:
    if isinstance(texts, str) or isinstance(row, Rejected):
        return MaskedRow(row.line, None, [], [], is_clean=True, error=str(texts))
    masked = mask(texts, spans, job.config)
    told = [
        finding
        for text, found in zip(texts, spans, strict=True)
        for finding in findings(job.field, text, found)
    ]
    is_clean = all(
        _is_harmless(span.type, text.said(span))
        for text, found in zip(map(Legible, texts), spans, strict=True)
        for span in found
    )
    if not isinstance(row.value, dict):
        return MaskedRow(row.line, masked[0], spans[0], told, is_clean, value=masked[0])
    if not texts:
        has_field = job.field in row.value
        return MaskedRow(row.line, None, [], told, is_clean, value=row.value, has_field=has_field)
    value = row.value[job.field]
    whole = {**row.value, job.field: _as_before(value, masked)}
    if _turns(value):
        return MaskedRow(row.line, masked, spans, told, is_clean, value=whole)
    return MaskedRow(row.line, masked[0], spans[0], told, is_clean, value=whole)


def _is_harmless(kind: str, said: str) -> bool:
    return kind in VAGUE or is_stand_in(kind, said) or (kind == "GPE" and is_country(said))


def _as_before(value: object, masked: list[str]) -> object:
    """The masked texts in the form that the field had."""
    if isinstance(value, str):
        return masked[0]
    if isinstance(value, list) and _turns(value):
        return [_with_text(turn, text) for turn, text in zip(value, masked, strict=True)]
    return json.loads(masked[0]) if is_json(masked[0]) else masked[0]


def _with_text(turn: object, text: str) -> object:
    if not isinstance(turn, dict):
        return text
    return {**turn, next(key for key in TEXT_KEYS if isinstance(turn.get(key), str)): text}


def _as_dict(span: Span | list[Span]) -> object:
    if isinstance(span, list):
        return [_as_dict(one) for one in span]
    return {**span._asdict(), "score": round(span.score, 3)}
