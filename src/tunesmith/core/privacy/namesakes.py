"""What has the name of somebody and is nobody: laws and diseases, prizes and tools, roads and models, queries."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tunesmith.core.privacy.lexicon import choice, listed
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.span import Span

NAME = r"(?<![\w@-])([^\W\d_a-zß-öø-ÿ][^\W\d_]+(?:[-–][^\W\d_]+){0,3})"
OWNED = re.compile(
    rf"{NAME}(?:['’]s?)? (?:(?P<found>{choice('namesakes', 'findings')}(?! {choice('namesakes', 'offices')}))"
    rf"|{choice('namesakes', 'things')})\b"
)
COMPOUND = re.compile(rf"{NAME} (?i:{choice('namesakes', 'heads')})\b")
ILLNESS = re.compile(
    rf"(?<![MD][rs] )(?<![rs]\. ){choice('namesakes', 'illnesses')}['’]s"
    rf"(?=[,.;:!?)]|$| {choice('namesakes', 'goes_on')}\b)"
)
DIGIT = re.compile(r"\d")
ADJECTIVE = re.compile(rf"\b(?:[Tt]he|[Aa]n?|[Nn]on|of|with) {NAME}(?<=[ie]an) (?=[a-z])")
OWN_MODEL = re.compile(
    rf"\b(?i:an?|the|my|our|your|his|her|their) {NAME} [A-Za-z]{{1,3}}-?\d+\w*\b"
)
MODEL = re.compile(rf"{NAME} [A-Za-z]{{1,3}}-?\d+\w*\b(?! ?\d[A-Z]{{2}}\b)(?: [A-Z][a-z]+)?")
"""A maker and a model ("ThinkPad X1 Carbon"), not a town and its British post code."""
ROAD = re.compile(r"\b(?:[A-Z]\w+ )?(?:Route|Interstate|Highway|Motorway|Autobahn|Hwy\.?) \d+\b")
QUERY = re.compile(
    r"\b(?:SELECT\b[^;\n'\"]{1,400}?\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|GRANT \w+ ON"
    r"|(?:CREATE|ALTER|DROP) (?:TABLE|INDEX|VIEW|DATABASE|USER))\b[^;\n'\"]*"
)
"""SQL up to the first value in quotes, which may well be somebody."""
PEOPLE, BEARERS = listed("namesakes", "people"), listed("namesakes", "bearers")
NAMES = frozenset({"PERSON", "ORGANIZATION", "GPE", "NRP", "STREET_ADDRESS"})


class Stretch(NamedTuple):
    """Where such a thing is named."""

    start: int
    end: int


def find(text: str, written: str) -> list[Stretch]:
    """Stretches of `text` whose names are nobody's; `written` is the same with the capitals that it should have."""
    return [Stretch(*match.span()) for match in (*QUERY.finditer(text), *_matches(written))]


def is_namesake(span: Span, stretches: Sequence[Stretch]) -> bool:
    """What a rule took for a name lies in such a stretch."""
    return span.type in NAMES and any(
        one.start <= span.start and span.end <= one.end for one in stretches
    )


def _matches(text: str) -> Iterator[re.Match[str]]:
    for match in OWNED.finditer(text):
        name = match[1].casefold()
        is_finding = match["found"] and (name in BEARERS or name not in table("given_names"))
        if name in PEOPLE or is_finding:
            yield match
    yield from COMPOUND.finditer(text)
    yield from ILLNESS.finditer(text)
    yield from (match for match in ADJECTIVE.finditer(text) if not _is_known(match[1]))
    if DIGIT.search(text):
        yield from ROAD.finditer(text)
        yield from OWN_MODEL.finditer(text)
        yield from (match for match in MODEL.finditer(text) if not _is_known(match[1]))


def _is_known(name: str) -> bool:
    """A name of people or places."""
    tables = ("given_names", "surnames", "demonyms", "cities", "regions")
    return any(name.casefold() in table(one) for one in tables)
