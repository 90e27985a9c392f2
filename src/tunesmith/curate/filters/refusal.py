"""Answers of a language model about itself, or that refuse to answer."""

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import takewhile

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.curate.filters.phrases import Phrases

OPENING_CHARACTERS = 200
"""A refusal comes at the beginning; later the same words may be part of an answer."""
LONGEST_CHARACTERS = 1200
"""A longer answer says more than no."""
CONTENT_CHARACTERS = {"unable": 160, "withholding": 60}
"""So much said beside the refusal is an answer; "I cannot give you a refund" often is the beginning of one."""
QUOTED = re.compile(
    r"\"[^\"\n]{0,300}\"|\u201c[^\u201d\n]{0,300}\u201d|\u201e[^\u201c\n]{0,300}\u201c|\u00ab[^\u00bb\n]{0,300}\u00bb"
    r"|(?<!\w)['\u2018][^\n]{0,300}?['\u2019](?!\w)|`[^`\n]{0,300}`"
)
MARKS = ('"', "\u201c", "\u201e", "\u00ab", "'", "\u2018", "`")
OF_MODELS = ("mod", "intel", " ai", " ki", " ia", "'ia", "chatgpt", "my ")
NO = (
    "not",
    "n't",
    "unable",
    "decline",
    "refuse",
    "against my",
    "nicht",
    "kein",
    " ne ",
    "no ",
    "non ",
    "n\u00e3o",
)
"""Parts of every self-description and of every refusal that is looked for: a glance at them is quick."""
SENTENCE_END = re.compile(
    r"(?<=[.!?])\s+|\n+|, (?=(?:but|however|so|aber|mais|pero|ma|mas) )|\. (?=however)"
)


@row_filter
def refusal(*, phrases: Sequence[str] = ()) -> RowFilter:
    """Remove answers that speak as an AI language model; note answers that refuse."""
    own = Phrases(phrases)

    def check(example: Example) -> Finding | None:
        opening = _unquoted(example.answer[: 2 * OPENING_CHARACTERS])[:OPENING_CHARACTERS]
        if _any_in(OF_MODELS, opening) and (found := _patterns("as_model").search(opening)):
            return Finding(0.97, f"the answer speaks as a model: {found.group()!r}")
        refused = own.find(opening) if phrases else None
        if not refused and len(example.answer) <= LONGEST_CHARACTERS and _any_in(NO, opening):
            refused = _refusal(opening, example.answer)
        return Finding(0.7, f"the answer refuses: {refused!r}") if refused else None

    return check


def _any_in(parts: Sequence[str], text: str) -> bool:
    return any(part in text for part in parts)


def _unquoted(text: str) -> str:
    """A text without what it quotes, in small letters and with plain apostrophes."""
    plain = QUOTED.sub("", text) if _any_in(MARKS, text) else text
    return plain.replace("\u2019", "'").casefold()


def _refusal(opening: str, answer: str) -> str | None:
    """The words of a refusal that only polite sentences come before, and hardly anything behind."""
    sentences = SENTENCE_END.split(opening)
    polite = len(list(takewhile(_is_polite, sentences)))
    for place, sentence in enumerate(sentences[: polite + 1]):
        for kind, most in CONTENT_CHARACTERS.items():
            found = _patterns(kind).search(sentence)
            if not found or _patterns("reported").search(sentence[: found.start()]):
                continue
            if _content_characters(SENTENCE_END.split(_unquoted(answer))[place + 1 :]) < most:
                return found.group()
    return None


def _is_polite(sentence: str) -> bool:
    return not sentence.strip() or _patterns("polite").search(sentence) is not None


def _content_characters(sentences: Sequence[str]) -> int:
    """How much is said by sentences that neither moralise nor offer other help."""
    return sum(len(one) for one in sentences if not _patterns("empty").search(one))


@cache
def _patterns(kind: str) -> re.Pattern[str]:
    """What is said in any of the languages of `refusal.json`, for texts in small letters."""
    text = files("tunesmith.curate.filters").joinpath("refusal.json").read_text(encoding="utf-8")
    return re.compile("|".join(language[kind] for language in json.loads(text).values()))
