"""Rows inside of objects: lists under names such as `tickets`, whatever else stands beside them."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

from tunesmith.curate.formats import is_known

WRAPPERS = frozenset(
    {"data", "rows", "examples", "records", "items", "tickets", "cases", "results"}
)
"""Names under which exports keep their rows, whatever shape these have."""
DEPTH = 3
"""How many objects rows may stand in."""


class Wrapped(NamedTuple):
    """A list of objects inside of an object."""

    name: str
    values: list[Any]
    is_read: bool = True
    """Whether they are rows; what else stands beside rows is counted and set aside."""


def may_be_page(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a line of JSON Lines may hold rows under a name; fast, as it is asked of every row."""
    return isinstance(value, dict) and not WRAPPERS.isdisjoint(value)


def rows_of_page(value: dict[str, Any]) -> Sequence[object]:
    """The rows in a line of JSON Lines that is a page of them; else the value itself."""
    if is_known(value):
        return [value]
    lists = [value[name] for name in value if name in WRAPPERS and holds_rows(value[name])]
    return [row for rows in lists for row in rows] or [value]


def rows_in(whole: object) -> list[Wrapped]:
    """The lists of rows in an object; none where it is a row itself."""
    if not isinstance(whole, dict):
        return []
    names = WRAPPERS | {"conversations"}
    if is_known(whole) and not any(holds_rows(whole.get(name)) for name in names):
        return []
    found = _lists(whole, DEPTH)
    return found if any(one.is_read for one in found) else []


def holds_rows(value: object) -> bool:
    """Whether a value is a list whose first object is a row of a known format."""
    if not isinstance(value, list):
        return False
    first = next((item for item in value if isinstance(item, dict)), None)
    return first is not None and is_known(first)


def _lists(whole: dict[str, Any], depth: int) -> list[Wrapped]:
    found: list[Wrapped] = []
    for name, value in whole.items():
        if isinstance(value, dict) and depth > 1 and not is_known(value):
            found += [
                one for one in _lists(value, depth - 1) if one.is_read and holds_rows(one.values)
            ]
        elif isinstance(value, list) and (name in WRAPPERS or any(map(_is_object, value))):
            is_read = holds_rows(value) or (name in WRAPPERS and depth == DEPTH)
            found.append(Wrapped(name, value, is_read))
    return found


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
