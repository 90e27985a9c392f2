"""Artifacts: an id is the content's own, and what was saved is what is loaded."""

from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core.conversation import Case, Message
from tunesmith.core.workspace import Workspace


def case(question: str, expected: str, source: str = "") -> Case:
    return Case(
        messages=(Message(role="user", content=question),), expected=expected, source=source
    )


def test_an_id_depends_on_what_is_asked_and_not_on_where_it_was_read():
    here, there = case("France?", "Paris", "a.jsonl:1"), case("France?", "Paris", "b.csv:7")

    assert GoldenSet.id_of([here]) == GoldenSet.id_of([there])
    assert GoldenSet.id_of([here]) != GoldenSet.id_of([case("France?", "Lyon")])


def test_line_separators_inside_a_text_survive_the_disk(tmp_path):
    # U+2028 and U+0085 end a line for str.splitlines, not for JSON Lines.
    cases = [case("one\u2028two\x85three\nfour", "é")]
    workspace = Workspace(tmp_path)
    made = GoldenSet(id=GoldenSet.id_of(cases), count=1, origin="golden.jsonl")

    made.write_cases(workspace, cases)
    made.save(workspace)

    assert GoldenSet.load(workspace, made.id).cases(workspace) == cases
    assert GoldenSet.ids(workspace) == [made.id]
