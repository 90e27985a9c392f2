"""What somebody wrote anew in a mail: without what they quoted, and without their signature."""

import re

SIGNATURE = re.compile(r"--[ \xa0]")
"""RFC 3676's line above a signature."""
BARE_RULE = "--"
"""The same line without its space, which is a rule as well."""
SIGNATURE_LINES, SIGNATURE_CHARACTERS = 4, 80
"""How long a signature is at most, by the custom of Usenet."""
NO_SIGNATURE = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s|(?:\S+\s+){3,}\S+[.:?!]$")
"""A list item, or a sentence."""
DEVICE = re.compile(
    r"sent from my (?:iphone|ipad|ipod|mac|android|samsung|galaxy|huawei|xiaomi|pixel|blackberry|mobile|phone|tablet)"
    r"(?: (?:galaxy|smartphone|phone|tablet|device|pro|max|mini|plus|air|\w*\d\w*))*"
    r"|sent from (?:yahoo )?mail(?: (?:for|on) (?:windows|ios|android|mac|iphone|ipad)(?: 1\d)?)?"
    r"|(?:get|sent from) outlook for (?:ios|android|mac)"
    r"|outlook für (?:ios|android) beziehen|von meinem \w+ gesendet"
    r"|envoyé de(?:puis)? mon \w+|enviado desde mi \w+",
    re.IGNORECASE,
)
"""The line that a mail programme adds. It is left out alone: people write below it, too."""
LINK = re.compile(r"\s*[<\[(]https?://[^\s>\])]+[>\])]")
RULE = re.compile(r"^_{5,}$")
"""Outlook's line above the mail that is answered, Mailman's above a list's name; in other mails part of the text."""
LIST_FOOTER = re.compile(r"mailing list\b", re.IGNORECASE)
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
        if (
            SIGNATURE.fullmatch(lines[number])
            or FORWARDED.match(line)
            or _is_outlook(lines, number)
        ):
            break
        if RULE.match(line) and _ends_above(lines, number + 1):
            break
        span = _attribution(lines, number)
        if span:
            number += span
            continue
        if not line.startswith(">") and not DEVICE.fullmatch(LINK.sub("", line).rstrip(".")):
            kept.append(lines[number].rstrip())
        number += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_unsigned(kept))).strip()


def _unsigned(lines: list[str]) -> list[str]:
    """The lines up to the last bare rule, if a short signature, or nothing, is all that stands below it."""
    if BARE_RULE not in lines:
        return lines
    rule = len(lines) - 1 - lines[::-1].index(BARE_RULE)
    below = [line for line in lines[rule + 1 :] if line.strip()]
    is_signature = len(below) <= SIGNATURE_LINES and not any(
        len(line) > SIGNATURE_CHARACTERS or NO_SIGNATURE.match(line) for line in below
    )
    return lines[:rule] if is_signature else lines


def _attribution(lines: list[str], number: int) -> int:
    """How many lines, from here on, say who wrote what is quoted below them."""
    for span in (1, 2, 3):
        text = " ".join(line.strip() for line in lines[number : number + span])
        if ATTRIBUTION.match(text) and _is_dated(text, lines, number + span):
            return span
    return 0


def _is_dated(text: str, lines: list[str], below: int) -> bool:
    """Whether a line that ends with `wrote:` says when, and who by address or by what stands below it."""
    following = next((line for line in lines[below:] if line.strip()), ">")
    return re.search(r"\d", text) is not None and ("@" in text or following.startswith(">"))


def _ends_above(lines: list[str], number: int) -> bool:
    """Whether what stands below a rule is another mail, or a list's name."""
    below = next((place for place in range(number, len(lines)) if lines[place].strip()), number)
    return below < len(lines) and (
        _is_outlook(lines, below) or LIST_FOOTER.search(lines[below]) is not None
    )


def _is_outlook(lines: list[str], number: int) -> bool:
    following = [line.strip() for line in lines[number + 1 : number + 4]]
    is_head = bool(OUTLOOK.match(lines[number].strip()))
    return is_head and sum(bool(OUTLOOK_NEXT.match(line)) for line in following) >= 2
