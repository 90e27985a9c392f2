"""Phrases that mail programs and web pages add to what people write."""

from collections.abc import Sequence

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.phrases import Phrases, listed


@row_filter
def boilerplate(*, phrases: Sequence[str] = ()) -> RowFilter:
    """Note answers with legal notices, signatures of mail programs, cookie banners."""
    known = Phrases([*listed("boilerplate"), *phrases])

    def check(example: Example) -> Finding | None:
        found = known.find(example.answer)
        return Finding(0.6, f"the answer has boilerplate: {found!r}") if found else None

    return check
