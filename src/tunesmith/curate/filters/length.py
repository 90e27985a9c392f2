"""Answers outside of the lengths that a use case can have."""

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter


@row_filter
def length(*, least: int = 1, most: int = 100_000) -> RowFilter:
    """Remove answers with fewer than `least` or more than `most` characters."""

    def check(example: Example) -> Finding | None:
        size = len(example.answer)
        if least <= size <= most:
            return None
        return Finding(1.0, f"the answer has {size} characters, not {least} to {most}")

    return check
