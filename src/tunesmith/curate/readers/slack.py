"""Slack exports, as folder or zip: every thread a conversation of the one who asked and those who answered."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import Path as ZipPath

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.readers.threads import Post, conversation
from tunesmith.curate.row import RawRow, Row, rejected

MENTION = re.compile(r"<@(\w+)(?:\|([^>]*))?>")
LINK = re.compile(r"<([^|>]+)(?:\|([^>]*))?>")
NOT_SAID = frozenset(
    {"channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"}
)
"""Kinds of message that nobody wrote."""

Folder = Path | ZipPath


def is_export(root: Folder) -> bool:
    """Whether a folder or archive is laid out as Slack exports are."""
    return (root / "users.json").is_file() and (root / "channels.json").is_file()


def read(root: Folder, shown: str) -> Iterator[Row]:
    """A row a thread, and one for each message that stands alone, channel by channel."""
    names = _names(root)
    for channel in sorted((path for path in root.iterdir() if path.is_dir()), key=lambda p: p.name):
        threads: dict[str, list[tuple[int, str, dict[str, Any]]]] = {}
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
            number, file, _ = messages[0]
            posts = [
                Post(
                    _plain(message["text"], names),
                    str(message.get("user") or message.get("bot_id")),
                )
                for _, _, message in messages
            ]
            group = f"slack:{channel.name}:{thread}"
            value = {"messages": conversation(posts), "group": group, "tags": [channel.name]}
            yield RawRow(number, value, file, "slack")


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
        elif message.get("subtype") in NOT_SAID:
            yield number, message, f"nobody wrote it: {message['subtype']}"
        elif not isinstance(message.get("text"), str) or not message["text"].strip():
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


def _plain(text: str, names: dict[str, str]) -> str:
    """The text as people saw it: names for ids, labels for links."""
    text = MENTION.sub(lambda found: "@" + names.get(found[1], found[2] or found[1]), text)
    text = LINK.sub(lambda found: found[2] or found[1].lstrip("!#"), text)
    return html.unescape(text)
