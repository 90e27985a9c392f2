"""Mailboxes and mail files: replies put in threads, quoted text and signatures taken off."""

import email
import email.utils
import re
from collections.abc import Iterable, Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import NamedTuple

from tunesmith.core import fingerprint
from tunesmith.curate.readers.html_text import html_to_text
from tunesmith.curate.readers.quotes import without_quotes
from tunesmith.curate.readers.threads import Post, conversation
from tunesmith.curate.row import RawRow, Row, rejected

SUFFIXES = frozenset({".mbox", ".eml", ".mbx"})
HEADER = re.compile(
    rb"^(?:received|return-path|delivered-to|message-id|mime-version|from):\s", re.IGNORECASE
)
MARKED = re.compile(rb"^>+From ")
MESSAGE_ID = re.compile(r"<[^<>\s]+>")


class Mail(NamedTuple):
    """One message, read."""

    file: str
    line: int
    id: str
    references: tuple[str, ...]
    sender: str
    subject: str
    when: float
    body: str


def is_mail(suffix: str, start: bytes) -> bool:
    """Whether a file is a mailbox or a mail, by its name or its first bytes."""
    return suffix in SUFFIXES or (start.startswith(b"From ") and HEADER.search(start) is not None)


def read(files: Iterable[tuple[Path, str]]) -> Iterator[Row]:
    """A row a thread over all the files together; mails that cannot be read are set aside.

    Whoever wrote the first mail of a thread asks; everyone else answers.
    """
    mails: list[Mail] = []
    for path, shown in files:
        for line, content in _messages(path):
            try:
                mails.append(_mail(content, shown, line))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                reason = f"not a mail that can be read: {error}"
                yield rejected(shown, line, reason, content[:500].decode("utf-8", "replace"))
    for thread in _threads(mails):
        first = thread[0]
        posts = [Post(mail.body, mail.sender) for mail in thread]
        if first.subject and posts[0].text:
            posts[0] = posts[0]._replace(text=f"{first.subject}\n\n{posts[0].text}")
        root = fingerprint.short_id("mail", first.id)
        value = {"messages": conversation(posts), "group": root}
        yield RawRow(first.line, value, first.file, "mail")


def _messages(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line and bytes of each message; mailboxes part them by a blank line and a line that begins with `From `."""
    kept: list[bytes] = []
    start, is_after_blank, is_mailbox = 1, True, False
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            is_mailbox = is_mailbox or (number == 1 and line.startswith(b"From "))
            if is_mailbox and is_after_blank and line.startswith(b"From "):
                if b"".join(kept).strip():
                    yield start, b"".join(kept)
                kept, start = [], number
            else:
                # Mailboxes mark lines of a text that would look like the beginning of the next mail.
                is_marked = is_mailbox and MARKED.match(line) is not None
                kept.append(line[1:] if is_marked else line)
            is_after_blank = not line.strip()
    if b"".join(kept).strip():
        yield start, b"".join(kept)


def _mail(content: bytes, shown: str, line: int) -> Mail:
    message = email.message_from_bytes(content)
    mail_id = MESSAGE_ID.search(str(message.get("Message-ID", "")))
    above = f"{message.get('References', '')} {message.get('In-Reply-To', '')}"
    _, address = email.utils.parseaddr(_header(message, "From"))
    if not address and not mail_id:
        raise ValueError("it has neither sender nor id")
    when = email.utils.parsedate_tz(str(message.get("Date", "")))
    return Mail(
        shown,
        line,
        mail_id[0] if mail_id else f"{shown}:{line}",
        tuple(MESSAGE_ID.findall(above)),
        address.lower(),
        _header(message, "Subject"),
        email.utils.mktime_tz(when) if when else 0.0,
        without_quotes(_body(message)),
    )


def _header(message: Message, name: str) -> str:
    raw = str(message.get(name, ""))
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (HeaderParseError, LookupError, ValueError):
        return " ".join(raw.split())


def _body(message: Message) -> str:
    """The plain part, or the HTML part as text; attachments are left out."""
    found: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind not in {"text/plain", "text/html"} or part.get_filename() or kind in found:
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found[kind] = _decoded(content, str(part.get_content_charset("utf-8")))
    if found.get("text/plain", "").strip():
        return found["text/plain"]
    return html_to_text(found["text/html"]) if "text/html" in found else ""


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, errors="replace")
    except LookupError:
        return content.decode("utf-8", errors="replace")


def _threads(mails: Sequence[Mail]) -> list[list[Mail]]:
    """Mails that refer to one another, each thread in the order of its dates."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for mail in mails:
        for reference in mail.references:
            parent[root(reference)] = root(mail.id)
    threads: dict[str, list[Mail]] = {}
    for mail in mails:
        threads.setdefault(root(mail.id), []).append(mail)
    return [sorted(thread, key=lambda mail: mail.when) for thread in threads.values()]
