"""Brackets and code blocks that a text opens and does not close."""

import re

STRING_OR_BRACKET = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*+\"?|(?:(?<!\w)|(?<=\b[rbf]))'[^'\n]{1,80}'|[\[\](){}]"
)
"""Strings end at the line's end at the latest, so that an inch sign costs one line only."""
PARTNERS = {")": "(", "]": "[", "}": "{"}
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})(.*)$", re.MULTILINE)
SMILES = ":;=-"
"""What stands before a bracket that is a mouth."""


def open_brackets(text: str) -> list[int]:
    """Where the brackets stand that nothing closes; of `[0, 1)` both ends count as closed."""
    places: list[int] = []
    for found in STRING_OR_BRACKET.finditer(text):
        mark, place = found.group(), found.start()
        if mark in PARTNERS.values():
            if place == 0 or text[place - 1] not in SMILES or mark != "(":
                places.append(place)
        elif mark in PARTNERS and places:
            while len(places) > 1 and text[places[-1]] != PARTNERS[mark]:
                places.pop()
            places.pop()
    return places


def ends_in_code_block(text: str) -> bool:
    """Whether a fence at the beginning of a line opens a block that is not closed, not even within a line."""
    opened = ""
    for mark, rest in FENCE.findall(text):
        if not opened:
            opened = "" if mark in rest else mark
        elif mark.startswith(opened) and not rest.strip():
            opened = ""
    return bool(opened) and text.count(opened) % 2 == 1
