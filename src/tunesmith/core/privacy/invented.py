"""Names that nobody bears and no place has, made of stems and endings; and how to know one again."""

import re
import tomllib
from collections.abc import Set
from functools import cache
from importlib.resources import files

from tunesmith.core.privacy.lexicon import listed
from tunesmith.core.privacy.lexicon import words as table

MADE_OF = {
    "women": ("given_stems", "female_endings"),
    "men": ("given_stems", "male_endings"),
    "surnames": ("surname_stems", "surname_endings"),
    "places": ("place_stems", "place_endings"),
    "firms": ("place_stems", "firm_endings"),
}
"""Kinds of invented names; other kinds are plain lists of `data/stand_ins.toml`."""
REAL = ("given_names", "surnames", "cities", "regions", "common_words")
TYPES = frozenset({"PERSON", "GPE", "STREET_ADDRESS", "ORGANIZATION"})
"""Personal data whose stand-ins are invented names."""


@cache
def names(kind: str) -> tuple[str, ...]:
    """All names of a kind; no invented one is a real name, a place or a word."""
    if kind not in MADE_OF:
        return tuple(_lists()[kind])
    stems, endings = MADE_OF[kind]
    made = (stem + ending for stem in _lists()[stems] for ending in _lists()[endings])
    return tuple(name for name in made if not any(name.lower() in table(real) for real in REAL))


def pick(kind: str, number: int, *, unlike: str = "") -> str:
    """One name of a kind, never the original itself."""
    options = names(kind)
    picked = options[number % len(options)]
    is_original = picked.casefold() == unlike.casefold()
    return options[(number + 1) % len(options)] if is_original else picked


def is_invented(text: str) -> bool:
    """Whether every word of a name is an invented one, but for particles and "Road"."""
    words = set(re.findall(r"[^\W\d_]{2,}", text.casefold())) - _beside()
    return bool(words) and words <= _invented()


@cache
def _invented() -> Set[str]:
    return frozenset(name.casefold() for kind in MADE_OF for name in names(kind))


@cache
def _beside() -> Set[str]:
    return listed("people", "particles") | {street.casefold() for street in names("streets")}


@cache
def _lists() -> dict[str, list[str]]:
    source = files("tunesmith.core.privacy").joinpath("data", "stand_ins.toml").read_text("utf-8")
    return tomllib.loads(source)
