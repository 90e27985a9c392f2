"""Organisations: names with a legal form, firms named after founders, institutions, and names behind "works for"."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from tunesmith.core.privacy.lexicon import behind, choice, listed
from tunesmith.core.privacy.lexicon import words as table
from tunesmith.core.privacy.people import FUNCTION_WORDS, IMPERATIVES, is_surname, is_told
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.words import WORD, Word

NAME = r"(?<![\w-])[^\W\d_a-zß-öø-ÿ][\w&'’.-]{0,40}"
LEGAL_FORM = re.compile(
    rf"\b{NAME}(?:,? (?:and |& )?{NAME}){{0,5}},? {choice('organisations', 'legal_forms')}(?!\w)\.?"
)
SMALL_FORM = re.compile(
    r"(?<=[\w.,] )(?:co\.,? ?ltd|inc|ltd|llc|llp|plc|corp|corporation|incorporated|gmbh)\b\.?(?![\w@/-])"
)
LONGEST_SMALL = 3
"""Words before it."""
FOUNDER = r"([^\W\d_]+(?:-[^\W\d_]+)?)"
FOUNDERS = re.compile(
    rf"\b{FOUNDER}(?:, {FOUNDER} (?:and|&|og|och|und|y|et|és)| &) {FOUNDER}(?!\w)"
)
BESIDE = re.compile(r"[A-Z][\w'’.-]* &|& [A-Z]")
"""Two people ("Amitay Isaacs & Alastair Silva") and not two founders."""
INSTITUTION = re.compile(
    rf"\b(?:{NAME} ){{0,3}}{choice('organisations', 'institutions')} (?:of|for) (?:the )?{NAME}"
    rf"(?: (?:and |of )?{NAME}){{0,3}}"
)
JOINED = re.compile(r"(?<![\w.`/$@#'\"(])[A-Z][a-z]+(?:[A-Z][a-z]+)+(?![\w(.:=/`'\"])")
"""Written in one word with inner capitals, as firms and code are: "SwiftCart"."""
WORKPLACE = behind("organisations", "before")
EMPLOYER = re.compile(
    r"\b(?:work(?:s|ed|ing)? (?:as [\w ]{3,40} )?(?:at|for|with)|(?:employed|hired) (?:as [\w ]{3,40} )?(?:at|by)"
    r"|[a-z] at|joined|contract with|[A-Z][\w'’-]+ [A-Z][\w'’-]+ (?:of|from)) $"
)
ACTS = re.compile(rf" {choice('organisations', 'acts')}\b")
BEFORE_OFFICE = re.compile(
    rf"\b(?:[Tt]he|[Oo]ur|[Mm]y|an?) ({NAME}(?: (?:(?:and|of|&) )?{NAME}){{0,4}})"
    rf"(?='s {choice('organisations', 'owned')}| {choice('organisations', 'behind')}\b)"
)


SHOUTED = re.compile(
    r"(?<![\w&'’-])[^\W\d_a-zß-öø-ÿ][A-ZÀ-Þ&'’.-]+(?: (?:& )?[A-ZÀ-Þ][A-ZÀ-Þ&'’/.-]+){1,4}(?![\w'’-])"
)
FORMS, WEAK_FORMS = listed("organisations", "shouted"), listed("organisations", "shouted_too")


def shouted(text: str) -> Iterator[Span]:
    """Names of firms in capitals, in a text that has small letters: told by their end or by what stands before."""
    if text.isupper():
        return
    for match in SHOUTED.finditer(text):
        words = match.group().casefold().rstrip(".").split()
        if any(word in FUNCTION_WORDS for word in words):
            continue
        is_named = any(word not in table("common_words") and len(word) > 3 for word in words[:-1])
        is_firm = words[-1] in FORMS or (words[-1] in WEAK_FORMS and is_named)
        if is_firm or EMPLOYER.search(text, max(0, match.start() - 60), match.start()):
            yield Span(match.start(), _end(match), "ORGANIZATION", 0.88)


def _begin(match: re.Match[str]) -> int:
    """Where the name begins behind what somebody is told to do with it: "Ask Horvat & Sons"."""
    first, _, rest = match.group().partition(" ")
    is_verb = first.casefold() in IMPERATIVES and is_told(match.string, match.start())
    return match.start() + (len(first) + 1 if is_verb and " " in rest else 0)


def _end(match: re.Match[str]) -> int:
    """Where the name ends without the stop of a sentence that it may end."""
    name = match.group()
    is_spelt = name[-3:-2] == "."  # "S.A."
    return match.end() - (name.endswith(".") and not is_spelt)


def find(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Organisations in `text`."""
    for match in LEGAL_FORM.finditer(text):
        yield Span(_begin(match), match.end(), "ORGANIZATION", 0.87)
    yield from _in_small_letters(text)
    for match in FOUNDERS.finditer(text):
        if _are_founders(match, words):
            yield Span(*match.span(), "ORGANIZATION", 0.75)
    for match in INSTITUTION.finditer(text):
        yield Span(match.start(), _end(match), "ORGANIZATION", 0.9)
    for match in JOINED.finditer(text):
        if _is_firm(text, match):
            yield Span(*match.span(), "ORGANIZATION", 0.5)
    for match in BEFORE_OFFICE.finditer(text):
        yield Span(*match.span(1), "ORGANIZATION", 0.5)
    yield from _by_words(text, words)


