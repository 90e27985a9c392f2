"""Personal data that is told by its form: `data/patterns.toml`, compiled, and the recipe's own identifiers."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tunesmith.core.privacy.checksums import CHECKS
from tunesmith.core.privacy.shapes import phone
from tunesmith.core.privacy.span import Span

BEFORE, BEHIND = 60, 30
"""Characters before and behind a match in which a word that explains it may stand."""
LONGEST_LABEL = 40
"""Characters before a match in which "order number:" may stand."""
NEEDS = {
    "digit": re.compile(r"\d").search,
    "at": re.compile("@").search,
    "dot": re.compile(r"\w\.\w").search,
    "colon": re.compile(":.*:").search,
}
LABEL = r"(?:[ -]?(?:code|id|no|nr|number|num))?[ .:#]*(?:(?:is|was)[ :])?[ #]*"
"""Between a thing and its number."""
CUSTOM_SCORE = 0.99
"""The recipe's own identifiers win over everything but check digits."""


class Pattern(NamedTuple):
    """One form of personal data."""

    type: str
    score: float
    regex: re.Pattern[str]
    needs: str = ""
    check: Callable[[str], bool] | None = None
    near: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    looks_behind: bool = False
    group: int = 0
    shortest: int = 0
    """Characters that must be left, blanks not counted, where groups at the end are given up; 0 gives up none."""


def find(text: str, patterns: tuple[Pattern, ...]) -> Iterator[Span]:
    """Every match of every pattern whose check holds and whose explaining word is near."""
    holds = {name: bool(search(text)) for name, search in NEEDS.items()}
    for pattern in patterns:
        if pattern.needs and not holds[pattern.needs]:
            continue
        for match in pattern.regex.finditer(text):
            start, end = match.span(pattern.group)
            end = _checked_end(text, start, end, pattern)
            if start == end or not _is_explained(text, start, end, pattern):
                continue
            yield Span(start, end, pattern.type, pattern.score)


@cache
def shipped() -> tuple[Pattern, ...]:
    """The patterns that come with tunesmith."""
    text = files("tunesmith.core.privacy").joinpath("data", "patterns.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return tuple(_compiled(entry, tables) for entry in tables["pattern"])


def custom(identifiers: Mapping[str, str]) -> tuple[Pattern, ...]:
    """The recipe's own identifiers, as name -> regular expression."""
    return tuple(
        Pattern(name, CUSTOM_SCORE, regex := re.compile(source), group=min(regex.groups, 1))
        for name, source in identifiers.items()
    )


def _compiled(entry: Mapping[str, object], tables: Mapping[str, list[str]]) -> Pattern:
    checks = {**CHECKS, "phone": phone}
    regex = re.compile(str(entry["regex"]))
    words = entry.get("near")
    near = unless = None
    if isinstance(words, list):
        alternatives = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)
        near = re.compile(alternatives, re.IGNORECASE)
    if "unless" in entry:
        things = "|".join(tables[str(entry["unless"])])
        unless = re.compile(rf"\b(?:{things}){LABEL}$", re.IGNORECASE)
    return Pattern(
        type=str(entry["type"]),
        score=float(str(entry["score"])),
        regex=regex,
        needs=str(entry.get("needs", "")),
        check=checks[str(entry["check"])] if "check" in entry else None,
        near=near,
        unless=unless,
        looks_behind=bool(entry.get("after")),
        shortest=int(str(entry.get("shortest", 0))),
        group=0 if entry.get("whole") else min(regex.groups, 1),
    )


def _checked_end(text: str, start: int, end: int, pattern: Pattern) -> int:
    """Where what passes the check ends; `start` where nothing does.

    A number of groups may have taken the next word or number for its last: "ES16 4754 5643 1212 9131 6456 please".
    """
    if pattern.check is None:
        return end
    while end > start and not pattern.check(text[start:end]):
        end = max(start, text.rfind(" ", start, end)) if pattern.shortest else start
        if len(text[start:end].replace(" ", "")) < pattern.shortest:
            return start
    return end


def _is_explained(text: str, start: int, end: int, pattern: Pattern) -> bool:
    if pattern.unless and pattern.unless.search(text, max(0, start - LONGEST_LABEL), start):
        return False
    if pattern.near is None:
        return True
    if pattern.near.search(text, max(0, start - BEFORE), start):
        return True
    return pattern.looks_behind and bool(pattern.near.search(text, end, end + BEHIND))
