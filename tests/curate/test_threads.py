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
    assert loaded.reasons == [(3, "a private note")]
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

    assert loaded.reasons == [(1, "every comment is a private note")]


@pytest.mark.parametrize(
    "mark",
    [{"private": True}, {"is_internal": "yes"}, {"visibility": "internal"}, {"public": False}],
)
def test_private_turns_of_a_chat_are_left_out_and_counted(tmp_path, mark):
    turns = [
        {"role": "user", "content": "Money back?"},
        {"role": "assistant", "content": "Fraud?", **mark},
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Done.", "private": False},
        {"role": "user", "content": "Thanks. And now?"},
        {"role": "assistant", "content": "He is gone.", **mark},
    ]
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": turns}))
    (tmp_path / "b.jsonl").write_text(json.dumps({"messages": [turns[0], turns[1]]}))

    (example,) = load(tmp_path / "a.jsonl", "a.jsonl").examples
    alone = load(tmp_path / "b.jsonl", "b.jsonl")

    assert said(example) == ["u: Money back?\n\nHello?", "a: Done."]
    assert example.metadata["private_notes"] == "2"
    assert (alone.pairs, alone.reasons) == ([], [(1, "no answer: the last turn is the user's")])


def test_private_turns_are_left_out_wherever_turns_stand(tmp_path):
    asked = {"from": "human", "role": "user", "value": "Why?", "content": "Why?"}
    note = {"from": "gpt", "role": "assistant", "value": "x", "content": "x", "internal": 1}
    answer = {"from": "gpt", "role": "assistant", "value": "So.", "content": "So."}
    turns = [asked, note, answer]
    rows = [
        {"conversations": turns},
        {"prompt": [asked, note], "completion": [answer]},
        {"request": {"messages": turns[:2]}, "response": {"choices": [{"message": answer}]}},
        {"prompt": "Why?", "chosen": turns, "rejected": [asked, answer | {"value": "No."}]},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))

    loaded = load(tmp_path / "a.jsonl", "a.jsonl")

    assert loaded.pairs == [("Why?", "So.")] * 4
    assert loaded.rejected == []


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
    assert unknown.reasons == elsewhere.reasons == [(1, reason)]
    assert said(answered.examples[0]) == ["u: Money back?", "a: Done.\n\nDone."]


def test_a_message_table_with_a_requester_needs_no_roles(tmp_path):
    text = """ticket_id,requester_id,author_id,body
1,7,9,We called you.
1,7,7,Is it done?
1,7,9,It is.
"""

    assert said(table(tmp_path, text).examples[0]) == ["u: Is it done?", "a: It is."]


TWO = [["u: How do I reset?", "a: Use the link."]]


def newest_first(tmp_path: Path, later: str, earlier: str, *more: str, column: str = "created_at"):
    rows = [f'1,bob,Use the link.,"{later}"', f'1,jane,How do I reset?,"{earlier}"', *more]
    return table(tmp_path, "\n".join([f"ticket_id,author,body,{column}", *rows]))


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("2024-03-02 11:00:00 UTC", "2024-03-02 10:00:00 UTC"),
        ("2024-03-02T11:00:00Z", "2024-03-02T10:00:00Z"),
        ("2024-03-02 11:00", "2024-03-02 12:00 +05:00"),
        ("Sat, 2 Mar 2024 11:00:00 +0000", "Sat, 2 Mar 2024 12:00:00 +0200"),
        ("1709377200", "1709373600.5"),
        ("1709377200000", "1709373600"),
        ("2024/03/02", "2024/03/01"),
        ("2.3.2024 11:00", "28.2.2024 12:00"),
        ("12/13/2024, 1:00 PM", "12/13/2024, 11:00 AM"),
        ("03/02/24 11:00", "03/02/24 10:00"),
    ],
)
def test_a_thread_that_is_written_newest_first_is_turned_round(tmp_path, later, earlier):
    loaded = newest_first(tmp_path, later, earlier)

    assert [said(row) for row in loaded.examples] == TWO


