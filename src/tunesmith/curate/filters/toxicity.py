"""Answers with words that nobody should hear from a model."""

from collections.abc import Sequence

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.phrases import Phrases, listed


@row_filter
def toxicity(*, words: Sequence[str] = ()) -> RowFilter:
    """Note answers with insults, threats or obscene words of a list, or with `words` of yours."""
    known = Phrases([*listed("toxicity"), *words])

    def check(example: Example) -> Finding | None:
        found = known.find(example.answer)
        return Finding(0.75, f"the answer says {found!r}") if found else None

    return check
