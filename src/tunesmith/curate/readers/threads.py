"""Threads: posts of several people to a conversation of a user and an assistant."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from tunesmith.core.conversation import Role
from tunesmith.curate.readers.persons import (
    AUTHORS,
    KINDS,
    REQUESTERS,
    Person,
    is_same,
    label,
    person,
)
from tunesmith.curate.readers.times import UnknownOrderError, is_day_first, ordered, time_cell
from tunesmith.curate.row import RawRow, Row, rejected

THREAD_KEYS = ("thread_id", "ticket_id", "conversation_id", "case_id", "session_id", "chat_id")
TEXT_KEYS = ("body", "text", "message", "content", "comment", "plain_body")
ROLE_KEYS = ("role", "author_role", "author_type", "sender_type", "from_type", "direction", "via")
AUTHOR_KEYS = (*AUTHORS, *(f"{role}_{kind}" for role in AUTHORS for kind in KINDS), "name")
FLAG_KEYS: Mapping[str, Role] = {
    "is_agent": "assistant",
    "is_staff": "assistant",
    "from_agent": "assistant",
    "is_customer": "user",
    "from_customer": "user",
    "inbound": "user",
}
"""Columns of yes and no, with the role that a yes means."""
SPEAKERS = frozenset({*ROLE_KEYS, *AUTHOR_KEYS, *FLAG_KEYS})
ANSWER_WORDS = frozenset(
    [
        "agent",
        "staff",
        "support",
        "assistant",
        "operator",
        "employee",
        "admin",
        "outbound",
        "outgoing",
        "representative",
        "bot",
        "company",
    ]
)
ASK_WORDS = frozenset(
    [
        "customer",
        "requester",
        "user",
        "end_user",
        "enduser",
        "client",
        "inbound",
        "incoming",
        "visitor",
        "contact",
        "human",
        "consumer",
    ]
)
WHOLE_ROWS = frozenset(
    {
        "messages",
        "conversations",
        "prompt",
        "instruction",
        "completion",
        "output",
        "chosen",
        "reply",
        "answer",
        "response",
        "resolution",
        "solution",
    }
)
"""Columns of rows that hold question and answer both: they are no messages of a thread."""
OWNERS = re.compile(r"^(?:ticket|customer|client|user|agent|support|staff)_")
"""Whose column it is, as in `Ticket Description` and `agent_reply`."""
TRUE_WORDS = frozenset({"true", "1", "1.0", "yes", "y", "t", "on"})
FALSE_WORDS = frozenset({"false", "0", "0.0", "no", "n", "f", "off", "none", "null", "nan"})
PUBLIC_FLAGS = frozenset(
    {"public", "ispublic", "jsdpublic", "published", "ispublished", "visibility"}
)
PUBLIC_WORDS = TRUE_WORDS | {"public", "external", "everyone", "all", "customer", "customers"}
PRIVATE_FLAGS = frozenset({"private", "isprivate", "internal", "isinternal"})
KIND_KEYS = frozenset({"type", "parttype", "kind", "commenttype", "messagetype", "channel"})
NOTES = frozenset(
    {"note", "internal", "internalnote", "internalcomment", "private", "privatenote"}
    | {"privatecomment", "worknote", "worknotes"}
)
"""Kinds of message that only colleagues read."""
FIRST_ROWS = 100
"""Rows of a table in which one message of a thread is enough for all to be taken as such."""
PRIVATE_NOTE = "a private note"
"""Why such a message is set aside."""


class Post(NamedTuple):
    """One message of a thread."""

    text: str
    author: str = ""
    role: Role | None = None
    """Where the source says it; otherwise whoever opened the thread asks, and all others answer."""


def plain_name(name: object) -> str:
    """A column's name as it is compared: `Ticket ID` and `ticket-id` are `ticket_id`."""
    return re.sub(r"\W+", "_", str(name).strip().lower()).strip("_")


def conversation(posts: Sequence[Post]) -> list[dict[str, str]]:
    """Turns that begin with the user's first post and end with the last answer; neighbours of one role are joined."""
    opener = next((post.author for post in posts if post.author), "")
    turns: list[dict[str, str]] = []
    for number, post in enumerate(posts):
        if not post.text.strip():
            continue
        role = post.role or _role_of(post.author, opener, number)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{post.text.strip()}"
        elif turns or role != "assistant":
            turns.append({"role": role, "content": post.text.strip()})
    while len(turns) > 1 and turns[-1]["role"] == "user":
        turns.pop()
    return turns


def is_private(fields: Mapping[str, object]) -> bool:
    """Whether a message was meant for colleagues alone, by any of the columns in which exports say it.

    A word there that is neither yes nor no counts as private: to learn a note as an answer does more harm than to
    set an answer aside.
    """
    return any(_says_private(_squeezed(name), cell) for name, cell in fields.items())


