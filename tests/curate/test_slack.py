"""Slack exports: what people wrote is learnt, and a thread whose first message is gone is not turned round."""

import json
from pathlib import Path

import pytest

from curate.reading import Read, load


def message(user: str, text: str, ts: str, thread: str = "1", **more: str) -> dict[str, str]:
    return {"user": user, "text": text, "ts": ts, "thread_ts": thread, **more}


def export(tmp_path: Path, *messages: dict[str, str]) -> Read:
    (tmp_path / "help").mkdir()
    for name in ("users", "channels"):
        (tmp_path / f"{name}.json").write_text("[]")
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
