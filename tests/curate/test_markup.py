"""Remains of a web page are noted; code, types, comparisons and what is asked for are none."""

import time

import pytest

from conftest import example
from tunesmith.curate.filters.known import Filters

REMAINS = [
    "<p>Hello</p>&nbsp;there",
    "Open the lid.<br />Close it.",
    'See <div class="note">the manual',
    'Read<a href="https://example.org">this</a> first.',
    "It is <b>very</b> hot.",
    "It is<i>very</i> hot.",
    "Fish &amp; chips",
    "Sch&ouml;n, don&#39;t you think?",
    "Use `x < y` here.<br>And `z` there.",
]
GOOD = [
    "```html\n<p>Hello</p>\n```",
    "```html\n<p>Hello</p>",
    "Use `<br />` for it.",
    "A List<String>, a Map<K, V> and a Vec<a>",
    "where a < b and c > d, or a <b and c> d",
    "scanf takes &num; R&D; AT&T; x &copy_of",
    "| a | b |\n|---|---|\n| one<br>two | three |",
    "Write the <br> tag at the end of the line.",
    '<?xml version="1.0"?>\n<table><tr/></table>',
    "<order><id>3</id></order>",
]
ASKED = [
    ("Write it as XML.", "<table><p>1</p></table>"),
    ("How do I make a paragraph in HTML?", "<p>Hello</p>"),
    ("What is wrong with <p>Hello<p>?", "<p>Hello</p>"),
]


def found(answer: str, question: str = "Well?") -> list[float]:
    noted = Filters(["markup"], root=None)(example(question, answer))
    return [one.finding.score for one in noted]


@pytest.mark.parametrize("answer", REMAINS)
def test_remains_of_a_web_page_are_noted(answer):
    assert found(answer) == [0.6]


@pytest.mark.parametrize("answer", GOOD)
def test_code_types_comparisons_and_tables_are_no_remains(answer):
    assert found(answer) == []


@pytest.mark.parametrize(("question", "answer"), ASKED)
def test_who_asks_for_markup_gets_it(question, answer):
    assert found(answer, question) == []


@pytest.mark.parametrize("piece", ["<", "<a a=", "<p ", "`", "```", "|", "&", "<br> tag "])
def test_a_megabyte_that_nearly_matches_takes_no_longer_than_any_other(piece):
    began = time.perf_counter()

    found("<" + piece * (1_000_000 // len(piece)))

    assert time.perf_counter() - began < 5
