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


AGENT = {"id": 9, "name": "Bo"}


@pytest.mark.parametrize(
    ("requester", "author"),
    [
        ({"requester": {"id": 7, "email": "j@c.org"}}, {"author": {"id": 7}}),
        ({"requester": {"id": 7}}, {"author_id": "7"}),
        ({"requester": "Jane <J@c.org>"}, {"author": {"email": "j@c.org", "name": "J."}}),
        ({"requester_email": "j@c.org"}, {"author_email": "J@C.org"}),
        ({"reporter": {"name": "Jane"}}, {"author": "jane"}),
    ],
)
def test_the_requester_of_a_ticket_is_known_by_id_address_or_name(tmp_path, requester, author):
    answers = [
        {"author": {**AGENT, "email": "b@c.org"}, "body": text} for text in ("Done.", "Yes.")
    ]
    answers[0] |= {"author_id": 9, "author_email": "b@c.org"} if "author" not in author else {}
    asked = {**author, "body": "And the tax?"}
    ticket_of = {"description": "Money back?", **requester}

    opened = ticket(tmp_path, answers[0], asked, answers[1], **ticket_of)
    repeated = ticket(
        tmp_path, {**author, "body": " Money  back?"}, answers[0], asked, answers[1], **ticket_of
    )

    turns = ["u: Money back?", "a: Done.", "u: And the tax?", "a: Yes."]
    assert said(opened.examples[0]) == turns
    assert said(repeated.examples[0]) == ["u: Money  back?", *turns[1:]]


def test_a_ticket_that_does_not_say_who_asks_is_set_aside_rather_than_learnt_the_wrong_way_round(
    tmp_path,
):
    agent, customer = {"author": AGENT, "body": "Done."}, {"author": {"id": 7}, "body": "And?"}

    unknown = ticket(tmp_path, agent, customer, agent, description="Money back?")
    elsewhere = ticket(tmp_path, agent, customer, description="Money?", requester={"email": "j@c"})
    answered = ticket(tmp_path, agent, agent, description="Money back?")

    reason = "it is not said which author asks: add requester_id, or a role a comment"
    assert reasons(unknown) == reasons(elsewhere) == [(1, reason)]
    assert said(answered.examples[0]) == ["u: Money back?", "a: Done.\n\nDone."]


def test_a_message_table_with_a_requester_needs_no_roles(tmp_path):
    text = """ticket_id,requester_id,author_id,body
1,7,9,We called you.
1,7,7,Is it done?
1,7,9,It is.
"""

    assert said(table(tmp_path, text).examples[0]) == ["u: Is it done?", "a: It is."]