def _in_small_letters(text: str) -> Iterator[Span]:
    """Firms as people type them: "acme parts ltd"; but no corporation that is only "a large corporation"."""
    for match in SMALL_FORM.finditer(text):
        begin = max(text.rfind(mark, 0, match.start()) for mark in "\n.:;!?") + 1
        before = list(WORD.finditer(text, max(begin, match.start() - 60), match.start()))
        name = list(takewhile(_is_no_function_word, reversed(before)))[:LONGEST_SMALL]
        is_named = any(word.group() not in table("common_words") for word in name)
        if name and (is_named or not match.group().startswith("corporation")):
            yield Span(name[-1].start(), match.end(), "ORGANIZATION", 0.6)


def _is_no_function_word(word: re.Match[str]) -> bool:
    return word.group().casefold() not in FUNCTION_WORDS


def _by_words(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Names behind "works for", names of two families, and names that nothing explains."""
    for index, word in enumerate(words):
        if "-" in word.text and word.text.istitle() and is_surname(word):
            yield Span(word.start, word.end, "ORGANIZATION", 0.45)
        if not word.is_unknown_name or word.folded in table("demonyms"):
            continue
        run = _run(text, words, index)
        if WORKPLACE.search(text[max(0, word.start - 24) : word.start]):
            yield Span(word.start, run[-1].end, "ORGANIZATION", 0.55)
        else:
            yield Span(word.start, word.end, "ORGANIZATION", UNKNOWN_SCORE)


UNKNOWN_SCORE = 0.41
"""A capitalised word that no English sentence explains is a name of something."""


def _is_firm(text: str, joined: re.Match[str]) -> bool:
    if joined.group().casefold() in table("things"):
        return False
    start, end = joined.span()
    return bool(EMPLOYER.search(text, max(0, start - 60), start) or ACTS.match(text, end))


def _are_founders(match: re.Match[str], words: Sequence[Word]) -> bool:
    inside = [word for word in words if match.start() <= word.start < match.end()]
    names = [word for word in inside if word.start in {match.start(group) for group in (1, 2, 3)}]
    count = 3 if match[2] else 2
    beside = f"{match.string[max(0, match.start() - 20) : match.start()]}&{match.string[match.end() :][:2]}"
    if not match[2] and BESIDE.search(beside):
        return False
    return len(names) == count and all(word.is_capitalised and is_surname(word) for word in names)


def _run(text: str, words: Sequence[Word], index: int) -> list[Word]:
    run = [words[index]]
    for word in words[index + 1 : index + 6]:
        if text[run[-1].end : word.start] != " " or not word.is_capitalised:
            break
        run.append(word)
    return run
