"""Two texts side by side: nothing is lost, and what is marked differs."""

import time

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.studio.difference import compare


def marked(pieces) -> list[str]:
    return [piece.text for piece in pieces if not piece.is_shared]


def test_changed_words_are_marked_whole():
    sides = compare("open at nine, daily", "open at ten o'clock, daily")

    assert marked(sides.left) == ["nine"]
    assert marked(sides.right) == ["ten o'clock"]


@given(st.text(), st.text())
def test_the_pieces_of_a_side_are_its_text_and_shared_ones_are_the_same(left, right):
    sides = compare(left, right)

    assert "".join(piece.text for piece in sides.left) == left
    assert "".join(piece.text for piece in sides.right) == right
    shared = [[piece.text for piece in side if piece.is_shared] for side in sides]
    assert shared[0] == shared[1]


def test_long_texts_are_compared_in_time_for_a_page():
    left = "\n".join(f"line {number} of a very long answer" for number in range(3_000))
    started = time.perf_counter()

    sides = compare(left, left.replace("line 7 ", "line seven "))

    assert marked(sides.right) == ["line seven of a very long answer\n"]
    assert time.perf_counter() - started < 2
