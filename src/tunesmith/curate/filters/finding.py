"""Finding: what a filter noticed, how sure it is and why; and the decorator that makes a filter known."""

from collections.abc import Callable
from typing import NamedTuple

from tunesmith.core.catalog import Catalog
from tunesmith.core.conversation import Example


class Finding(NamedTuple):
    """What a filter says about one row; there is no suspicion without a reason."""

    score: float
    """How sure the filter is that something is wrong, between 0 and 1."""
    reason: str


RowFilter = Callable[[Example], Finding | None]
"""Called with a row; returns None where nothing is wrong."""

FilterChoice = str | dict[str, dict[str, object]]
"""A filter's name, or `{name: {option: value}}`; the name of your own is `file.py:function`."""
row_filters: Catalog[RowFilter] = Catalog("row filter")
row_filter = row_filters.add
