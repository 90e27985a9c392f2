"""Answers of a language model about itself, or that refuse to answer."""

from collections.abc import Sequence

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.phrases import Phrases

OPENING_CHARACTERS = 200
"""A refusal comes at the beginning; later the same words may be part of an answer."""


@row_filter
def refusal(*, phrases: Sequence[str] = ()) -> RowFilter:
    """Remove answers that speak as an AI language model; note answers that refuse."""
    about_itself, refusing = Phrases("self_reference"), Phrases("refusal", phrases)

    def check(example: Example) -> Finding | None:
        opening = example.answer[:OPENING_CHARACTERS]
        if found := about_itself.find(opening):
            return Finding(0.97, f"the answer speaks as a model: {found!r}")
        found = refusing.find(opening)
        return Finding(0.7, f"the answer refuses: {found!r}") if found else None

    return check
