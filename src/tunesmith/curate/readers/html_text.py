"""HTML to the text a reader sees: paragraphs, lists, code; no scripts, no markup."""

import re
from typing import Any

BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "blockquote",
        "details",
        "summary",
    ]
)
UNSEEN = frozenset(
    ["script", "style", "template", "noscript", "head", "nav", "footer", "svg", "iframe"]
)


def parse(content: bytes | str) -> Any | None:
    """The document's root element; None where there is nothing in it."""
    import lxml.etree
    import lxml.html

    text = content.decode("utf-8", errors="replace") if isinstance(content, bytes) else content
    encoded = text.replace("\0", "").encode("utf-8", errors="replace")
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        return lxml.html.document_fromstring(encoded, parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError):
        return None


def text_of(element: Any) -> str:
    """What a reader sees: a line a block, list items behind a dash, cells parted by bars, code as it stands."""
    pieces: list[str] = []
    _collect(element, pieces, is_code=False)
    text = "".join(pieces)
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def html_to_text(content: str) -> str:
    """The same for a whole document."""
    root = parse(content)
    return text_of(root) if root is not None else ""


def _collect(element: Any, pieces: list[str], *, is_code: bool) -> None:
    # A stack instead of recursion: documents of strangers may be nested deeper than Python allows.
    stack: list[tuple[Any, bool, bool]] = [(element, False, is_code)]
    while stack:
        node, is_leaving, code = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        if is_leaving:
            if tag in BLOCKS:
                _break(pieces, 1 if tag in {"li", "tr", "dt", "div", "summary"} else 2)
            if node is not element and node.tail:
                pieces.append(node.tail if code else _squeezed(node.tail, pieces))
            continue
        stack.append((node, True, code))
        if not tag or tag in UNSEEN:
            continue
        inner = code or tag in {"pre", "code"}
        _open(tag, pieces)
        if node.text:
            pieces.append(node.text if inner else _squeezed(node.text, pieces))
        stack.extend((child, False, inner) for child in reversed(node))


def _squeezed(text: str, pieces: list[str]) -> str:
    squeezed = re.sub(r"\s+", " ", text)
    is_at_line_start = not pieces or pieces[-1].endswith(("\n", " "))
    return squeezed.lstrip(" ") if is_at_line_start else squeezed


def _open(tag: str, pieces: list[str]) -> None:
    """What stands before an element's text."""
    if tag == "br":
        pieces.append("\n")
    elif tag in BLOCKS:
        _break(pieces, 1)
    if tag == "li":
        pieces.append("- ")
    elif tag in {"td", "th"}:
        _separate_cell(pieces)


def _separate_cell(pieces: list[str]) -> None:
    while pieces and not pieces[-1].strip(" "):
        pieces.pop()
    if pieces and not pieces[-1].endswith("\n"):
        pieces.append(" | ")


def _break(pieces: list[str], count: int) -> None:
    if not pieces:
        return
    if pieces[-1] == "- ":
        return
    present = 0
    for piece in reversed(pieces):
        stripped = piece.rstrip("\n")
        present += len(piece) - len(stripped)
        if stripped.strip(" "):
            break
    pieces.append("\n" * max(0, count - present))
