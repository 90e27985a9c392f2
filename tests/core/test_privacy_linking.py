"""Mentions of one person: all found, in any spelling, in time that grows with the text and no faster."""

from itertools import groupby, pairwise
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.detector import Detector
from tunesmith.core.privacy.linking import full_names, linked
from tunesmith.core.privacy.span import Span, resolve

RULES = PrivacyConfig().by_rules_alone()


def people(*turns: str, config: PrivacyConfig = RULES) -> list[list[str]]:
    """Names found in each turn of one conversation."""
    found = Detector(config).find_in_conversations([turns])[0]
    return [
        [turn[span.start : span.end] for span in spans if span.type == "PERSON"]
        for turn, spans in zip(turns, found, strict=True)
    ]


def test_two_who_share_a_surname_are_found_by_it_and_it_stands_for_neither():
    turns = ["Anna Schmidt and Peter Schmidt share it", "then schmidt paid, and anna too"]

    assert people(*turns)[1] == ["schmidt", "anna"]
    named = ["Anna Schmidt", "Peter Schmidt", "schmidt", "anna"]
    assert full_names(named) == {"anna": "anna schmidt", "peter": "peter schmidt"}


def test_an_allowed_full_name_allows_its_parts_unless_another_has_them_too():
    allowing = RULES.model_copy(update={"allow": ("Ada Lovelace",)})

    assert people("Ada Lovelace wrote", "Thanks Ada! LOVELACE is right", config=allowing) == [
        [],
        [],
    ]
    assert people("Ada Lovelace and Ada Horvat", "Thanks Ada!", config=allowing)[1] == ["Ada"]
    assert people("Thanks Ada!", config=allowing) == [["Ada"]]


def test_accents_of_their_own_cut_no_name_in_two():
    turn = normalize("NFD", "I met José Álvarez and Zoë Müller in May")

    assert people(turn) == [[normalize("NFD", "José Álvarez"), normalize("NFD", "Zoë Müller")]]


def test_a_part_is_found_alone_whole_and_by_its_longest_form():
    turn = "Jean-Luc Okonkwo: jean-luc's, JEAN-LUC, okonkwos, _okonkwo, Okonkwo-Smith"
    name = Span(0, 16, "PERSON", 0.9)

    spans = linked([turn], [[name]])[0]

    found = [turn[span.start : span.end] for span in spans[1:]]
    assert found == ["jean-luc", "JEAN-LUC", "Okonkwo"]


class Counted(int):
    """A place in a text that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        Counted.compared += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        Counted.compared += 1
        return int(self) > int(other)


def test_a_text_with_many_people_takes_a_few_comparisons_for_each():
    endings = [one + two + three for one in "abcd" for two in LETTERS for three in LETTERS]
    names = [f"A{ending} Vu{ending}" for ending in endings]
    text = "\n".join(f"{name} wrote. {name.split()[1].lower()} paid." for name in names)
    starts = [text.index(name) for name in names]
    spans = [
        Span(Counted(start), Counted(start + len(name)), "PERSON", 0.9)
        for start, name in zip(starts, names, strict=True)
    ]

    found = linked([text], [spans])[0]

    assert len(found) == 2 * len(names)
    assert Counted.compared < 200 * len(names)  # each with each would be 2704


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@given(
    st.lists(
        st.builds(
            lambda start, length, score: Span(start, start + length, "ID", score),
            st.integers(0, 40),
            st.integers(1, 12),
            st.sampled_from([0.4, 0.6, 0.9]),
        )
    )
)
def test_spans_are_settled_letter_by_letter(spans):
    taken: set[int] = set()
    for span in sorted(spans, key=lambda span: (-span.score - (span.end - span.start) / 200, span)):
        free = [place for place in range(span.start, span.end) if place not in taken]
        runs = [list(run) for _, run in groupby(free, key=lambda place: place - free.index(place))]
        is_whole = len(free) == span.end - span.start
        taken.update(place for run in runs if is_whole or len(run) >= 3 for place in run)

    kept = resolve("x" * 60, spans)

    assert all(one.end <= next_one.start for one, next_one in pairwise(kept))
    assert {place for span in kept for place in range(span.start, span.end)} == taken
