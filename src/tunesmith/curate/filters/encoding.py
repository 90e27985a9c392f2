"""Text that was read in the wrong encoding once."""

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter


@row_filter
def encoding() -> RowFilter:
    """Note rows with characters that come of a wrong encoding, as in `sch\u00c3\u00b6n` for `sch\u00f6n`."""
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    def check(example: Example) -> Finding | None:
        for turn in example.messages:
            if turn.content.isascii():
                continue
            if "\ufffd" in turn.content:
                return Finding(0.8, "characters were lost in a wrong encoding (\ufffd)")
            if is_bad(turn.content) and (fixed := fix_encoding(turn.content)) != turn.content:
                place = next(
                    (
                        n
                        for n, (a, b) in enumerate(zip(turn.content, fixed, strict=False))
                        if a != b
                    ),
                    0,
                )
                shown = turn.content[max(0, place - 10) : place + 10]
                return Finding(0.8, f"read in a wrong encoding: {shown!r}")
        return None

    return check
