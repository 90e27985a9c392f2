"""Answers that stop before their end."""

import re

from tunesmith.core.conversation import Example
from tunesmith.core.text import is_json
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter

OPEN_END = re.compile(
    r"(?:[,(\[{&+=]|(?<!\w)(?:and|or|the|a|an|of|to|with|for|in|that|which|because))\s*$",
    re.IGNORECASE,
)
LONG_CHARACTERS = 200
"""An answer of this length is prose, which ends with a mark."""


@row_filter
def truncation() -> RowFilter:
    """Note answers cut off: half JSON, an open code block, a sentence without an end."""

    def check(example: Example) -> Finding | None:
        answer = example.answer.strip()
        if answer.count("```") % 2:
            return Finding(0.8, "the answer ends inside a code block")
        if answer[:2] in {'{"', "[{", '["'} and not is_json(answer):
            return Finding(0.85, "the answer begins as JSON and is none")
        if OPEN_END.search(answer[-12:]):
            return Finding(0.7, f"the answer ends with {answer[-20:]!r}")
        if len(answer) > LONG_CHARACTERS and answer[-1].isalnum() and "\n" not in answer[-80:]:
            return Finding(0.5, f"a long answer ends without a mark: {answer[-20:]!r}")
        return None

    return check
