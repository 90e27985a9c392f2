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


@pytest.mark.parametrize(
    "html",
    [
        # Gmail
        '<div>Press it.</div><div class="gmail_quote"><div class="gmail_attr">Il giorno 1 gennaio Ann '
        'ha scritto:</div><blockquote class="gmail_quote">How?<p>SECRET</p></blockquote></div>',
        # Outlook
        '<div><p>Press it.</p><div id="appendonsend"></div></div><hr><div id="divRplyFwdMsg">'
        "<b>From:</b> Ann</div><div>SECRET</div>",
        # Apple Mail, in the plain form of whose attribution nothing is quoted
        "<p>Press it.</p><p>On 1 Jan 2024, at 10:00, Ann &lt;ann@c.org&gt; wrote:</p>"
        '<blockquote type="cite"><div>SECRET</div></blockquote>',
        # Thunderbird and Yahoo
        '<div class="moz-cite-prefix">Am 1.1. schrieb Ann:</div><blockquote>SECRET</blockquote>Press it.',
        '<p>Press it.</p><div class="ydp1 yahoo_quoted">SECRET</div>',
        '<p>Press it.</p><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message '
        "---------<br>From: Ann<br></div>SECRET</div>",
    ],
)
def test_what_an_html_mail_quotes_is_not_learnt(tmp_path, html):
    answer = mail(2, html, 1, Content_Type="text/html; charset=utf-8")

    loaded = mailbox(tmp_path, mail(1, "How?"), answer)

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it."]


def test_answers_between_quoted_parts_of_an_html_mail_stay(tmp_path):
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">Ann wrote:</div><blockquote>How?</blockquote>'
        "<div>Press it.</div><blockquote>When?</blockquote>Now.</div>"
    )

    loaded = mailbox(tmp_path, mail(1, "How? When?"), mail(2, html, 1, Content_Type="text/html"))

    assert said(loaded.examples[0])[1] == "a: Press it.\nNow."


def parts(kind: str, *inner: str, boundary: str = "B") -> str:
    """A part of parts; each inner one is its headers, an empty line, and its text."""
    body = "".join(f"--{boundary}\n{part}\n" for part in inner)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


PLAIN = "Content-Type: text/plain\n\n"
IMAGE = "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nAAAA"


def test_text_around_a_picture_is_read_whole_and_what_is_attached_is_not(tmp_path):
    attached = "Content-Type: text/plain\nContent-Disposition: attachment\n\nLOG"
    inside = f"Content-Type: message/rfc822\n\nFrom: x@y.z\n\n{PLAIN}OTHER MAIL"
    both = parts(
        "alternative", f"{PLAIN}How do I", "Content-Type: text/html\n\n<p>As HTML</p>", boundary="C"
    )
    whole = parts("mixed", both, IMAGE, f"{PLAIN}\nfix it?\n", attached, inside)
    asked = mail(1, "\0").replace("\n\n\0", f"\n{whole}")

    loaded = mailbox(tmp_path, asked, mail(2, "Restart it.", 1))

    assert said(loaded.examples[0]) == ["u: How do I\n\nfix it?", "a: Restart it."]


def test_of_parts_that_say_the_same_an_empty_one_gives_way(tmp_path):
    html = "Content-Type: text/html\n\n<p>Restart it.</p><blockquote>How?</blockquote>"
    whole = parts("alternative", f"{PLAIN}  ", parts("related", html, IMAGE, boundary="C"))
    answer = mail(2, "\0", 1).replace("\n\n\0", f"\n{whole}")

    loaded = mailbox(tmp_path, mail(1, "How?"), answer)

    assert said(loaded.examples[0]) == ["u: How?", "a: Restart it."]


def test_a_mail_that_lies_in_two_mailboxes_is_learnt_once(tmp_path):
    for name in ("inbox.mbox", "sent.mbox"):
        (tmp_path / name).write_text(mail(1, "How?") + mail(2, "Press it.", 1))

    loaded = load(tmp_path, "mail")

    assert [said(row) for row in loaded.examples] == [["u: How?", "a: Press it."]]
    assert [row.file for row in loaded.rejected] == ["mail/sent.mbox"] * 2
    assert reasons(loaded) == ["a mail with the same Message-ID was read before"] * 2


@pytest.mark.parametrize(
    "marks",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "Auto-Replied; owner-email=h@a.org"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Auto_Submitted": "auto-generated", "Subject": "Automatic reply: How"},
    ],
)
def test_an_automatic_reply_is_set_aside_but_still_links_its_thread(tmp_path, marks):
    away = mail(2, "I am away.", 1, **marks)

    loaded = mailbox(tmp_path, mail(1, "How?"), away, mail(4, "Press it.", 2))

    assert [said(row) for row in loaded.examples] == [["u: How?", "a: Press it."]]
    assert reasons(loaded) == ["an automatic reply"]


