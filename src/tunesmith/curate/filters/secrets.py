"""Keys and passwords that a model must not learn."""

import json
import re
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.randomness import is_placeholder, is_random

ASSIGNED = re.compile(
    r"(?i)(?<![\w-])[\w-]{0,64}?(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)(?:[_-](?:key|id))?"
    r"[\"']?\s{0,9}[:=]\s{0,9}[\"']?([^\s\"',;]{8,200})"
)
"""Also with words before it, as in AWS_SECRET_ACCESS_KEY, client-secret and dbPassword."""
BEARER = re.compile(r"(?i)\bbearer\s{1,9}([\w.~+/=-]{16,200})")
IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]{0,64}:([^\s:/@]{6,64})@[^\s/]")
SAYS_PASSWORD = re.compile(r"(?i)(?:[a-z]{0,8}[_-]?)?(?:password|passwd|secret|token)\d{0,3}")
"""What stands in an address in place of the password, as in `user:db_password@`."""
TELLING = ("passw", "pwd", "secret", "token", "key", "bearer")
PASSWORD_BITS = 3.5
"""Least entropy where only a word such as `token` before it says that it is a key."""
SHOWN_CHARACTERS = 4
"""Enough to find the key, too little to use it."""


@row_filter
def secrets() -> RowFilter:
    """Remove rows with private keys or keys of known services; note what looks like a password."""

    def check(example: Example) -> Finding | None:
        text = "\n".join(said for _, said in example.texts)
        for kind in _kinds():
            if found := kind.find(text):
                return Finding(1.0, f"holds {kind.name}: {_hidden(found)}")
        if "://" in text and (found := _password_in_address(text)):
            return Finding(0.8, f"holds an address with a password: {_hidden(found)}")
        if not any(word in text.lower() for word in TELLING):
            return None
        for match in chain(ASSIGNED.finditer(text), BEARER.finditer(text)):
            value = match.group(1)
            if not value.isalpha() and is_random(value, least_bits=PASSWORD_BITS):
                return Finding(0.8, f"holds what looks like a password: {_hidden(value)}")
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


def _hidden(secret: str) -> str:
    return f"{secret[:SHOWN_CHARACTERS]}\u2026 ({len(secret)} characters)"


class _Kind(NamedTuple):
    name: str
    holds: list[str]
    """Parts one of which every such key has: looked for first, for it is quick."""
    pattern: re.Pattern[str]
    """Its groups are what is drawn at random; one of them has matched."""

    def find(self, text: str) -> str | None:
        """The first key of this kind in the text that is no placeholder."""
        if not any(part in text for part in self.holds):
            return None
        return next(
            (
                match.group()
                for match in self.pattern.finditer(text)
                if is_random(match.group(match.lastindex or 0))
            ),
            None,
        )


@cache
def _kinds() -> list[_Kind]:
    """The kinds of keys in `secrets.json`."""
    text = files("tunesmith.curate.filters").joinpath("secrets.json").read_text(encoding="utf-8")
    return [
        _Kind(name, kind["holds"], re.compile(kind["pattern"]))
        for name, kind in json.loads(text).items()
    ]
