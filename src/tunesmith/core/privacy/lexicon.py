"""Word lists, read once: names of people and places, job titles, words that are neither."""

import re
import tomllib
from collections.abc import Set
from functools import cache
from importlib.resources import files


@cache
def words(table: str) -> Set[str]:
    """The entries of a table in `data/`, in lower case; `data/README.md` names their sources."""
    text = files("tunesmith.core.privacy").joinpath("data", f"{table}.txt").read_text("utf-8")
    return frozenset(text.split("\n")) - {""}


@cache
def openings(table: str) -> dict[str, int]:
    """First words of the entries of several words, and how many words the longest entry that begins so has."""
    longest: dict[str, int] = {}
    for entry in words(table):
        if " " in entry:
            first, length = entry.partition(" ")[0], entry.count(" ") + 1
            longest[first] = max(length, longest.get(first, 0))
    return longest


@cache
def _phrases() -> dict[str, dict[str, list[str]]]:
    text = files("tunesmith.core.privacy").joinpath("data", "phrases.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def listed(section: str, name: str) -> Set[str]:
    """A list of words in `data/phrases.toml`."""
    return frozenset(_phrases()[section][name])


def choice(section: str, name: str) -> str:
    """A list of phrases in `data/phrases.toml` as one regular expression that matches any of them."""
    return f"(?:{'|'.join(_phrases()[section][name])})"


def behind(section: str, name: str, gap: str = " ") -> re.Pattern[str]:
    """Finds a text that ends in one of the listed phrases, with `gap` between them and its end."""
    return re.compile(rf"\b{choice(section, name)}{gap}$", re.IGNORECASE)