def test_what_a_help_desk_sends_for_its_people_is_learnt(tmp_path):
    sent = mail(
        2, "Press it.", 1, Auto_Submitted="auto-generated", Subject="Re: How", Precedence="bulk"
    )

    loaded = mailbox(tmp_path, mail(1, "How?"), sent)

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it."]


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Get Outlook for Android",
        "Sent from Mail for Windows 10",
        "Sent from Mail<https://go.microsoft.com/fwlink/?LinkId=550986> for Windows",
        "Von meinem iPhone gesendet",
    ],
)
def test_the_line_of_a_mail_programme_is_left_out_and_nothing_else(tmp_path, line):
    loaded = mailbox(tmp_path, mail(1, f"How?\n\n{line}\n\nP.S. And when?"), mail(2, "Now.", 1))

    assert said(loaded.examples[0]) == ["u: How?\n\nP.S. And when?", "a: Now."]


KEPT = """It came up:

Sent from manufacturing line 3, the part is broken.
Sent from my phone and read on yours
__________
| a | b |

On Tuesday the service crashed.
Here is what the log
wrote:
PANIC 7"""


def test_lines_that_look_like_a_signature_a_rule_or_an_attribution_cut_nothing(tmp_path):
    loaded = mailbox(tmp_path, mail(1, KEPT), mail(2, "Now.", 1))

    assert said(loaded.examples[0]) == [f"u: {KEPT}", "a: Now."]


@pytest.mark.parametrize(
    "rest",
    [
        "--\n- Open the menu\n- Press it",
        "--\nAfter that you can send us the form by mail.\nBest, Bo",
        "--\nOne\nTwo\nThree\nFour\nFive",
    ],
)
def test_a_bare_rule_cuts_nothing_that_is_no_short_signature(tmp_path, rest):
    loaded = mailbox(tmp_path, mail(1, "How?"), mail(2, f"Like this:\n{rest}", 1))

    assert said(loaded.examples[0]) == ["u: How?", f"a: Like this:\n{rest}"]


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nOne\nTwo\nThree\nFour\nFive",
        "--\nBo Berg\nACME Inc.\n\n+49 30 1234",
        "--\nBo Berg\n\nOn 1 January, Ann wrote:\n> How?",
        "--",
    ],
)
def test_a_signature_is_cut(tmp_path, signature):
    loaded = mailbox(tmp_path, mail(1, "How?"), mail(2, f"Now.\n--\n- x\n{signature}", 1))

    assert said(loaded.examples[0]) == ["u: How?", "a: Now.\n--\n- x"]


@pytest.mark.parametrize(
    "quoted",
    [
        "________________________________\nFrom: Ann <a@c.org>\nSent: Monday\nTo: Help\n\nHow?",
        "_______________________________________________\nusers mailing list\nusers@a.org",
        "On Mon, Jan 1, 2024 at 10:00 AM Ann\n<ann@c.org> wrote:\n\n> How?",
        "On 1 January, Ann wrote:\n> How?",
        "On 1 January, Ann wrote:",
    ],
)
def test_what_a_rule_or_an_attribution_stands_above_is_left_out(tmp_path, quoted):
    loaded = mailbox(tmp_path, mail(1, "How?"), mail(2, f"Now.\n\n{quoted}", 1))

    assert said(loaded.examples[0]) == ["u: How?", "a: Now."]


def test_mailboxes_without_an_ending_are_read_inside_folders(tmp_path):
    (tmp_path / "Inbox.mbox").mkdir()
    (tmp_path / "Inbox.mbox/mbox").write_text(mail(1, "How?") + mail(2, "Press it.", 1))
    (tmp_path / "Inbox.mbox/table_of_contents").write_bytes(b"\0\1")
    (tmp_path / "Sent").write_text(mail(4, "Twice.", 1))

    loaded, named = load(tmp_path, "all"), load(tmp_path / "Inbox.mbox", "Inbox.mbox")

    assert said(loaded.examples[0]) == ["u: How?", "a: Press it.\n\nTwice."]
    assert said(named.examples[0]) == ["u: How?", "a: Press it."]
    assert load(tmp_path / "Inbox.mbox/mbox", "mbox").formats == ["mail"]
    assert reasons(loaded) == reasons(named) == ["1 files of kinds that are not read"]
