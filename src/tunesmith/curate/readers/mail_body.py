"""What a mail says: its plain text, or its HTML as text without what it quotes; attachments are left out."""

import re
from email.message import Message
from typing import Any

from tunesmith.curate.readers.html_text import parse, text_of

FORWARDED = re.compile(r"^\s*-{4,}")
"""Above a forwarded mail, where Gmail says so in the same element in which it says who wrote a quoted one."""
QUOTED_FROM_HERE = frozenset(
    {"divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container"}
)
"""Ids of Outlook's elements that stand before, or hold, the mail that is answered."""


def body_of(message: Message) -> str:
    """The text parts of a mail in their order; of parts that say the same the plainest that says anything."""
    if message.get_content_maintype() == "multipart":
        parts = [part for part in message.get_payload() if isinstance(part, Message)]
        texts = [text for part in parts if (text := body_of(part)).strip()]
        if message.get_content_subtype() == "alternative":
            return texts[0] if texts else ""
        return "\n\n".join(text.strip("\n") for text in texts)
    kind = message.get_content_type()
    is_attached = message.get_filename() or message.get_content_disposition() == "attachment"
    content = message.get_payload(decode=True)
    if is_attached or kind not in {"text/plain", "text/html"} or not isinstance(content, bytes):
        return ""
    text = _decoded(content, str(message.get_content_charset("utf-8")))
    return _new_text(text) if kind == "text/html" else text


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, errors="replace")
    except LookupError:
        return content.decode("utf-8", errors="replace")


def _new_text(html: str) -> str:
    """The text of an HTML mail without quotes and signature; answers between quoted parts keep their place."""
    root = parse(html)
    if root is None:
        return ""
    for element in list(root.iter()):
        if element.get("id") in QUOTED_FROM_HERE:
            _cut_from(element)
            break
    for element in list(root.iter("blockquote")):
        _drop(element)
    for element in _of_class(root, "gmail_attr"):
        # The lines above a forwarded mail stay, for what stands below them is cut by them.
        if not FORWARDED.match(text_of(element)):
            _drop(element)
    for name in ("yahoo_quoted", "moz-cite-prefix", "gmail_signature", "moz-signature"):
        for element in _of_class(root, name):
            _drop(element)
    return text_of(root)


def _of_class(root: Any, name: str) -> list[Any]:
    return [element for element in root.iter() if name in str(element.get("class", "")).split()]


def _cut_from(element: Any) -> None:
    """Take out an element and all that follows it in the document."""
    above = [element, *element.iterancestors()]
    for one in above:
        for later in list(one.itersiblings()):
            later.getparent().remove(later)
        one.tail = None
    if element.getparent() is not None:
        element.getparent().remove(element)


def _drop(element: Any) -> None:
    """Take out an element, but not the text behind it."""
    if element.getparent() is not None:
        element.drop_tree()
