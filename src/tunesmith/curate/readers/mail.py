"""Mailboxes and mail files: replies put in threads, quoted text and signatures taken off."""

import email
import email.utils
import re
from collections.abc import Iterable, Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from tunesmith.core import fingerprint
from tunesmith.curate.readers.mail_body import body_of
from tunesmith.curate.readers.mail_threads import Mail, is_lost, threads_of
from tunesmith.curate.readers.quotes import without_quotes
from tunesmith.curate.readers.threads import Post, conversation
from tunesmith.curate.row import RawRow, Row, rejected

SUFFIXES = frozenset({".mbox", ".eml", ".mbx"})
START_BYTES = 512
"""How much of a file tells whether it is a mailbox."""
HEADER = re.compile(
    rb"^(?:received|return-path|delivered-to|message-id|mime-version|date|subject|from|x-mozilla-status):\s",
    re.IGNORECASE | re.MULTILINE,
)
MARKED = re.compile(rb"^>+From ")
LATEST_SECONDS = 1e11
"""Since 1970: the year 5138. What says more is no date."""
LOST = "its place in its thread is not known: it has no date, and what it answers is not here"
REPEATED = "a mail with the same Message-ID was read before"
AUTOMATIC = "an automatic reply"
AUTOMATIC_SUBJECT = re.compile(
    r"(?:automatic reply|auto(?:matic)? ?reply|auto(?:matic)? response|out of (?:the )?office"
    r"|automatische antwort|abwesenheitsnotiz|réponse automatique|respuesta automática)\b",
    re.IGNORECASE,
)
"""Of replies that Exchange marks as generated only, as help desks mark what people wrote."""
MESSAGE_ID = re.compile(r"<[^<>\s]+>")


def is_mail(suffix: str, start: bytes) -> bool:
    """Whether a file is a mailbox or a mail, by its name or its first bytes."""
    return suffix in SUFFIXES or (start.startswith(b"From ") and HEADER.search(start) is not None)


def read(files: Iterable[tuple[Path, str]]) -> Iterator[Row]:
    """A row a thread over all the files together.

    Mails that cannot be read, that were read before, or that nobody wrote are set aside, each as a row of its own.
    Whoever wrote the first mail of a thread asks; everyone else answers.
    """
    mails: list[Mail] = []
    read_before: set[str] = set()
    for path, shown in files:
        for line, content in _messages(path):
            try:
                mail = _mail(content, shown, line)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                reason = f"not a mail that can be read: {error}"
                yield rejected(shown, line, reason, content[:500].decode("utf-8", "replace"))
                continue
            mails.append(mail._replace(problem=REPEATED) if mail.id in read_before else mail)
            read_before.add(mail.id)
    for thread in threads_of(mails):
        yield from _rows(thread)


def _rows(thread: list[Mail]) -> Iterator[Row]:
    """The conversation in a thread, and a row for each mail of it that is left out."""
    kept: list[Mail] = []
    for mail in thread:
        problem = mail.problem or (LOST if is_lost(mail, thread) else "")
        if problem:
            yield rejected(mail.file, mail.line, problem, f"{mail.subject}\n\n{mail.body}")
        else:
            kept.append(mail)
    if kept:
        yield _row(kept)


def _row(thread: list[Mail]) -> RawRow:
    first = thread[0]
    posts = [Post(mail.body, mail.sender) for mail in thread]
    if first.subject and posts[0].text:
        posts[0] = posts[0]._replace(text=f"{first.subject}\n\n{posts[0].text}")
    root = fingerprint.short_id("mail", first.id)
    value = {"messages": conversation(posts), "group": root}
    return RawRow(first.line, value, first.file, "mail")


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
    references = MESSAGE_ID.findall(str(message.get("References", "")))
    answered = MESSAGE_ID.findall(str(message.get("In-Reply-To", "")))
    above = [name for name in references if name not in answered[:1]]
    _, address = email.utils.parseaddr(_header(message, "From"))
    if not address and not mail_id:
        raise ValueError("it has neither sender nor id")
    return Mail(
        shown,
        line,
        mail_id[0] if mail_id else f"{shown}:{line}",
        (*above, *answered[:1]),
        address.lower(),
        _header(message, "Subject"),
        _when(message),
        without_quotes(body_of(message)),
        AUTOMATIC if _is_automatic(message) else "",
    )


def _is_automatic(message: Message) -> bool:
    """Whether it says that a machine answered, as absence notes and delivery failures do."""
    said = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    is_marked = any(
        str(message.get(name, "no")).strip().lower() != "no"
        for name in ("X-Autoreply", "X-Autorespond")
    )
    is_note = said != "no" and AUTOMATIC_SUBJECT.match(_header(message, "Subject")) is not None
    return said == "auto-replied" or precedence == "auto_reply" or is_marked or is_note


def _when(message: Message) -> float | None:
    """When it was sent, or when it arrived where it does not say."""
    arrived = [str(header).rpartition(";")[2] for header in message.get_all("Received", [])]
    mailbox_line = " ".join(str(message.get_unixfrom() or "").split()[2:])
    for text in (str(message.get("Date", "")), *arrived, mailbox_line):
        try:
            parts = email.utils.parsedate_tz(text)
            seconds = email.utils.mktime_tz(parts) if parts else -1.0
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        if 0 <= seconds < LATEST_SECONDS:
            return float(seconds)
    return None


def _header(message: Message, name: str) -> str:
    raw = str(message.get(name, ""))
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (HeaderParseError, LookupError, ValueError):
        return " ".join(raw.split())
