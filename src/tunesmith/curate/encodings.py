"""Which encoding bytes are in that are no UTF-8: what they declare, or what their letters say."""

import codecs
import json
import re
from collections import Counter
from functools import cache
from importlib import resources
from typing import NamedTuple

PAGES = (
    ("cp1252", "western"),
    ("cp1250", "central"),
    ("cp1254", "turkish"),
    ("cp1257", "baltic"),
    ("iso8859_2", "central"),
    ("mac_roman", "western"),
    ("cp850", "western"),
    ("cp852", "central"),
)
"""Encodings of Latin letters and their languages, the commonest first."""
WINDOWS = {"mac_cyrillic": "cp1251", "mac_greek": "cp1253"}
"""What is far likelier than an encoding that statistics hardly tell from it."""
IN_WORDS = "’‘–—\N{SOFT HYPHEN}"
"""Signs that may stand between two letters in any language."""
DECLARED = re.compile(
    rb"<meta[^>]{0,200}\bcharset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,100}\bencoding\s*=\s*[\"']([\w.:-]+)"
    rb"|\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([\w.-]+)",
    re.IGNORECASE,
)
"""In HTML, in XML, and in the first two lines of Python."""
DECLARING_BYTES = 1024
"""How far behind a file's beginning its encoding is declared; the HTML standard says so."""
NUL_SHARE = 0.02
"""Share of NUL bytes, most at odd or most at even places, from which text is UTF-16: line ends and spaces make them."""
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")
"""What shows that a decoding is wrong."""
HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
"""Letters that hardly anybody writes, but as which Shift-JIS has the bytes of Russian in KOI8-R."""
COUNTED = re.compile(
    r"[^\W\d_\x00-\x7f¹²³¼½¾]|(?<=[a-zA-Z])[^\x00-\x7f](?=[a-zA-Z])|[\x80-\x9f\u2500-\u259f\ufffd]"
)
"""Letters above ASCII, signs inside of words, and what no prose holds: control characters, boxes, no characters."""
BESIDE_ASCII = 0.75
"""Share of foreign letters that touch ASCII letters, from which they are none."""
CLEAR = 0.5
"""Share of letters that must be those of one language."""


class Score(NamedTuple):
    """How well a language fits: of the letters on which two encodings differ, and of all."""

    differing: float
    all: float


def utf16_without_mark(start: bytes) -> str | None:
    """UTF-16 of one byte order or the other, if the beginning of a file shows it."""
    zeros = Counter(place % 2 for place, byte in enumerate(start) if not byte)
    if max(zeros[0], zeros[1], 1) < max(2, NUL_SHARE * len(start)):
        return None
    name = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    is_clear = min(zeros[0], zeros[1]) * 3 <= max(zeros[0], zeros[1])
    text = start[: len(start) // 2 * 2].decode(name, errors="replace")
    return name if is_clear and not NO_TEXT.search(text[:-1]) else None


def declared(start: bytes) -> str | None:
    """The encoding that the beginning of a file names, where it is known and not UTF-8."""
    found = DECLARED.search(start[:DECLARING_BYTES])
    if found is None:
        return None
    try:
        name = codecs.lookup(next(filter(None, found.groups())).decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return None
    if name in {"utf-8", "ascii"} or name.startswith(("utf-16", "utf-32")):
        return None
    # Windows' encoding has the same letters and more signs; browsers read it so, too.
    return "cp1252" if name == "iso8859-1" else name


def guess(content: bytes) -> str:
    """The encoding that some lines with bytes above ASCII are most likely in.

    Foreign scripts are seen by statistics. Latin letters are read in Windows' Western encoding, unless the letters of a
    language of another one fit better where the two differ.
    """
    from charset_normalizer import from_bytes

    foreign = [str(match.encoding) for match in from_bytes(content)]
    fitting = [name for name in foreign if _is_foreign(_decoded(content, name))]
    if fitting and len(HALF_WIDTH.findall(_decoded(content, fitting[0]))) * 4 > len(content):
        return "koi8_r"
    sisters = [WINDOWS[name] for name in fitting if WINDOWS.get(name) in fitting]
    if fitting and fitting[0] == foreign[0]:
        return sisters[0] if fitting[0] in WINDOWS and sisters else fitting[0]
    latin = _latin(content)
    return latin if not fitting or _is_clear(latin, content) else fitting[0]


def _is_clear(page: str, content: bytes) -> bool:
    """Whether most letters are those of one language, and words without any ASCII letter are few."""
    text = _decoded(content, page)
    alone = sum(map(len, re.findall(r"(?<![a-zA-Z])[^\x00-\x7f\s]{3,}(?![a-zA-Z])", text)))
    share = max(score.all for score in _scores(page, content, content))
    return share >= CLEAR and alone <= (1 - CLEAR) * len(_letters(text))


def _is_foreign(text: str) -> bool:
    """Whether letters of another script stand among themselves, not inside of Latin words."""
    letters = beside = 0
    for found in re.finditer(r"[^\x00-\u02af\u1e00-\u2bff\W\d_]", text):
        letters += 1
        around = text[max(0, found.start() - 1) : found.end() + 1].replace(found[0], "", 1)
        beside += any(sign.isascii() and sign.isalpha() for sign in around)
    return letters > 0 and beside < BESIDE_ASCII * letters


def _latin(content: bytes) -> str:
    best = PAGES[0][0]
    for page, _ in PAGES[1:]:
        differing = bytes(
            byte
            for byte in range(128, 256)
            if _decoded(bytes([byte]), page) != _decoded(bytes([byte]), best)
        )
        if max(_scores(page, content, differing)) > max(_scores(best, content, differing)):
            best = page
    return best


def _scores(page: str, content: bytes, differing: bytes) -> list[Score]:
    """How well each language of an encoding fits."""
    text = _decoded(content, page)
    other = set(_decoded(differing, page))
    counted = _letters(text)
    return [
        Score(
            _share([sign for sign in counted if sign in other], alphabet),
            _share(counted, alphabet),
        )
        for alphabet in _alphabets()[dict(PAGES)[page]]
    ]


def _letters(text: str) -> list[str]:
    """The signs above ASCII that a language must explain."""
    return COUNTED.findall(text)


def _share(signs: list[str], alphabet: frozenset[str]) -> float:
    return sum(sign in alphabet for sign in signs) / len(signs) if signs else 1.0


def _decoded(content: bytes, page: str) -> str:
    return content.decode(page, errors="replace")


@cache
def _alphabets() -> dict[str, list[frozenset[str]]]:
    text = (resources.files("tunesmith.curate") / "alphabets.json").read_text(encoding="utf-8")
    return {
        name: [frozenset(letters + letters.upper() + IN_WORDS) for letters in alphabets]
        for name, alphabets in json.loads(text).items()
    }
