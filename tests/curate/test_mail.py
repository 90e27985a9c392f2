"""Mail: who answers whom, in which order, and what in a mail its writer did not write anew."""

from pathlib import Path

import pytest

from curate.reading import Read, load


def said(example) -> list[str]:
    return [f"{turn.role[0]}: {turn.content}" for turn in example.messages]


def reasons(read: Read) -> list[str]:
    return [row.reason for row in read.rejected]


def mail(number: int, body: str, *above: int, sender: str = "", **headers: str) -> str:
    """A mail of a mailbox; odd ones are Ann's, even ones the help desk's, unless a sender is named."""
    fields = {
        "From": sender or ("ann@c.org" if number % 2 else "help@a.org"),
        "Message-ID": f"<{number}@x>",
        "Date": f"Mon, 1 Jan 2024 {9 + number}:00:00 +0000",
        "References": " ".join(f"<{one}@x>" for one in above),
    }
    fields |= {name.replace("_", "-"): text for name, text in headers.items()}
    head = "\n".join(f"{name}: {text}" for name, text in fields.items() if text)
    return f"From x Mon Jan  1 00:00:00 2024\n{head}\n\n{body}\n\n"


def mailbox(tmp_path: Path, *mails: str) -> Read:
    path = tmp_path / "a.mbox"
    path.write_text("".join(mails), encoding="utf-8")
    return load(path, path.name)


def test_a_reply_stands_behind_what_it_answers_whatever_its_date(tmp_path):
    loaded = mailbox(
        tmp_path,
        mail(2, "Press it.", 1, Date=""),
        mail(4, "The red one.", 1, Date="", In_Reply_To="<3@x>"),
        mail(3, "Which?", 1, 2, Date="Mon, 1 Jan 2024 08:00:00 +0000"),
        mail(1, "How?"),
    )

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it.", "u: Which?", "a: The red one."]


def test_where_a_mail_has_no_date_the_day_it_arrived_counts(tmp_path):
    received = "from x by y;\n Mon, 1 Jan 2024 11:30:00 +0000"
    replies = [
        mail(3, "Thanks.", 1, Date="Mon, 1 Jan 2024 12:00:00 +0000"),
        mail(2, "Press it.", 1, Date="", Received=received),
    ]

    loaded = mailbox(tmp_path, *replies, mail(1, "How?"), mail(4, "Welcome.", 1))

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it.", "u: Thanks.", "a: Welcome."]


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 10:00:00 +0000",
        "Mon, 01 Jan 2024 10:00:00 +9999999999999999",
        "Mon, 01 Jan 2024 99999:00:00 +0000",
        "never",
    ],
)
def test_a_date_that_is_none_costs_nothing(tmp_path, date):
    loaded = mailbox(tmp_path, mail(2, "Press it.", 1), mail(1, "How?", Date=date))

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it."]
    assert not loaded.rejected


def test_mails_that_refer_to_one_another_in_a_circle_are_read(tmp_path):
    loaded = mailbox(tmp_path, mail(2, "Press it.", 1), mail(1, "How?", 2), mail(4, "Or not.", 4))

    assert len(loaded.examples) + len(loaded.rejected) == 2


def test_a_mail_of_which_nothing_tells_the_place_is_set_aside(tmp_path):
    stray = mail(6, "Hm.", 9, Date="").split("\n", 1)[1]
    (tmp_path / "b.eml").write_text(stray)
    (tmp_path / "a.mbox").write_text(mail(1, "How?", 9) + mail(2, "Press it.", 1))

    loaded = load(tmp_path, "mail")

    assert [said(row) for row in loaded.examples] == [["u: How?", "a: Press it."]]
    assert reasons(loaded) == [
        "its place in its thread is not known: it has no date, and what it answers is not here"
    ]
