"""Countries, regions and cities: names on the map, and capitalised words behind "lives in"."""

import re
from collections.abc import Iterator, Sequence

from tunesmith.core.privacy.lexicon import behind, listed, openings
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import NEVER
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import Word

BEHIND_IN = behind("places", "before")
LANGUAGE = behind("places", "language")
POST_CODE = re.compile(
    r"(?:,? |,?\n ?)(?:nan )?(?!(?:19|20)\d\d\b)"
    r"(\d{3} \d{2}|\d{4,6}(?:-\d{3,4})?|\d{4} ?[A-Z]{2})(?![\w/%€£$-]|[.,:]\d)"
)
LONGEST_PLACE, LONGEST_RUN = 8, 5
"""Words of a place on the map ("South Georgia and the South Sandwich Islands"), and of one that is on none."""
FIRST_PARTS = listed("places", "first_parts")


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Places in `text`."""
    index = 0
    while index < len(words):
        length, kind = _longest(text, words, index)
        found = words[index : index + length]
        if length and (score := _score(text, found, kind)):
            yield Span(found[0].start, found[-1].end, "GPE", score)
            yield from _post_code(text, found[-1].end)
            index += length
            continue
        word = words[index]
        if length := _named_after(text, words, index):
            yield Span(word.start, words[index + length - 1].end, "GPE", 0.5)
            yield from _post_code(text, words[index + length - 1].end)
            index += length
            continue
        run = (
            _run(text, words, index)
            if BEHIND_IN.search(text[max(0, word.start - 12) : word.start])
            else []
        )
        if any(part.is_unknown_name and part.folded not in NEVER for part in run):
            yield Span(word.start, run[-1].end, "GPE", 0.45)
            yield from _post_code(text, run[-1].end)
        elif length := _nationality(text, words, index):
            index += length - 1
            yield Span(word.start, words[index].end, "NRP", 0.7)
        index += 1


def _named_after(text: str, words: Sequence[Word], index: int) -> int:
    """Words of a town called "Lake", "Port" or the like and a name: "Port Bruceside"; 0 where there is none."""
    word, following = words[index], words[index + 1 : index + 2]
    if word.folded not in FIRST_PARTS or not word.is_capitalised or not following:
        return 0
    name = following[0]
    is_next = text[word.end : name.start] == " " and name.is_unknown_name
    return 2 if is_next and name.folded not in table("demonyms") else 0


def _nationality(text: str, words: Sequence[Word], index: int) -> int:
    """Words of a nationality, a faith or the like that begins there: "Swiss", "Sri Lankans", "middle-eastern"; or 0."""
    word = words[index]
    reach = min(openings("demonyms").get(word.folded, 1), len(words) - index)
    for length in range(reach, 0, -1):
        name = " ".join(text[word.start : words[index + length - 1].end].casefold().split())
        is_telling = word.is_capitalised or not word.is_common or length > 1 or "-" in name
        if is_telling and _is_demonym(name):
            before = text[max(0, word.start - 16) : word.start]
            return 0 if LANGUAGE.search(before) else length
    return 0


def _is_demonym(name: str) -> bool:
    demonyms, one = table("demonyms"), name.removesuffix("s")
    if name in demonyms or one in demonyms:
        return True
    return "-" in name and (
        name.replace("-", " ") in demonyms or one.rpartition("-")[2] in demonyms
    )


def _post_code(text: str, end: int) -> Iterator[Span]:
    if match := POST_CODE.match(text, end):
        yield Span(*match.span(1), "ZIP_CODE", 0.6)


def _longest(text: str, words: Sequence[Word], index: int) -> tuple[int, str]:
    first = words[index].folded
    reach = max(openings("regions").get(first, 1), openings("cities").get(first, 1))
    for length in range(min(reach, LONGEST_PLACE, len(words) - index), 0, -1):
        name = " ".join(text[words[index].start : words[index + length - 1].end].casefold().split())
        for kind in ("regions", "cities"):
            if name in table(kind):
                return length, kind
    return 0, ""


def _score(text: str, found: Sequence[Word], kind: str) -> float:
    if kind == "regions" and len(found) > 1:
        return 0.8
    if not found[0].is_capitalised or found[0].folded in NEVER:
        return 0.0
    if len(found) == 1 and found[0].folded in table("things"):
        return 0.0
    is_placed = bool(BEHIND_IN.search(text[max(0, found[0].start - 12) : found[0].start]))
    if all(word.is_common for word in found):
        return 0.45 if is_placed and len(found[0].text) > 3 else 0.0
    if len(found) == 1 and len(found[0].text) < 4 and not is_placed:
        return 0.0
    base = 0.75 if kind == "regions" else 0.55
    return base + 0.1 * is_placed + 0.1 * (len(found) > 1)


def _run(text: str, words: Sequence[Word], index: int) -> list[Word]:
    """Capitalised words that follow each other, with small words between."""
    run: list[Word] = []
    pending: list[Word] = []
    for word in words[index : index + LONGEST_RUN]:
        previous = (pending or run or [word])[-1]
        if previous is not word and text[previous.end : word.start] != " ":
            break
        if word.is_capitalised and word.folded not in NEVER:
            run, pending = [*run, *pending, word], []
        elif run and not word.is_common:
            pending.append(word)
        else:
            break
    return run
