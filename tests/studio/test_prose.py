"""What is shown as code, and that nothing of a text is lost by it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.studio.prose import blocks, is_code, is_data


def test_fenced_code_stands_apart_from_what_is_said_about_it():
    found = blocks("So:\n```python\na = 1\n```\nand\n~~~~\n```\n~~~~\nDone.\n```sh\nnever closed")

    assert found == [
        ("So:\n", False),
        ("```python\na = 1\n```\n", True),
        ("and\n", False),
        ("~~~~\n```\n~~~~\n", True),
        ("Done.\n", False),
        ("```sh\nnever closed", True),
    ]


@given(st.text(alphabet="`~ \nab"))
def test_the_blocks_are_the_text(text):
    assert "".join(block.text for block in blocks(text)) == text


@pytest.mark.parametrize(
    ("text", "is_json", "looks_like_code"),
    [
        ('{"a": 1}', True, True),
        ("\n[1, 2]\n", True, True),
        ("[1] says no", False, False),
        ("3", False, False),
        ("[" * 100_000, False, False),
        ("use `a` or\n```b``` instead", False, False),
        ("- a list:\n```\nx\n```", False, True),
    ],
)
def test_data_and_code_are_known_by_their_form(text, is_json, looks_like_code):
    assert (is_data(text), is_code(text)) == (is_json, looks_like_code)


def test_thousands_of_open_fences_are_cut_in_time_for_a_page():
    started = time.perf_counter()

    blocks("````\n```\n" * 20_000)

    assert time.perf_counter() - started < 2
