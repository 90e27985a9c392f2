"""Threads of tickets and message tables: who asks, who answers, in which order, and what is nobody's to learn."""

import json
from pathlib import Path

import pytest

from curate.reading import Read, load


def said(example) -> list[str]:
    return [f"{turn.role[0]}: {turn.content}" for turn in example.messages]


def table(tmp_path: Path, text: str) -> Read:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return load(path, path.name)


def ticket(tmp_path: Path, *comments: dict, **fields: object) -> Read:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"tickets": [{**fields, "comments": comments}]}))
    return load(path, path.name)


def reasons(read: Read) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in read.rejected]


@pytest.mark.parametrize(
    ("column", "open_word", "closed_word"),
    [
        ("public", "true", "false"),
        ("Is Public", "1", "0"),
        ("is_private", "no", "yes"),
        ("internal", "", "x"),
        ("visibility", "public", "agents"),
        ("type", "reply", "Internal Note"),
    ],
)
def test_private_notes_of_a_message_table_are_set_aside_and_counted(
    tmp_path, column, open_word, closed_word
):
    text = f"""ticket_id,author_role,body,{column}
1,customer,How do I reset it?,{open_word}
1,agent,He is on the fraud list.,{closed_word}
1,agent,Use the link.,{open_word}
"""

    loaded = table(tmp_path, text)

    assert [said(row) for row in loaded.examples] == [["u: How do I reset it?", "a: Use the link."]]
    assert reasons(loaded) == [(3, "a private note")]
    assert "fraud" in loaded.rejected[0].row
    assert loaded.rejected[0].file == "a.csv"


@pytest.mark.parametrize(
    "mark",
    [
        {"is_public": False},
        {"public": "false"},
        {"jsdPublic": False},
        {"type": "note"},
        {"part_type": "note"},
        {"kind": "internal_note"},
        {"internal": True},
        {"private": 1},
        {"visibility": {"type": "role", "value": "Administrators"}},
    ],
)
def test_private_comments_of_a_ticket_are_left_out_and_their_number_is_kept(tmp_path, mark):
    asked = {"author_id": 7, "body": "Money back?", "public": True, "private": "f"}
    note = {"author_id": 9, "body": "Fraud?", **mark}
    answered = {"author_id": 9, "body": "Done.", "internal": False, "type": "comment"}

    loaded = ticket(tmp_path, asked, note, answered, requester_id=7)

    assert said(loaded.examples[0]) == ["u: Money back?", "a: Done."]
    assert loaded.examples[0].metadata["private_notes"] == "1"


def test_a_ticket_of_private_notes_alone_says_so(tmp_path):
    note = {"author_id": 9, "body": "Fraud?", "public": False}

    loaded = ticket(tmp_path, note, note, description="Money back?")

    assert reasons(loaded) == [(1, "every comment is a private note")]
