"""Who is who in a conversation: every mention of a person found, and tied to the one full name it may stand for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from unicodedata import normalize

from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.span import Span, overlapping, resolve

SHORTEST_PART = 3
"""Letters; a shorter part of a name stands for too much else."""
LINKED_SCORE = 0.7
LETTERS = re.compile(r"\w+")
INNER = re.compile(r"\w(?:.*\w)?")
Texts = Sequence[str]
Found = Sequence[Sequence[Span]]


def linked(conversation: Texts, spans: Found) -> list[list[Span]]:
    """The spans, and with them every further place where a part of a full name stands alone.

    "Maria Garcia" in one turn makes "maria" a person in the next, in whatever way it is written.
    """
    parts = {*_owners(_people(conversation, spans))} - table("common_words")
    openings = _openings(part for part in parts if len(part) >= SHORTEST_PART)
    if not openings:
        return [list(found) for found in spans]
    linked_spans = []
    for text, found in zip(conversation, spans, strict=True):
        places = dict.fromkeys(_mentions(text, openings))
        retyped = [span._replace(type="PERSON") if span[:2] in places else span for span in found]
        new = [Span(*place, "PERSON", LINKED_SCORE) for place in places]
        new = [one for one in new if not overlapping(retyped, one)]
        linked_spans.append(resolve(text, [*retyped, *new]))
    return linked_spans


def full_names(people: Iterable[str]) -> dict[str, str]:
    """Given and family names, in lower case, with the only full name among all mentions that holds them."""
    owners = _owners(people)
    return {part: next(iter(names)) for part, names in owners.items() if len(names) == 1}


def without_allowed(conversation: Texts, spans: Found, allowed: Set[str]) -> list[list[Span]]:
    """The spans that are no secret left out: allowed texts, and the parts of full names that all are allowed.

    With "Ada Lovelace" allowed, "Ada" stands for her unless the conversation names another Ada in full.
    """
    if not allowed:
        return [list(found) for found in spans]
    parts = {
        part for part, names in _owners(_people(conversation, spans)).items() if names <= allowed
    }

    def is_secret(text: str, span: Span) -> bool:
        mention = folded(text[span.start : span.end])
        return mention not in allowed and not (span.type == "PERSON" and mention in parts)

    return [
        [span for span in found if is_secret(text, span)]
        for text, found in zip(conversation, spans, strict=True)
    ]


def folded(text: str) -> str:
    """The form in which two mentions of the same are equal."""
    return " ".join(normalize("NFC", text.casefold()).split())


def _people(conversation: Texts, spans: Found) -> Iterator[str]:
    """Every mention of a person."""
    for text, found in zip(conversation, spans, strict=True):
        for span in found:
            if span.type == "PERSON":
                yield text[span.start : span.end]


def _owners(people: Iterable[str]) -> Mapping[str, Set[str]]:
    """Given and family names with the full names that hold them."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for mention in people:
        first, *rest = folded(mention).split() or [""]
        if rest:
            owners[first].add(folded(mention))
            owners[rest[-1]].add(folded(mention))
    return owners


def _openings(parts: Iterator[str]) -> dict[str, list[str]]:
    """The first letters of the parts up to a hyphen or the like, and what follows them, the longest first."""
    openings: defaultdict[str, list[str]] = defaultdict(list)
    for part in parts:
        if (inner := INNER.search(part)) and (first := LETTERS.match(inner.group())):
            openings[first.group()].append(inner.group()[first.end() :])
    return {first: sorted(rests, key=len, reverse=True) for first, rests in openings.items()}


def _mentions(text: str, openings: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Where a part of a name stands alone in `text`; one look-up a word, however many names there are."""
    done = 0
    for match in LETTERS.finditer(text):
        start, end = match.span()
        if start < done:
            continue
        for rest in openings.get(match.group().casefold(), ()):
            last = end + len(rest)
            if text[end:last].casefold() == rest and not LETTERS.match(text, last):
                yield start, last
                done = last
                break
