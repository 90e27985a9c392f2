"""JSON objects compared field by field."""

from collections.abc import Iterator, Sequence
from typing import Final

from tunesmith.graders.grade import Grade, Grader, UngradableError, grader
from tunesmith.graders.json_text import parse_json

ABSENT: Final = object()


@grader
def json_fields(
    *,
    fields: Sequence[str] | None = None,
    is_partial_credit: bool = False,
    ignore_case: bool = False,
) -> Grader:
    """Score 1 when every field of the expected JSON is in the answer with its value, and no other.

    `fields` limits the comparison to these dotted paths; partial credit scores the share of fields
    that agree, of all fields that either side has.
    """

    def grade(answer: str, expected: str) -> Grade:
        try:
            wanted = dict(flatten(parse_json(expected)))
        except ValueError as error:
            raise UngradableError(f"expected is no JSON: {error}") from error
        try:
            given = dict(flatten(parse_json(answer)))
        except ValueError as error:
            return Grade(0.0, f"no JSON: {error}")
        names = fields or sorted(wanted.keys() | given.keys())
        wrong = [
            name
            for name in names
            if not _equal(given.get(name, ABSENT), wanted.get(name, ABSENT), ignore_case)
        ]
        if not wrong:
            return Grade(1.0, "all fields equal")
        first = wrong[0]
        reason = f"{first or 'value'}: {_shown(given, first)}, expected {_shown(wanted, first)}"
        return Grade((1 - len(wrong) / len(names)) if is_partial_credit else 0.0, reason)

    return grade


def flatten(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of a JSON value by dotted path, list items by number; empty containers are leaves."""
    items: list[tuple[str, object]] = []
    if isinstance(value, dict):
        items = [(str(name), child) for name, child in value.items()]
    elif isinstance(value, list):
        items = [(str(index), child) for index, child in enumerate(value)]
    if not items:
        yield prefix, value
    for name, child in items:
        yield from flatten(child, f"{prefix}.{name}" if prefix else name)


def _equal(given: object, wanted: object, ignore_case: bool) -> bool:
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if ignore_case and isinstance(given, str) and isinstance(wanted, str):
        return given.casefold() == wanted.casefold()
    return given == wanted


def _shown(values: dict[str, object], name: str) -> str:
    return repr(values[name]) if name in values else "nothing"
