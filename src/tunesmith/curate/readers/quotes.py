"""What somebody wrote anew in a mail: without what they quoted, and without their signature."""

import re

SIGNATURE = re.compile(r"^-- ?$|^__+$|^(?:sent|get) (?:from|outlook for) my? ?\w.*$", re.IGNORECASE)
ATTRIBUTION = re.compile(
    r"^(?:on\b.{6,200}\bwrote|am\b.{6,200}\bschrieb.{0,80}|le\b.{6,200}\ba écrit|el\b.{6,200}\bescribió)\s*:$",
    re.IGNORECASE | re.DOTALL,
)
FORWARDED = re.compile(
    r"^-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine).*-{2,}$"
    r"|^begin forwarded message:$",
    re.IGNORECASE,
)
OUTLOOK = re.compile(r"^\*?(?:from|von|de):\*? .+", re.IGNORECASE)
OUTLOOK_NEXT = re.compile(
    r"^\*?(?:sent|date|gesendet|datum|envoyé|to|an|subject):\*? .+", re.IGNORECASE
)


def without_quotes(body: str) -> str:
    """The new text of a mail; answers written between quoted lines keep their place."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        if SIGNATURE.match(line) or FORWARDED.match(line) or _is_outlook(lines, number):
            break
        span = _attribution(lines, number)
        if span:
            number += span
            continue
        if not line.startswith(">"):
            kept.append(lines[number].rstrip())
        number += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _attribution(lines: list[str], number: int) -> int:
    """How many lines, from here on, say who wrote what is quoted below them."""
    for span in (1, 2, 3):
        text = " ".join(line.strip() for line in lines[number : number + span])
        if ATTRIBUTION.match(text):
            return span
    return 0


def _is_outlook(lines: list[str], number: int) -> bool:
    following = [line.strip() for line in lines[number + 1 : number + 4]]
    is_head = bool(OUTLOOK.match(lines[number].strip()))
    return is_head and sum(bool(OUTLOOK_NEXT.match(line)) for line in following) >= 2
