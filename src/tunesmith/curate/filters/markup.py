"""What is left of a web page in a text that should be plain."""

import re

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter

TAG = re.compile(
    r"</?(?:p|br|div|span|td|tr|table|font|b|i|u|ul|li|ol|a|img|h[1-6]|style|script)(?:\s[^<>]{0,200})?/?>",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|#\d{2,5}|#x[0-9a-f]{2,4});", re.IGNORECASE)
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


@row_filter
def markup() -> RowFilter:
    """Note answers with HTML tags or entities outside of code, where the question has none."""

    def check(example: Example) -> Finding | None:
        if "<" not in example.answer and "&" not in example.answer:
            return None
        answer = CODE.sub("", example.answer)
        found = TAG.search(answer) or ENTITY.search(answer)
        if (
            not found
            or "html" in example.prompt[-1].content.lower()
            or TAG.search(example.prompt[-1].content)
        ):
            return None
        return Finding(0.6, f"the answer has remains of HTML: {found.group()[:40]!r}")

    return check
