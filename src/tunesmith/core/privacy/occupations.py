"""What people do for a living: nouns that end job titles, with the words before them, where a job is told."""

import re
from collections.abc import Iterator, Sequence

from tunesmith.core.privacy.lexicon import behind, choice, listed
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import FUNCTION_WORDS
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import Word

TOLD_BEFORE = behind("occupations", "told_before", "[ :]")
THE = re.compile(r"\b(?:the|our|my|its|his|her|their|,) $", re.IGNORECASE)
AS = re.compile(r" as $")
APPOSITION = re.compile(r"[^\W\d_]['’]?[\w.]*, the $")
OF_SOMEBODY = re.compile(r" (?:of|at|for|from) (?:the )?[A-Z]")
LINE = re.compile(r"[ \t>*|?-]*([^\W\d_](?:[^\W\d_]|[ ,'’/&-]){2,70})[ \t]*$", re.MULTILINE)
BESIDE = re.compile(r", (?:(?:an?|the|our|my|his|her|their|its) )?| [-–|] ")
"""Between a name and a job."""
CLOSES = re.compile(r"$|[,.\n]| \| | (?:at|for|from|of|in) ")
"""Behind a job that stands behind a name."""
AT_FIRM = re.compile(r", [^\W\d_a-zß-öø-ÿ][^\n,]*$", re.MULTILINE)
"""The rest of a line of a signature that begins with a job."""
LONGEST_TITLE = 7
"""Words."""
SHORTEST_NOUN = 3
"""Letters: CEO."""
ENDINGS = tuple(listed("occupations", "endings"))
STRONG_ENDINGS = tuple(listed("occupations", "strong_endings"))
"""Say that a word is a job, even one that no list knows."""
HEAD_OF = re.compile(
    rf"\b{choice('occupations', 'heads')} of [A-Z][a-z]+(?:(?:,| and| &)? [A-Z][a-z]+){{0,3}}"
)
LINKS = frozenset({"and", "of", "or", "for"})
NO_MODIFIERS = frozenset({"a", "an", "the", "as", "is", "in", "to", "my"})


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Job titles in `text`."""
    for match in HEAD_OF.finditer(text):
        inside = [word for word in words if match.start() <= word.start < match.end()]
        if all(word.is_common for word in inside):
            yield Span(*match.span(), "TITLE", 0.6)
    for index, word in enumerate(words):
        if not _ends_title(text, words, index):
            continue
        if line := _line_of(text, word):
            yield Span(*line, "TITLE", 0.6)
            continue
        title = words[_first(text, words, index) : index + 1]
        if score := _score(text, title) or _of_a_name(text, words, index, title):
            yield Span(title[0].start, word.end, "TITLE", score)


def _ends_title(text: str, words: Sequence[Word], index: int) -> bool:
    """It is a noun for a job, and the next word is none, which would end a longer title."""
    follower = words[index + 1] if index + 1 < len(words) else None
    goes_on = follower is not None and _joins(text, words[index], follower)
    return _is_job(words[index]) and not (goes_on and follower is not None and _is_job(follower))


def _is_job(word: Word) -> bool:
    return (
        (
            word.folded in table("occupation_heads")
            or word.folded in listed("occupations", "people")
            or word.folded.endswith(STRONG_ENDINGS)
        )
        and word.folded not in listed("occupations", "never")
        and len(word.text) >= SHORTEST_NOUN
    )


def _first(text: str, words: Sequence[Word], index: int) -> int:
    """Position of the first word of the title that ends at `index`."""
    first = index
    while first and index - first < LONGEST_TITLE:
        previous = words[first - 1]
        is_part = previous.folded in table("occupation_modifiers")
        if (
            not is_part
            or previous.folded in NO_MODIFIERS
            or not _joins(text, previous, words[first])
        ):
            break
        first -= 1
    while words[first].folded in LINKS:
        first += 1
    return first


def _score(text: str, title: Sequence[Word]) -> float:
    start, end = title[0].start, title[-1].end
    if not _is_agent(title[-1]):
        return 0.0
    if len(title) > 1 and all(word.is_capitalised for word in title):
        return 0.55
    if THE.search(text[max(0, start - 6) : start]) and OF_SOMEBODY.match(text, end):
        return 0.5
    if title[0].is_capitalised and AS.search(text[max(0, start - 4) : start]):
        return 0.5
    is_told = TOLD_BEFORE.search(text[max(0, start - 40) : start])
    return 0.0 if not is_told else 0.6 if len(title) > 1 else 0.5


def _of_a_name(text: str, words: Sequence[Word], index: int, title: Sequence[Word]) -> float:
    """A job beside its holder's name: "our accountant Pavel Horák", "Walter Brandt, project manager, Hanover"."""
    start, end = title[0].start, title[-1].end
    if not _is_agent(title[-1]):
        return 0.0
    if index + 1 < len(words) and THE.search(text[max(0, start - 6) : start]):
        holder = words[index + 1]
        is_apart = len(title) > 1 and text[end : holder.start] == ", "
        if (is_apart or text[end : holder.start] == " ") and _is_given_name(holder):
            return 0.5
    first = index - len(title) + 1
    if first and BESIDE.fullmatch(text, words[first - 1].start - 2, start):
        first -= 1  # the article between them
    names = words[first - 2 : first] if first >= 2 else []
    is_beside = bool(names) and bool(BESIDE.fullmatch(text, names[1].end, start))
    is_named = is_beside and names[1].is_capitalised and _is_given_name(names[0])
    if text[end : end + 1] == "," and APPOSITION.search(text[max(0, start - 30) : start]):
        is_named = is_named or (bool(names) and names[-1].is_capitalised)
    if is_named and CLOSES.match(text, end):
        return 0.5
    is_line = text[start - 1 : start] == "\n" and bool(AT_FIRM.match(text, end))
    return 0.5 if is_line else 0.0


def _is_given_name(word: Word) -> bool:
    return word.is_capitalised and word.folded in table("given_names")


def _line_of(text: str, head: Word) -> tuple[int, int] | None:
    """Where a job title fills a line between other lines, as in a signature or on a card."""
    begin = text.rfind("\n", 0, head.start) + 1
    line = LINE.match(text, begin)
    if not begin or not line or line.end(1) != head.end or line.end() == len(text):
        return None
    if line[1].split()[0].casefold() in FUNCTION_WORDS:
        return None
    return line.span(1)


def _joins(text: str, left: Word, right: Word) -> bool:
    return text[left.end : right.start] in {" ", ", ", "-", "/", "'s "}


def _is_agent(word: Word) -> bool:
    """A noun for somebody who does something."""
    return word.folded in listed("occupations", "people") or word.folded.endswith(ENDINGS)
