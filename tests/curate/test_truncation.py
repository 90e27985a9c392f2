"""What was cut off is found, whatever it is; what ends as its kind ends is left alone."""

import time

import pytest

from conftest import example
from tunesmith.curate.filters.known import Filters

PROSE = "The parcel left the warehouse in the morning and will be with you soon. " * 3
LONG_ITEM = (
    "- a step that says at some length what is to be done with the box and stops without a mark\n"
)
CUT = [
    ('{"name": "Ann", "age": 3', 0.85),
    ('{\n  "name": "Ann",\n  "tags": [\n    "a"', 0.85),
    ('{"text": "It was a dark [and', 0.85),
    ("[1, 2, 3, 4", 0.85),
    ("```python\nprint(1)", 0.8),
    ("First:\n\n```sh\nls\n```\n\nThen:\n\n```sh\nrm -r", 0.8),
    ("~~~\nls -la", 0.8),
    ("function add(a, b) {\n  return a + b;", 0.7),
    ("SELECT name FROM people WHERE id IN (1, 2", 0.7),
    ("The reasons are price, quality and", 0.7),
    ("Die Gr\u00fcnde sind Preis, Qualit\u00e4t und", 0.7),
    ("Open the lid. Then press the button and wait for", 0.7),
    ("We offer red, green, blue,", 0.7),
    ("The formula is x =", 0.7),
    (PROSE + "And then it", 0.5),
    (PROSE + "\n\nPlease make sure that the box is quite dry before you open it and take it", 0.5),
]
WHOLE = [
    *["C++", "A", "Option A", "AB+", "18+", "the", "log in", "YWJjZA==", "The interval is [0, 1)", "Sad :("],
    '{"a": 1}\n{"a": 2}',
    '{"a": True, "b": None}',
    '{"a": 1} is the object.',
    "[1] The study is old.\n[2] The study is new.",
    "Use ``` to open a code block.",
    "```python\nprint(1)```",
    "````md\n```py\nx\n```\n````",
    "if c == '(':\n    depth += 1",
    "Begin with `class Foo {` and end with a brace.",
    "Thank you for the order.\n\nBest regards,",
    "Schalten Sie das Licht an",
    "red, green, blue, yellow, orange, purple, pink, brown, " * 4 + "azure",
    "\u8fd9\u4e2a\u5305\u88f9\u660e\u5929\u5230\u3002" * 30,
    "\u0e1e\u0e31\u0e2a\u0e14\u0e38\u0e08\u0e30\u0e16\u0e36\u0e07. " * 20 + "\u0e1e\u0e23\u0e38\u0e48\u0e07",
    PROSE + "More: https://example.org/help",
    PROSE + "See you soon \U0001f600",
    PROSE + "\n\n    return x + y",
    PROSE + "\n\n| size | price |\n|---|---|\n| large | 5 |",
    PROSE + "\n\n" + LONG_ITEM * 3,
]  # fmt: skip


def found(answer: str) -> list[float]:
    noted = Filters(["truncation"], root=None)(example("Well?", answer))
    return [one.finding.score for one in noted]


@pytest.mark.parametrize(("answer", "score"), CUT)
def test_an_answer_that_is_cut_off_is_noted(answer, score):
    assert found(answer) == [score]


@pytest.mark.parametrize("answer", WHOLE)
def test_an_answer_that_ends_as_its_kind_ends_is_left_alone(answer):
    assert found(answer) == []


@pytest.mark.parametrize("piece", ["(", '{"', "```\n", "~~~", '"\\', "'", "[)", "a. to ", "\n> "])
def test_a_megabyte_that_nearly_matches_takes_no_longer_than_any_other(piece):
    began = time.perf_counter()

    found('{"' + piece * (1_000_000 // len(piece)) + "to")

    assert time.perf_counter() - began < 5