def post_of(fields: Mapping[str, object], requester: Person | None = None) -> Post | None:
    """The post in a row or an object, whatever its columns are called; None where there is no text in it.

    Args:
        fields: The row or object.
        requester: Who is known to ask; otherwise the row's own `requester` or `reporter`, if it names one.
    """
    named = _named(fields)
    text = next((v for key in TEXT_KEYS if isinstance(v := named.get(key), str)), None)
    if text is None:
        return None
    author = person(named, (*AUTHORS, "name"))
    role = _explicit_role(named)
    is_requester = is_same(author, requester or person(named, REQUESTERS))
    if role is None and is_requester is not None:
        role = "user" if is_requester else "assistant"
    return Post(text, label(author), role)


def assembled(rows: Iterable[Row], shown: str) -> Iterator[Row]:
    """The rows as they are, or, where one of the first is a message of a thread, a row a thread.

    Private notes and messages of no thread are set aside, each as a row of its own. A thread stands where its first
    message stood. Its messages are put in the order of their times, and stay in the file's order where none has one;
    a thread whose order cannot be told is set aside.
    """
    rows = iter(rows)
    passed = list(islice(rows, FIRST_ROWS))
    if not any(isinstance(row, RawRow) and _thread_key(row.value) for row in passed):
        yield from chain(passed, rows)
        return
    threads: dict[str, list[RawRow]] = {}
    for row in chain(passed, rows):
        key = _thread_key(row.value) if isinstance(row, RawRow) else None
        if not isinstance(row, RawRow) or not isinstance(row.value, dict) or key is None:
            yield row
            continue
        thread, is_note = _thread_of(row.value), is_private(row.value)
        if thread is None or is_note:
            reason = PRIVATE_NOTE if is_note else f"a message of no thread: its {key} is empty"
            yield rejected(row.file or shown, row.line, reason, _beginning(row.value))
            continue
        threads.setdefault(thread, []).append(row)
    day_first = is_day_first(_time(row) for messages in threads.values() for row in messages)
    for thread, messages in threads.items():
        first = messages[0]
        try:
            yield _joined(thread, messages, day_first)
        except UnknownOrderError as error:
            values = [row.value for row in messages]
            yield rejected(first.file or shown, first.line, str(error), _beginning(values))


def in_order(messages: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Messages of a thread by their times.

    Raises:
        UnknownOrderError: If these do not tell their order.
    """
    cells = [time_cell(_named(message)) for message in messages]
    return [messages[place] for place in ordered(cells, is_day_first(cells))]


def _says_private(name: str, cell: object) -> bool:
    if isinstance(cell, dict):
        # Jira names the group or role that alone may see a comment.
        return name == "visibility" and bool(cell)
    if not isinstance(cell, str | int | float) or not str(cell).strip():
        return False
    word = str(cell).strip().lower()
    if name in PUBLIC_FLAGS:
        return word not in PUBLIC_WORDS
    if name in PRIVATE_FLAGS:
        return word not in FALSE_WORDS
    return name in KIND_KEYS and _squeezed(word) in NOTES


@lru_cache(maxsize=1 << 10)
def _squeezed(name: str) -> str:
    """A name as flags are compared: `isPublic` and `Is Public` are `ispublic`."""
    return plain_name(name).replace("_", "")


def _joined(thread: str, messages: list[RawRow], day_first: bool | None) -> RawRow:
    places = ordered([_time(row) for row in messages], day_first)
    values = [value for place in places if isinstance(value := messages[place].value, dict)]
    posts = [post for value in values if (post := post_of(value)) is not None]
    value = {"messages": conversation(posts), "group": f"thread:{thread}"}
    return RawRow(messages[0].line, value, messages[0].file, "message table")


def _time(row: RawRow) -> object:
    return time_cell(_named(row.value)) if isinstance(row.value, dict) else None


def _named(fields: Mapping[str, object]) -> dict[str, object]:
    return {plain_name(name): value for name, value in fields.items()}


def _beginning(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _thread_key(value: object) -> str | None:
    """The column that names the thread in a row of a message table, empty or not; None for any other row."""
    if not isinstance(value, dict):
        return None
    named = _named(value)
    has_text = any(isinstance(named.get(key), str) for key in TEXT_KEYS)
    is_whole = any(OWNERS.sub("", name) in WHOLE_ROWS for name in named)
    if not has_text or is_whole or SPEAKERS.isdisjoint(named):
        return None
    return next((key for key in THREAD_KEYS if key in named), None)


def _thread_of(fields: Mapping[str, object]) -> str | None:
    named = _named(fields)
    found = (named[key] for key in THREAD_KEYS if named.get(key) not in (None, ""))
    return next((str(thread) for thread in found), None)


def _role_of(author: str, opener: str, number: int) -> Role:
    if not opener:
        return "assistant" if number % 2 else "user"
    return "user" if author in ("", opener) else "assistant"


def _explicit_role(named: Mapping[str, object]) -> Role | None:
    for key in (*ROLE_KEYS, "author", "sender", "from", "type"):
        cell = named.get(key)
        word = plain_name(cell) if isinstance(cell, str) else ""
        if word in ANSWER_WORDS:
            return "assistant"
        if word in ASK_WORDS:
            return "user"
    for key, role in FLAG_KEYS.items():
        if key in named:
            is_true = str(named[key]).strip().lower() in TRUE_WORDS
            return role if is_true else ("user" if role == "assistant" else "assistant")
    return None
