"""Slack exports: what people wrote is learnt, and a thread whose first message is gone is not turned round."""

import json
from pathlib import Path

import pytest

from curate.reading import Read, load


def message(user: str, text: str, ts: str, thread: str = "1", **more: str) -> dict[str, str]:
    return {"user": user, "text": text, "ts": ts, "thread_ts": thread, **more}


def export(tmp_path: Path, *messages: dict[str, str]) -> Read:
    (tmp_path / "help").mkdir()
    (tmp_path / "users.json").write_text('[{"id": "U7", "real_name": "Ann"}]')
    (tmp_path / "channels.json").write_text("[]")
    (tmp_path / "help/2024-01-01.json").write_text(json.dumps(messages))
    return load(tmp_path, "export")


def outcome(read: Read) -> tuple[list[list[str]], list[str]]:
    said = [[turn.content for turn in example.messages] for example in read.examples]
    return said, [row.reason for row in read.rejected]


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"subtype": "tombstone", "user": "USLACKBOT"}, "nobody wrote it: tombstone"),
        ({"subtype": "reminder_add"}, "nobody wrote it: reminder_add"),
        ({"subtype": "channel_archive"}, "nobody wrote it: channel_archive"),
        ({"subtype": "bot_message", "bot_id": "B1"}, "nobody wrote it: bot_message"),
        ({"bot_id": "B1"}, "a bot wrote it"),
        ({"user": "USLACKBOT"}, "a bot wrote it"),
    ],
)
def test_what_nobody_wrote_is_set_aside(tmp_path, marks, reason):
    notice = message("U2", "This message was deleted.", "2") | marks
    answer = message("U2", "Press it.", "3", subtype="thread_broadcast")

    read = export(tmp_path, message("U1", "How?", "1"), notice, answer)

    assert outcome(read) == ([["How?", "Press it."]], [reason])


def rich(*parts: dict[str, object]) -> list[dict[str, object]]:
    return [{"type": "rich_text", "elements": [*parts]}]


def section(*elements: dict[str, object]) -> dict[str, object]:
    return {"type": "rich_text_section", "elements": [*elements]}


def text(words: str, **style: bool) -> dict[str, object]:
    return {"type": "text", "text": words, "style": style}


LINE = section(
    text("Ask "),
    {"type": "user", "user_id": "U7"},
    text(" & see "),
    {"type": "link", "url": "https://a.org"},
    text(", "),
    {"type": "link", "url": "https://b.org", "text": "the docs"},
    text(" "),
    {"type": "emoji", "name": "ok_hand", "unicode": "1f44c-1f3fd"},
    {"type": "emoji", "name": "party"},
    text(" run "),
    text("ls", code=True),
)
LIST = [
    {"type": "rich_text_list", "style": "ordered", "elements": [section(text("one"))]},
    {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section(text("in"))]},
    {"type": "rich_text_list", "style": "ordered", "offset": 1, "elements": [section(text("two"))]},
]
QUOTE = {"type": "rich_text_quote", "elements": [text("It\nfails")]}
CODE = {"type": "rich_text_preformatted", "elements": [text("a <b>")]}
BOT_KIT = [
    {"type": "header", "text": {"type": "plain_text", "text": "Steps"}},
    {"type": "divider"},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "<@U7>: <https://a.org|here> &amp; now"},
    },
    {
        "type": "section",
        "fields": [{"type": "mrkdwn", "text": "A"}, {"type": "mrkdwn", "text": "B"}],
    },
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "note"}, {"type": "image"}]},
]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"blocks": rich(LINE)}, "Ask @Ann & see https://a.org, the docs 👌🏽:party: run `ls`"),
        ({"blocks": rich(*LIST)}, "1. one\n    - in\n2. two"),
        (
            {"blocks": rich(QUOTE, section(text("No.")), CODE)},
            "> It\n> fails\nNo.\n```\na <b>\n```",
        ),
        ({"blocks": BOT_KIT}, "Steps\n\n@Ann: here & now\n\nA\nB\n\nnote"),
        ({"attachments": [{"title": "T", "text": "&lt;x&gt;", "fallback": "no"}]}, "T\n<x>"),
        ({"attachments": [{"blocks": rich(LINE), "text": "no"}]}, None),
        ({"attachments": [{"fallback": "Only this"}]}, "Only this"),
    ],
)
def test_a_message_without_text_says_what_its_blocks_or_attachments_say(tmp_path, body, said):
    read = export(tmp_path, message("U1", "How?", "1"), message("U2", "", "2") | body)

    said = said or "Ask @Ann & see https://a.org, the docs 👌🏽:party: run `ls`"
    assert outcome(read) == ([["How?", said]], [])


def test_text_goes_before_blocks_and_a_message_passed_on_is_nobodys_own(tmp_path):
    passed_on = {"attachments": [{"is_share": True, "text": "Others said"}]}

    read = export(
        tmp_path,
        message("U1", "How?", "1"),
        message("U2", "Press it.", "2") | {"blocks": rich(LINE)},
        message("U3", "", "3") | passed_on,
    )

    assert outcome(read) == ([["How?", "Press it."]], ["a message without text"])


def test_a_thread_without_its_first_message_is_set_aside_rather_than_learnt_the_wrong_way_round(
    tmp_path,
):
    deleted = message("USLACKBOT", "This message was deleted.", "1", subtype="tombstone")
    replies = [message("U2", "Press it.", "2"), message("U1", "Thanks, it works.", "3")]

    read = export(
        tmp_path, deleted, *replies, message("U2", "Yes.", "9", "8"), message("U1", "Hm?", "8", "8")
    )

    missing = "the first message of the thread is missing or set aside, so it is not known who asks"
    assert outcome(read) == ([["Hm?", "Yes."]], ["nobody wrote it: tombstone", missing])
