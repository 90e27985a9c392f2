"""Slack exports, as folder or zip: every thread a conversation of the one who asked and those who answered."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import Path as ZipPath

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.readers.slack_text import text_of
from tunesmith.curate.readers.threads import Post, conversation
from tunesmith.curate.row import RawRow, Row, rejected

SAID = frozenset({"", "file_share", "me_message", "thread_broadcast", "reply_broadcast"})
"""Kinds of message that a person wrote; all others are notices of Slack's, or tell that something was deleted."""

SLACKBOT = "USLACKBOT"
HEADLESS = "the first message of the thread is missing or set aside, so it is not known who asks"
Numbered = tuple[int, str, dict[str, Any]]
"""A message with its number and file."""
Folder = Path | ZipPath


def is_export(root: Folder) -> bool:
    """Whether a folder or archive is laid out as Slack exports are."""
    return (root / "users.json").is_file() and (root / "channels.json").is_file()


def read(root: Folder, shown: str) -> Iterator[Row]:
    """A row a thread, and one for each message that stands alone, channel by channel."""
    names = _names(root)
    for channel in sorted((path for path in root.iterdir() if path.is_dir()), key=lambda p: p.name):
        threads: dict[str, list[Numbered]] = {}
        days = [path for path in channel.iterdir() if path.name.endswith(".json")]
        for day in sorted(days, key=lambda path: path.name):
            file = f"{shown}/{channel.name}/{day.name}"
            for number, message, reason in _messages(day):
                if reason:
                    yield rejected(file, number, reason, json.dumps(message, ensure_ascii=False))
                    continue
                thread = str(message.get("thread_ts") or message.get("ts") or f"{file}:{number}")
                threads.setdefault(thread, []).append((number, file, message))
        for thread, messages in threads.items():
            yield _row(thread, messages, channel.name, names)


def _row(thread: str, messages: list[Numbered], channel: str, names: Mapping[str, str]) -> Row:
    """The conversation in a thread; without its first message nobody can tell who asked."""
    messages = sorted(messages, key=lambda message: str(message[2].get("ts")) != thread)
    number, file, first = messages[0]
    if thread not in (str(first.get("ts")), f"{file}:{number}"):
        shown = json.dumps([message for _, _, message in messages], ensure_ascii=False)
        return rejected(file, number, HEADLESS, shown)
    posts = [Post(text_of(message, names), str(message.get("user"))) for _, _, message in messages]
    group = f"slack:{channel}:{thread}"
    value = {"messages": conversation(posts), "group": group, "tags": [channel]}
    return RawRow(number, value, file, "slack")


def _messages(day: Folder) -> Iterator[tuple[int, Any, str]]:
    """Number, message and, where it cannot be used, why."""
    try:
        messages = json.loads(decode_text(day.read_bytes()))
    except (ValueError, RecursionError) as error:
        yield 1, "", f"broken JSON: {error}"
        return
    for number, message in enumerate(messages if isinstance(messages, list) else [messages], 1):
        if not isinstance(message, dict):
            yield number, message, "not a message"
        elif str(message.get("subtype") or "") not in SAID:
            yield number, message, f"nobody wrote it: {message['subtype']}"
        elif message.get("bot_id") or message.get("user") == SLACKBOT:
            yield number, message, "a bot wrote it"
        elif not text_of(message, {}).strip():
            yield number, message, "a message without text"
        else:
            yield number, message, ""


def _names(root: Folder) -> dict[str, str]:
    try:
        users = json.loads(decode_text((root / "users.json").read_bytes()))
    except (ValueError, RecursionError):
        return {}
    found = {}
    for user in users if isinstance(users, list) else []:
        if isinstance(user, dict):
            name = user.get("real_name") or user.get("name") or user.get("id")
            found[str(user.get("id"))] = str(name)
    return found