def test_messages_of_the_same_day_are_turned_round_where_the_thread_is_newest_first(tmp_path):
    loaded = newest_first(tmp_path, "2024-03-02", "2024-03-02", "1,jane,Hello.,2024-03-01")

    assert said(loaded.examples[0]) == ["u: Hello.\n\nHow do I reset?", "a: Use the link."]


def test_whether_the_day_or_the_month_comes_first_is_told_by_the_whole_column(tmp_path):
    unsure = ("02/03/2024 11:00", "03/02/2024 11:00")
    sure = ("2,bob,Yes.,13/02/2024", "2,jane,Now?,12/02/2024")

    alone, told = newest_first(tmp_path, *unsure), newest_first(tmp_path, *unsure, *sure)

    assert alone.reasons == [
        (
            2,
            "the time '02/03/2024 11:00' may begin with day or month: write times as 2024-02-03 11:00, "
            "or rename the column to keep the file's order",
        )
    ]
    assert [said(row) for row in told.examples] == [*TWO, ["u: Now?", "a: Yes."]]


@pytest.mark.parametrize(
    ("later", "earlier", "reason"),
    [
        ("yesterday", "2024-03-01", "the time 'yesterday' cannot be read"),
        ("March 2, 2024 1:00 PM", "March 2, 2024 11:00 AM", "1:00 PM' cannot be read"),
        ("11:00", "10:00", "its times have no date and do not ascend"),
        ("99999-01-01", "2024-03-01", "the time '99999-01-01' cannot be read"),
    ],
)
def test_a_thread_whose_order_cannot_be_told_is_set_aside(tmp_path, later, earlier, reason):
    loaded = newest_first(tmp_path, later, earlier)

    assert not loaded.examples
    assert reason in loaded.rejected[0].reason
    assert "write times as" in loaded.rejected[0].reason
    assert loaded.rejected[0].file == "a.csv"


def test_a_thread_in_which_a_time_is_missing_and_the_others_do_not_ascend_is_set_aside(tmp_path):
    loaded = newest_first(tmp_path, "2024-03-02", "", "1,jane,Hello.,2024-03-01")

    assert "1 of its 3 messages have no time: write times as" in loaded.rejected[0].reason


def test_times_of_day_and_missing_times_that_ascend_leave_the_files_order(tmp_path):
    text = """ticket_id,author,body,date,time
1,jane,One?,,00:05
1,bob,Two.,,01:10
2,jane,One?,2024-03-01,9:00
2,bob,Two.,,
3,bob,Two.,2024-03-01,10:00
3,jane,One?,2024-03-01,09:00
4,jane,One?,,
4,bob,Two.,,
"""

    loaded = table(tmp_path, text)

    assert [said(row) for row in loaded.examples] == [["u: One?", "a: Two."]] * 4


def test_comments_of_a_ticket_stand_in_the_order_of_their_times(tmp_path):
    late = {"author_id": 9, "body": "Done.", "created_at": "2024-03-02 11:00:00 UTC"}
    early = {"author_id": 7, "body": "Now?", "created_at": "2024-03-02 10:00:00 UTC"}

    turned = ticket(tmp_path, late, early)
    unknown = ticket(tmp_path, {**late, "created_at": "then"}, early)

    assert said(turned.examples[0]) == ["u: Now?", "a: Done."]
    assert "the time 'then' cannot be read" in unknown.rejected[0].reason


def test_a_message_without_a_thread_costs_itself_alone_wherever_it_stands(tmp_path):
    text = """ticket_id,author_role,body
,customer,Lost one.
1,customer,How do I reset?
,agent,Another.
1,agent,Use the link.
"""
    rows = [{"note": "head"}, {"chat_id": 1, "user": "a", "text": "How do I reset?"}]
    rows.append({"chat_id": 1, "user": "b", "text": "Use the link."})

    loaded = table(tmp_path, text)
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lines = load(tmp_path / "b.jsonl", "b.jsonl")

    assert [said(row) for row in loaded.examples] == [said(row) for row in lines.examples] == TWO
    reason = "a message of no thread: its ticket_id is empty"
    assert loaded.reasons == [(2, reason), (4, reason)]
    assert lines.reasons == [(1, "no known columns (found: note)")]
