"""What a Slack message says, as people saw it: its text, or else its blocks and attachments."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

MENTION = re.compile(r"<@(\w+)(?:\|([^>]*))?>")
LINK = re.compile(r"<([^|>]+)(?:\|([^>]*))?>")
INDENT = "    "

Names = Mapping[str, str]
"""Names of people by their ids."""
Fields = Mapping[str, Any]


def text_of(message: Fields, names: Names) -> str:
    """The text of a message; where it is empty, that of its blocks, or else of its attachments."""
    text = message.get("text")
    if isinstance(text, str) and text.strip():
        return _plain(text, names)
    return _of_blocks(message, names) or _joined(
        _of_attachment(attachment, names)
        for attachment in _objects(message.get("attachments"))
        # A message that is passed on says what somebody else wrote.
        if not attachment.get("is_share") and not attachment.get("is_msg_unfurl")
    )


def _of_blocks(owner: Fields, names: Names) -> str:
    return _joined(_of_block(block, names) for block in _objects(owner.get("blocks")))


def _of_block(block: Fields, names: Names) -> str:
    if block.get("type") == "rich_text":
        return "\n".join(_rich(part, names) for part in _objects(block.get("elements"))).strip("\n")
    parts = [block.get("text"), *_objects(block.get("fields"))]
    if block.get("type") == "context":
        parts += _objects(block.get("elements"))
    return "\n".join(filter(None, (_of_object(part, names) for part in parts)))


def _of_object(part: object, names: Names) -> str:
    """The text of a text object: Slack's markup, or plain."""
    text = part.get("text") if isinstance(part, dict) else None
    return _plain(text, names) if isinstance(text, str) else ""


def _of_attachment(attachment: Fields, names: Names) -> str:
    blocks = _of_blocks(attachment, names)
    if blocks:
        return blocks
    fields = [
        field[key]
        for field in _objects(attachment.get("fields"))
        for key in ("title", "value")
        if key in field
    ]
    texts = [*(attachment.get(key) for key in ("pretext", "title", "text")), *fields]
    said = [_plain(text, names) for text in texts if isinstance(text, str) and text.strip()]
    fallback = attachment.get("fallback")
    return "\n".join(said) or (_plain(fallback, names) if isinstance(fallback, str) else "")


def _rich(part: Fields, names: Names) -> str:
    """A part of a rich text: a paragraph, a list, a quote or code."""
    kind = part.get("type")
    if kind == "rich_text_list":
        return "\n".join(_items(part, names))
    text = "".join(_inline(element, names) for element in _objects(part.get("elements")))
    if kind == "rich_text_quote":
        return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    return f"```\n{text}\n```" if kind == "rich_text_preformatted" else text


def _items(part: Fields, names: Names) -> Iterator[str]:
    indent = INDENT * _number(part.get("indent"))
    is_numbered = part.get("style") == "ordered"
    for number, item in enumerate(_objects(part.get("elements")), _number(part.get("offset")) + 1):
        yield f"{indent}{f'{number}.' if is_numbered else '-'} {_rich(item, names)}"


INLINE: Mapping[str, Callable[[Fields, Names], str]] = {
    "link": lambda element, _: str(element.get("text") or element.get("url") or ""),
    "user": lambda element, names: _named(element.get("user_id"), names),
    "usergroup": lambda element, _: f"@{element.get('usergroup_id')}",
    "channel": lambda element, _: f"#{element.get('channel_id')}",
    "broadcast": lambda element, _: f"@{element.get('range')}",
    "emoji": lambda element, _: _emoji(element),
    "date": lambda element, _: str(element.get("fallback") or ""),
    "color": lambda element, _: str(element.get("value") or ""),
}
"""What stands in a line beside plain text."""


def _inline(element: Fields, names: Names) -> str:
    write = INLINE.get(str(element.get("type")))
    if write is not None:
        return write(element, names)
    text = element.get("text")
    is_code = isinstance(style := element.get("style"), dict) and style.get("code")
    return f"`{text}`" if is_code and text else str(text or "")


def _emoji(element: Fields) -> str:
    """The sign itself where Slack tells its code points, as in `1f468-200d-1f4bb`; else its name."""
    try:
        return "".join(chr(int(code, 16)) for code in str(element["unicode"]).split("-"))
    except (KeyError, ValueError, OverflowError):
        return f":{element.get('name')}:"


def _plain(text: str, names: Names) -> str:
    """Slack's markup as people saw it: names for ids, labels for links."""
    text = MENTION.sub(lambda found: _named(found[1], names, found[2] or ""), text)
    text = LINK.sub(lambda found: found[2] or found[1].lstrip("!#"), text)
    return html.unescape(text)


def _named(user: object, names: Names, label: str = "") -> str:
    return "@" + names.get(str(user), label or str(user))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _objects(value: object) -> list[Fields]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(text.strip("\n") for text in texts if text.strip())
