"""Personal data of rows: replaced before anything is stored, or looked for in a sample; as `curate.privacy` says."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Case, Example, Message, Pair
from tunesmith.core.privacy.config import TELLING, PrivacyConfig
from tunesmith.core.privacy.detector import detector
from tunesmith.core.privacy.masking import mask
from tunesmith.core.privacy.report import Finding, PrivacyReport, ReportWriter, findings
from tunesmith.core.privacy.span import Span
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.facts import Facts
from tunesmith.curate.loading import Understood
from tunesmith.curate.row import Rejected
from tunesmith.curate.rows import Rows
from tunesmith.curate.shard import read_rows

ROWS_LOOKED_AT = 100
"""Of each shard where `mode: warn`: enough to see what a source holds, and a tenth of a second."""
SURE = 0.75
"""Least score of a span that is worth a warning."""


class Protected(NamedTuple):
    """A row as it may be stored."""

    outcome: Understood | Rejected
    facts: Facts
    """As they were read: rows are grouped by them, and they are not stored."""
    findings: str = ""
    """As JSON, for the report; empty if the row was not looked at."""


class Part(NamedTuple):
    """A text of a row, and the field it came from."""

    field: str
    text: str
    is_fact: bool = False
    """A column about the row: only what points at one person is masked there, labels stay what they are."""


def protect(outcomes: Sequence[Understood | Rejected], config: CurateConfig) -> list[Protected]:
    """The rows as they may be stored: masked, or as they are with what was seen in some of them."""
    privacy = config.privacy
    if privacy.mode == "off":
        return [Protected(outcome, _facts(outcome)) for outcome in outcomes]
    if privacy.mode == "warn":
        return _looked_at(outcomes, privacy)
    parts = [_parts(outcome, config.system) for outcome in outcomes]
    spans = detector(privacy).find_in_conversations([[part.text for part in row] for row in parts])
    return [
        _masked(outcome, row, _concerning(row, found), privacy)
        for outcome, row, found in zip(outcomes, parts, spans, strict=True)
    ]


def mask_case(case: Case, config: CurateConfig) -> Case:
    """A golden case as it may be stored; the same words become the same stand-ins as in rows."""
    if config.privacy.mode != "mask":
        return case
    example = Example(messages=(*case.messages, Message(role="assistant", content=case.expected)))
    masked = protect([Understood("", example)], config)[0].outcome
    if isinstance(masked, Rejected):
        raise TypeError("masking made an example unreadable")
    return case.model_copy(
        update={"messages": masked.example.prompt, "expected": masked.example.answer}
    )


def mask_rejected(rejected: Rejected, config: CurateConfig) -> Rejected:
    """A row of a golden file that is no case, as it may be stored."""
    if config.privacy.mode != "mask":
        return rejected
    masked = protect([rejected], config)[0].outcome
    return masked if isinstance(masked, Rejected) else rejected


def holds_personal(texts: Sequence[str], privacy: PrivacyConfig) -> list[bool]:
    """Whether each text says something that points at one person."""
    return [
        any(span.type in TELLING for span in found) for found in detector(privacy).find(list(texts))
    ]


def report_of(rows: Rows, mode: str) -> PrivacyReport:
    """What was found in all rows, by file and field."""
    writer = ReportWriter(mode)
    for shard in rows.shards:
        for row in read_rows(shard, ("file", "personal")):
            told = row["personal"]
            seen = [Finding(*finding) for finding in json.loads(told)] if told else None
            writer.add(rows.names[row["file"]], seen)
    return writer.report()


def _looked_at(
    outcomes: Sequence[Understood | Rejected], privacy: PrivacyConfig
) -> list[Protected]:
    quick = privacy.by_rules_alone().model_copy(
        update={"types": TELLING, "threshold": max(SURE, privacy.threshold)}
    )
    sample = [_parts(outcome, None) for outcome in outcomes[:ROWS_LOOKED_AT]]
    spans = iter(detector(quick).find([part.text for row in sample for part in row]))
    seen = [_told(row, [next(spans) for _ in row]) for row in sample]
    rest = [""] * (len(outcomes) - len(seen))
    return [
        Protected(outcome, _facts(outcome), told)
        for outcome, told in zip(outcomes, seen + rest, strict=True)
    ]


def _facts(outcome: Understood | Rejected) -> Facts:
    if isinstance(outcome, Rejected):
        return Facts()
    example = outcome.example
    return Facts(example.group, example.tags, example.metadata)


def _parts(outcome: Understood | Rejected, system: str | None) -> list[Part]:
    """Every text of a row that comes from its file."""
    if isinstance(outcome, Rejected):
        return [Part("unreadable", outcome.row)]
    example = outcome.example
    parts = [
        Part(turn.role, "" if (turn.role, turn.content) == ("system", system) else turn.content)
        for turn in example.messages
    ]
    if isinstance(example, Pair):
        parts.append(Part("rejected", example.rejected))
    tags = [("tags", tag) for tag in example.tags]
    facts = [("group", example.group), *tags, *example.metadata.items()]
    return parts + [Part(name, value, is_fact=True) for name, value in facts]


def _concerning(parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> list[list[Span]]:
    return [
        [span for span in found if not part.is_fact or span.type in TELLING]
        for part, found in zip(parts, spans, strict=True)
    ]


def _masked(
    outcome: Understood | Rejected,
    parts: Sequence[Part],
    spans: Sequence[Sequence[Span]],
    privacy: PrivacyConfig,
) -> Protected:
    told = _told(parts, spans)
    if not any(spans):
        return Protected(outcome, _facts(outcome), told)
    texts = iter(mask([part.text for part in parts], spans, privacy))
    if isinstance(outcome, Rejected):
        return Protected(outcome._replace(row=next(texts)), Facts(), told)
    example = outcome.example
    changes: dict[str, object] = {
        "messages": tuple(
            turn if not part.text else turn.model_copy(update={"content": next_text})
            for turn, part, next_text in zip(example.messages, parts, texts, strict=False)
        )
    }
    if isinstance(example, Pair):
        changes["rejected"] = next(texts)
    changes["group"] = next(texts)
    changes["tags"] = tuple(next(texts) for _ in example.tags)
    changes["metadata"] = dict(zip(example.metadata, texts, strict=True))
    masked = outcome._replace(example=example.model_copy(update=changes))
    return Protected(masked, _facts(outcome), told)


def _told(parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> str:
    found: list[Finding] = [
        finding
        for part, there in zip(parts, spans, strict=True)
        for finding in findings(part.field, part.text, there)
    ]
    return json.dumps(found)
