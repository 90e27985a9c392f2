"""Keys and passwords that a model must not learn."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.randomness import is_placeholder, is_random

ASSIGNED = re.compile(r"[:=](?<=[dtnyDTNY\"'\s].)(?=\s{0,9}[\"']?([^\s\"',;]{8,200}))")
"""A value behind what may be one of the names below."""
BEARER = re.compile(r"[Bb](?:earer|EARER)\s{1,9}([\w.~+/=-]{16,200})")
NAME = re.compile(
    r"(?i)(?:passw(?:or)?d|pwd|secret|token|(?:api|access)[_-]?key)(?:[_-](?:key|id))?[\"']?\s{0,9}\Z"
)
"""Also with words before it, as in AWS_SECRET_ACCESS_KEY, client-secret and dbPassword."""
NAME_CHARACTERS = 30
"""The longest of these names, with its quotation mark and spaces."""
IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]{0,64}:([^\s:/@]{6,64})@[^\s/]")
SAYS_PASSWORD = re.compile(r"(?i)(?:[a-z]{0,8}[_-]?)?(?:password|passwd|secret|token)\d{0,3}")
"""What stands in an address in place of the password, as in `user:db_password@`."""
PASSWORD_BITS = 3.5
"""Least entropy where only a word such as `token` before it says that it is a key."""
SHOWN_CHARACTERS = 4
"""Enough to find the key, too little to use it."""


@row_filter
def secrets() -> RowFilter:
    """Remove rows with private keys or keys of known services; note what looks like a password."""

    def check(example: Example) -> Finding | None:
        text = "\n".join(said for _, said in example.texts)
        for part, kind in _kinds():
            if part in text and (found := kind.find(text)):
                return Finding(1.0, f"holds {kind.name}: {_hidden(found)}")
        if "://" in text and "@" in text and (found := _password_in_address(text)):
            return Finding(0.8, f"holds an address with a password: {_hidden(found)}")
        if found := next(_passwords(text), None):
            return Finding(0.8, f"holds what looks like a password: {_hidden(found)}")
        return None

    return check


def _password_in_address(text: str) -> str | None:
    return next(
        (
            match.group()
            for match in IN_ADDRESS.finditer(text)
            if not is_placeholder(match.group(1)) and not SAYS_PASSWORD.fullmatch(match.group(1))
        ),
        None,
    )


def _passwords(text: str) -> Iterator[str]:
    """Values that look random, behind a name that says what they are."""
    named = (
        match
        for match in ASSIGNED.finditer(text)
        if NAME.search(text, max(0, match.start() - NAME_CHARACTERS), match.start())
    )
    for match in chain(named, BEARER.finditer(text)):
        value = match.group(1)
        if not value.isalpha() and is_random(value, least_bits=PASSWORD_BITS):
            yield value


def _hidden(secret: str) -> str:
    return f"{secret[:SHOWN_CHARACTERS]}\u2026 ({len(secret)} characters)"


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    """Its groups are what is drawn at random; one of them has matched."""

    def find(self, text: str) -> str | None:
        """The first key of this kind in the text that is no placeholder."""
        return next(
            (
                match.group()
                for match in self.pattern.finditer(text)
                if is_random(match.group(match.lastindex or 0))
            ),
            None,
        )


@cache
def _kinds() -> list[tuple[str, _Kind]]:
    """The kinds of keys in `secrets.json`, by the parts that one looks for first, for it is quick: each key has one."""
    text = files("tunesmith.curate.filters").joinpath("secrets.json").read_text(encoding="utf-8")
    return [
        (part, kind)
        for name, rule in json.loads(text).items()
        for kind in [_Kind(name, re.compile(rule["pattern"]))]
        for part in rule["holds"]
    ]
