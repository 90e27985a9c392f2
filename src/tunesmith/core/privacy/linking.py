"""Who is who in a conversation: every mention of a person found, and tied to the one full name it may stand for."""

import re
from collections.abc import Iterable, Sequence

from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.span import Span, resolve

SHORTEST_PART = 3
"""Letters; a shorter part of a name stands for too much else."""
LINKED_SCORE = 0.7


def linked(conversation: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[list[Span]]:
    """The spans, and with them every further place where a part of a full name stands alone.

    "Maria Garcia" in one turn makes "maria" a person in the next, in whatever way it is written.
    """
    people = [
        text[span.start : span.end]
        for text, found in zip(conversation, spans, strict=True)
        for span in found
        if span.type == "PERSON"
    ]
    parts = sorted({*full_names(people)} - table("common_words"))
    parts = [part for part in parts if len(part) >= SHORTEST_PART]
    if not parts:
        return [list(found) for found in spans]
    mention = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, parts))})(?!\w)", re.IGNORECASE)
    linked_spans = []
    for text, found in zip(conversation, spans, strict=True):
        retyped = [
            span._replace(type="PERSON") if mention.fullmatch(text, span.start, span.end) else span
            for span in found
        ]
        mentions = [Span(*match.span(), "PERSON", LINKED_SCORE) for match in mention.finditer(text)]
        new = [one for one in mentions if not any(_meet(one, span) for span in retyped)]
        linked_spans.append(resolve(text, [*retyped, *new]))
    return linked_spans


def full_names(people: Iterable[str]) -> dict[str, str]:
    """Given and family names, in lower case, with the only full name among all mentions that holds them."""
    mentions = {folded(mention) for mention in people}
    owners: dict[str, str] = {}
    shared: set[str] = set()
    for name in sorted(mention for mention in mentions if " " in mention):
        for part in {name.split()[0], name.split()[-1]}:
            if part in owners:
                shared.add(part)
            owners[part] = name
    return {part: name for part, name in owners.items() if part not in shared}


def folded(text: str) -> str:
    """The form in which two mentions of the same are equal."""
    return " ".join(text.casefold().split())


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
