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
NEEDS = {
    "digit": re.compile(r"\d").search,
    "at": re.compile("@").search,
    "dot": re.compile(r"\w\.\w").search,
    "colon": re.compile(":.*:").search,
}
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
    looks_behind: bool = False
    group: int = 0


def find(text: str, patterns: tuple[Pattern, ...]) -> Iterator[Span]:
    """Every match of every pattern whose check holds and whose explaining word is near."""
    holds = {name: bool(search(text)) for name, search in NEEDS.items()}
    for pattern in patterns:
        if pattern.needs and not holds[pattern.needs]:
            continue
        for match in pattern.regex.finditer(text):
            start, end = match.span(pattern.group)
            if start == end or (pattern.check and not pattern.check(text[start:end])):
                continue
            if not _is_explained(text, start, end, pattern):
                continue
            yield Span(start, end, pattern.type, pattern.score)


@cache
def shipped() -> tuple[Pattern, ...]:
    """The patterns that come with tunesmith."""
    text = files("tunesmith.core.privacy").joinpath("data", "patterns.toml").read_text("utf-8")
    return tuple(_compiled(entry) for entry in tomllib.loads(text)["pattern"])


def custom(identifiers: Mapping[str, str]) -> tuple[Pattern, ...]:
    """The recipe's own identifiers, as name -> regular expression."""
    return tuple(
        Pattern(name, CUSTOM_SCORE, regex := re.compile(source), group=min(regex.groups, 1))
        for name, source in identifiers.items()
    )


def _compiled(entry: Mapping[str, object]) -> Pattern:
    checks = {**CHECKS, "phone": phone}
    regex = re.compile(str(entry["regex"]))
    words = entry.get("near")
    near = None
    if isinstance(words, list):
        alternatives = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)
        near = re.compile(alternatives, re.IGNORECASE)
    return Pattern(
        type=str(entry["type"]),
        score=float(str(entry["score"])),
        regex=regex,
        needs=str(entry.get("needs", "")),
        check=checks[str(entry["check"])] if "check" in entry else None,
        near=near,
        looks_behind=bool(entry.get("after")),
        group=0 if entry.get("whole") else min(regex.groups, 1),
    )


def _is_explained(text: str, start: int, end: int, pattern: Pattern) -> bool:
    if pattern.near is None:
        return True
    if pattern.near.search(text, max(0, start - BEFORE), start):
        return True
    return pattern.looks_behind and bool(pattern.near.search(text, end, end + BEHIND))
