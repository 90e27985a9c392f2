"""Names of people: words that are written like names, that are names, or that stand where a name is said."""

import re
from collections.abc import Iterator, Sequence, Set
from functools import cache

from tunesmith.core.privacy.lexicon import behind, choice, listed
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import Word

HONORIFIC = re.compile(
    rf"(?<![\w-])(?i:{choice('people', 'titles')})\b\.?"
    rf"(?=\s+(?:{choice('people', 'particles')} ){{0,3}}[^\W\d_a-zß-öø-ÿ])"
)
SHORT_HONORIFIC = re.compile(
    r"(?<![\w.-])(?<!\d )(?:[Mm]rs?|[Mm][sx]|[Dd]r|[Pp]rof)\.(?!\w)|(?<!\w)(?:Mrs?|M[sx]|Dr)(?!\w)"
)
PARTICLES = listed("people", "particles")
SAID_BEFORE = behind("people", "said_before", r"[\s,:.!-]{1,3}")
NAMED = behind("people", "named")
GREETED = behind("people", "greeted", r"[\s,]{1,2}")
SAID_BEHIND = re.compile(
    rf"\s+{choice('people', 'verbs')}\b|['’]s {choice('people', 'belongings')}\b"
)
ENDING = re.compile(rf"[^\W\d_]{{2,}}{choice('people', 'endings')}$")
NEVER = listed("people", "never")
FUNCTION_WORDS = listed("people", "function_words")
IMPERATIVES = listed("people", "imperatives")
TOLD = re.compile(r"\b(?:please|then),? \Z", re.IGNORECASE)
MONTHS = frozenset({"april", "june", "august"})
"""Are given names too; May is a word besides."""


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Names in `text`, and the forms of address before them."""
    for match in SHORT_HONORIFIC.finditer(text):
        yield Span(*match.span(), "TITLE", 0.8)
    titles, titled = set(), set()
    for match in HONORIFIC.finditer(text):
        titles.add(match.start())
        titled.add(match.end())
        yield Span(*match.span(), "TITLE", 0.8)
    index = 0
    while index < len(words):
        is_titled = _is_titled(text, words[index].start, titled)
        run = _run(text, words, index, is_titled=is_titled)
        if not run or words[index].start in titles:
            index += 1
            continue
        index += len(run)
        if score := _score(text, run, is_titled=is_titled):
            yield Span(run[0].start, run[-1].end, "PERSON", score)


def is_given(word: Word) -> bool:
    """It is somewhere a given name."""
    given = table("given_names")
    return word.folded in given or ("-" in word.folded and word.folded.split("-")[0] in given)


def is_surname(word: Word) -> bool:
    """It is somewhere a family name, or ends like one."""
    surnames = table("surnames")
    parts = word.folded.split("-")
    return (
        word.folded in surnames or all(part in surnames for part in parts) or _ends_like_one(word)
    )


def begins_sentence(text: str, position: int) -> bool:
    """Nothing but white space, quotes or the end of a sentence stands before."""
    first = max(0, position - 40)
    before = text[first:position].rstrip(" \"'“‘(*_-\t")
    return (not before and first == 0) or before[-1:] in tuple(".!?:\n…")


def is_told(text: str, position: int) -> bool:
    """A verb that stands here tells somebody what to do: "Ask Maria", "then ping Peter"."""
    return begins_sentence(text, position) or bool(
        TOLD.search(text, max(0, position - 8), position)
    )


def _ends_like_one(word: Word) -> bool:
    return not word.is_common and len(word.text) > 5 and bool(ENDING.search(word.folded))


def _run(text: str, words: Sequence[Word], index: int, *, is_titled: bool) -> list[Word]:
    run: list[Word] = []
    pending: list[Word] = []
    for word in words[index : index + LONGEST_NAME]:
        so_far = pending or run
        if so_far and not _continues(text, so_far[-1], word):
            break
        if run and word.text in PARTICLES:
            pending.append(word)
        elif is_titled and not run and word.text in PARTICLES:
            run = [word]
        elif _may_follow(text, word) if run else _may_begin(text, words, index):
            run, pending = [*run, *pending, word], []
        else:
            break
    return run


LONGEST_NAME = 6
"""Words."""


def _continues(text: str, previous: Word, word: Word) -> bool:
    gap = text[previous.end : word.start]
    return gap in {" ", "\u00a0"} or (gap in {". ", "."} and len(previous.text) <= 2)


def _is_initial(text: str, word: Word) -> bool:
    behind = text[word.end : word.end + 1]
    is_other = behind.isdigit() or (word.text == "I" and behind != ".")  # "V11", or who speaks
    return len(word.text) == 1 and word.is_capitalised and not is_other


@cache
def _not_names() -> Set[str]:
    return NEVER | FUNCTION_WORDS | table("things")


@cache
def _names_of_things() -> Set[str]:
    return MONTHS | (table("things") & table("given_names"))


def _may_follow(text: str, word: Word) -> bool:
    if _is_initial(text, word):
        return True
    if not word.is_capitalised or word.folded in _not_names() or len(word.text) < 2:
        return False
    if word.is_common:
        return is_given(word) or is_surname(word)
    return not word.is_acronym


def _may_begin(text: str, words: Sequence[Word], index: int) -> bool:
    word = words[index]
    if _is_initial(text, word) and text[word.end : word.end + 1] == ".":
        return True
    if not word.is_capitalised or len(word.text) < 2 or word.is_acronym:
        return False
    if word.folded in _not_names():
        return _is_called_so(text, words, index)
    if word.folded in IMPERATIVES and is_told(text, word.start):
        return False
    if not word.is_common:
        return True
    if NAMED.search(text[max(0, word.start - 24) : word.start]):
        return True
    if word.folded not in table("given_names"):
        return False
    follower = words[index + 1] if index + 1 < len(words) else None
    if not begins_sentence(text, word.start):
        return True
    return (
        follower is not None
        and not follower.is_common
        and _continues(text, word, follower)
        and _may_follow(text, follower)
    )


def _is_called_so(text: str, words: Sequence[Word], index: int) -> bool:
    """Somebody bears the name of a month or a thing: "June Whitfield", "Thanks, April!", "my sister Ruby"."""
    word, following = words[index], words[index + 1 : index + 2]
    if word.folded not in _names_of_things():
        return False
    is_full = bool(following) and text[word.end : following[0].start] == " "
    if is_full and following[0].is_unknown_name and is_surname(following[0]):
        return True
    return bool(GREETED.search(text[max(0, word.start - 24) : word.start]))


def _is_titled(text: str, start: int, titled: set[int]) -> bool:
    first = max(0, start - 8)
    return first + len(text[first:start].rstrip()) in titled


def _score(text: str, run: Sequence[Word], *, is_titled: bool) -> float:
    start, end = run[0].start, run[-1].end
    full = [word for word in run if len(word.text) > 1 and word.text not in PARTICLES]
    if not full:
        return 0.0
    is_said = bool(SAID_BEFORE.search(text[max(0, start - 30) : start]))
    is_said = is_said or bool(SAID_BEHIND.match(text, end))
    if is_titled:
        return 0.9
    given, surname = is_given(full[0]), is_surname(full[-1])
    if len(full) > 1:
        return _score_of_full(full, given=given, surname=surname, has_initial=len(run) > len(full))
    word = full[0]
    if NAMED.search(text[max(0, start - 24) : start]):
        return 0.75
    if word.is_common:
        return 0.55 if is_said else 0.42 if _stands_alone(text, word) else 0.0
    if is_said:
        return 0.75
    if given:
        return 0.6
    return 0.5 if _ends_like_one(word) else 0.42 if surname else 0.0


def _stands_alone(text: str, word: Word) -> bool:
    """Its neighbours are not capitalised: it is not part of a headline or a title."""
    before = CLAUSE.split(text[max(0, word.start - 25) : word.start])[-1]
    behind = CLAUSE.split(text[word.end : word.end + 25])[0]
    neighbours = f"{before} {behind}".split()
    return not any(neighbour[:1].isupper() and neighbour != "I" for neighbour in neighbours)


CLAUSE = re.compile(r"[,;!?\n] ?")


def _score_of_full(full: Sequence[Word], *, given: bool, surname: bool, has_initial: bool) -> float:
    if given and surname:
        return 0.85
    if given or has_initial:
        return 0.75
    return 0.6 if surname else 0.45
