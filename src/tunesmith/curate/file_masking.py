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
from tunesmith.core.workspace import open_whole, write_text
from tunesmith.curate.fan_out import fan_out
from tunesmith.curate.reading import read_rows
from tunesmith.curate.refining import about_rows, batched
from tunesmith.curate.row import RawRow, Rejected
from tunesmith.errors import DataError, PersonalDataError

ROWS_PER_JOB = 256
"""Enough for the language model's batches, few enough that a small file keeps all cores busy."""
TEXT_KEYS = ("content", "value", "text")
"""Where a turn of a chat holds its text."""
VAGUE = frozenset({"AGE", "DATE_TIME", "NRP", "TITLE"})
"""Types that point at nobody by themselves, and whose stand-ins look like any other: a check passes over them."""


class MaskedRow(NamedTuple):
    """A row of the file with its field masked."""

    line: int
    masked: str | list[str] | None
    """The text, or the turns of a chat; None where the row could not be read."""
    spans: list[Span] | list[list[Span]]
    """Where personal data stood in the text, or in each turn."""
    findings: list[Finding]
    is_clean: bool
    """No span but stand-ins, and types that point at nobody."""
    error: str = ""
    value: object = None
    """The whole row with the masked field in its place."""

    def as_json(self) -> str:
        """One line: where the row begins, what it says now, and where personal data stood."""
        told: dict[str, object] = {
            "line": self.line,
            "masked": self.masked,
            "spans": [_as_dict(span) for span in self.spans],
        }
        if self.error:
            told["error"] = self.error
        return json.dumps(told, ensure_ascii=False)


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
        self._unread = 0
        self._first_unread = ""

    def rows(self) -> Iterator[MaskedRow]:
        """Every row once, in order.

        Raises:
            DataError: If there is no such file, or it cannot be opened as what it claims to be.
        """
        if not self._path.is_file():
            raise DataError(f"there is no file {self._path}", fix="name an existing file")
        waiting: dict[int, list[MaskedRow]] = {}
        turn = 0
        total = about_rows(self._path)
        with track(f"mask {self._path.name}", total, is_quiet=self._is_quiet) as progress:
            for number, masked in fan_out(mask_rows, self._jobs()):
                waiting[number] = masked
                while turn in waiting:
                    for row in waiting.pop(turn):
                        self._count(row)
                        yield row
                    turn += 1
                progress.advance(len(masked))

    def write(self, out: Path) -> Iterator[MaskedRow]:
        """The same; writes the whole rows, masked, as JSON Lines; a report and the rejected rows beside them."""
        with open_whole(out) as whole, open_whole(out.with_suffix(".rejected.jsonl")) as rejected:
            for row in self.rows():
                if row.error:
                    rejected.write(row.as_json() + "\n")
                else:
                    whole.write(json.dumps(row.value, ensure_ascii=False) + "\n")
                yield row
        write_text(out.with_suffix(".privacy.json"), self.report().model_dump_json(indent=2) + "\n")
        write_text(out.with_suffix(".privacy.md"), self.report().as_markdown())

    def report(self) -> PrivacyReport:
        """What was found in the rows so far."""
        return self._writer.report()

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
        rows = read_rows(self._path, self._path.name)
        for number, batch in enumerate(batched(rows, ROWS_PER_JOB)):
            yield Job(number, self._config, self._field, batch)

    def _count(self, row: MaskedRow) -> None:
        self._writer.add(self._path.name, row.findings)
        if row.error:
            self._unread += 1
            self._first_unread = self._first_unread or f"line {row.line}: {row.error}"
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
    if isinstance(row.value, str):
        return [row.value]
    if not isinstance(row.value, dict) or field not in row.value:
        return f"no field {field!r}"
    value = row.value[field]
    turns = [_turn(turn) for turn in value] if isinstance(value, list) else [value]
    if not all(isinstance(turn, str) for turn in turns):
        return f"field {field!r} is no text and no list of turns"
    return [str(turn) for turn in turns]


def _turn(turn: object) -> object:
    if isinstance(turn, dict):
        return next((turn[key] for key in TEXT_KEYS if key in turn), None)
    return turn


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
    if isinstance(row.value, dict) and isinstance(row.value[job.field], list):
        turns = [
            _with_text(turn, text) for turn, text in zip(row.value[job.field], masked, strict=True)
        ]
        value = {**row.value, job.field: turns}
        return MaskedRow(row.line, masked, spans, told, is_clean, value=value)
    whole = {**row.value, job.field: masked[0]} if isinstance(row.value, dict) else masked[0]
    return MaskedRow(row.line, masked[0], spans[0], told, is_clean, value=whole)


def _is_harmless(kind: str, said: str) -> bool:
    return kind in VAGUE or is_stand_in(kind, said) or (kind == "GPE" and is_country(said))


def _with_text(turn: object, text: str) -> object:
    if not isinstance(turn, dict):
        return text
    return {**turn, next(key for key in TEXT_KEYS if key in turn): text}


def _as_dict(span: Span | list[Span]) -> object:
    if isinstance(span, list):
        return [_as_dict(one) for one in span]
    return {**span._asdict(), "score": round(span.score, 3)}
