"""Lists of phrases, as text files beside this one and from the recipe."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


class Phrases:
    """Phrases to look for, whole words only, whatever their case."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Take the phrases."""
        self._phrases = tuple(phrase.casefold() for phrase in phrases)

    def find(self, text: str) -> str | None:
        """The first phrase of the list that is in the text."""
        plain = " ".join(text.casefold().replace("\u2019", "'").split())
        return next((one for one in self._phrases if one in plain and _stands(one, plain)), None)


def _stands(phrase: str, text: str) -> bool:
    """Whether a phrase that is in the text is there as whole words."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None


@cache
def listed(name: str) -> tuple[str, ...]:
    """The lines of `<name>.txt`, without those that begin with `#`."""
    text = files("tunesmith.curate.filters").joinpath(f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
