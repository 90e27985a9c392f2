"""Answers that stop before their end."""

import re

from tunesmith.core.conversation import Example
from tunesmith.core.text import is_json
from tunesmith.curate.filters.brackets import ends_in_code_block, open_brackets
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter

BEGINS_AS_JSON = re.compile(r"\{\s*\"|\[\s*[\[{\"\d-]")
CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]*`", re.DOTALL)
OPEN_END = re.compile(
    r"(?:(?<![:;=-])[(\[{]|(?<=\s)[+=])$"
    r"|(?:\w{1,40}\W{1,9}){2}(?:and|or|the|a|of|which|because|und|oder|weil|dass|et|ou|avec|porque|para)$"
    r"|[.!?]\s.*\s(?:to|with|for|that|(?<!log )(?<!sign )(?<!check )(?<!plug )in)$",
    re.DOTALL,
)
"""Words that ask for more; those that may also end a sentence tell only where earlier sentences have a mark."""
OPEN_WORDS = (
    *"([{+=", "and", "or", "the", "a", "of", "which", "because", "to", "with", "for", "that", "in",
    "und", "oder", "weil", "dass", "et", "ou", "avec", "porque", "para",
)  # fmt: skip
"""What an open end ends with: a glance at it is quick."""
LONG_CHARACTERS = 200
"""An answer of this length is prose, which ends with a mark."""
LINE_CHARACTERS = 60
"""A shorter last line behind others may be a name, a heading or an item."""
ADDRESS = re.compile(r"\S[@./]\S*$")
NO_MARKS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f]$")
"""Thai, Lao and Burmese write sentences without a mark at their end."""
EARLIER_SENTENCE = re.compile(r"[.!?\u2026\u3002]\W")
TAIL_CHARACTERS = 300
"""How much of the end is looked at."""


@row_filter
def truncation() -> RowFilter:
    """Note answers cut off: half JSON, open brackets of code, an open code block, a sentence without an end."""

    def check(example: Example) -> Finding | None:
        answer = example.answer.strip()
        if not answer:
            return None
        if ends_in_code_block(answer):
            return Finding(0.8, "the answer ends inside a code block")
        if BEGINS_AS_JSON.match(answer) and not is_json(answer) and open_brackets(answer):
            return Finding(0.85, "the answer begins as JSON and does not end")
        if _has_open_end(answer):
            return Finding(0.7, f"the answer ends with {answer[-20:]!r}")
        if _is_code_cut_off(answer):
            return Finding(0.7, f"the answer ends inside brackets: {answer[-20:]!r}")
        if _is_prose_cut_off(answer):
            return Finding(0.5, f"a long answer ends without a mark: {answer[-20:]!r}")
        return None

    return check


def _has_open_end(answer: str) -> bool:
    tail = answer[-TAIL_CHARACTERS:]
    if tail.endswith(","):
        lines = answer.splitlines()
        return len(lines) == 1 or len(lines[-1].split()) > 4
    return tail.endswith(OPEN_WORDS) and OPEN_END.search(tail) is not None


def _is_code_cut_off(answer: str) -> bool:
    """Whether a bracket at a line's end, or in the last line, stays open; the answer itself is no sentence."""
    if answer[-1] in ".!?" or not any(mark in answer for mark in "([{"):
        return False
    code = CODE.sub("", answer)
    last_line = code.rfind("\n") + 1
    return any(
        place >= last_line or code[place + 1 : place + 2] in {"\n", "\r"}
        for place in open_brackets(code)
    )


def _is_prose_cut_off(answer: str) -> bool:
    """Whether a text of sentences ends in the midst of one."""
    lines = [line for line in answer[-2 * LONG_CHARACTERS :].splitlines() if line.strip()]
    last = lines[-1]
    if len(answer) <= LONG_CHARACTERS or not answer[-1].isalnum():
        return False
    is_line_of_others = len(lines) > 1 and (
        len(last) < LINE_CHARACTERS or lines[-2].rstrip()[-1].isalnum()
    )
    is_no_prose = last[0].isspace() or "|" in last or "\t" in last
    return not (
        is_line_of_others or is_no_prose or ADDRESS.search(last) or NO_MARKS.search(last)
    ) and bool(EARLIER_SENTENCE.search(answer))
