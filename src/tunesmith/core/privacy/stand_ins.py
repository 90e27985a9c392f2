"""Realistic stand-ins: the same for the same original, whatever was read before; and how to know one again."""

import re
from collections.abc import Sequence
from hashlib import blake2b

from tunesmith.core.privacy.checksums import iban_check_digits, luhn_digit
from tunesmith.core.privacy.invented import TYPES, is_invented, names, pick
from tunesmith.core.privacy.lexicon import listed
from tunesmith.core.privacy.lexicon import words as table

PHONE_TAIL = "55501"
"""Numbers that end in 555-01xx are reserved for fiction."""
CARD_HEAD = "400000"
"""A bank number that no bank has, as in the test cards of payment services."""
WEB = "example.com"
"""Reserved by RFC 2606, as 192.0.2.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849) and 00:00:5E:00:53:xx (RFC 7042) are."""
LONGEST_STREET = 20
"""Characters; a longer address has a place, too."""
FORMS = {
    kind: re.compile(form, re.IGNORECASE)
    for kind, form in {
        "EMAIL_ADDRESS": r"[a-z]+\.[a-z]+\d+@example\.com",
        "DOMAIN_NAME": r"(?:\w+://|www\.)example\.com/[0-9a-f]{6}",
        "IP_ADDRESS": r"192\.0\.2\.\d+|2001:db8::[0-9a-f]+",
        "MAC_ADDRESS": r"00:00:5E:00:53:[0-9A-F]{2}",
        "ZIP_CODE": r"0[ -]?0[ -]?0[\d -]*|[\d -]*Z[Z\d -]*",
    }.items()
}
"""Type -> how its stand-ins are written."""


def draw(seed: int, kind: str, original: str) -> int:
    """A large number that depends on nothing but these three."""
    text = f"{seed}\x1f{kind}\x1f{' '.join(original.casefold().split())}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def given_name(seed: int, original: str) -> str:
    """A given name of the same gender, where that of the original is known."""
    folded, number = original.casefold(), draw(seed, "given", original)
    is_woman, is_man = folded in table("female_names"), folded in table("male_names")
    if is_woman == is_man:
        return pick("women" if number % 2 else "men", number // 2)
    return pick("women" if is_woman else "men", number)


def surname(seed: int, original: str) -> str:
    """A family name."""
    return pick("surnames", draw(seed, "surname", original))


def stand_in(seed: int, kind: str, original: str) -> str | None:
    """A realistic text of this type, or None where only a tag can take the original's place."""
    maker = MAKERS.get(kind)
    return maker(draw(seed, kind, original), original) if maker else None


def is_stand_in(kind: str, text: str) -> bool:
    """Whether a found text is an invented name, or of a range that is reserved for fiction, examples or tests."""
    if kind in TYPES:
        return is_invented(text)
    if kind in FORMS:
        return FORMS[kind].fullmatch(text) is not None
    digits = re.sub(r"\D", "", text)
    if kind == "PHONE_NUMBER":
        return digits[-7:-2] == PHONE_TAIL
    if kind == "CREDIT_CARD":
        return digits.startswith(CARD_HEAD)
    return kind == "IBAN_CODE" and text.replace(" ", "")[4:8].upper() in {"XXXX", "0000"}


def _phone(number: int, original: str) -> str:
    """The same grouping and country code; the end is reserved for fiction."""
    places = [place for place, letter in enumerate(original) if letter.isdigit()]
    code = re.match(r"(?:\+|00)(?:\d{1,3}(?=\D)|\d{1,2})", original)
    kept = len(re.sub(r"\D", "", code.group())) if code else 0
    if len(places) - kept < len(PHONE_TAIL) + 2:
        kept = 0
    tail = f"{PHONE_TAIL}{number % 100:02}"
    middle = f"{number // 100:018}"[: max(0, len(places) - kept - len(tail))]
    digits = (middle + tail)[-(len(places) - kept) :]
    if not kept and digits[0] == "0" != original[places[0]]:
        digits = "9" + digits[1:]
    return _with_digits(original, places[kept:], digits)


def _card(number: int, original: str) -> str:
    places = [place for place, letter in enumerate(original) if letter.isdigit()]
    body = (CARD_HEAD + f"{number:020}")[: len(places) - 1]
    return _with_digits(original, places, body + luhn_digit(body))


def _iban(number: int, original: str) -> str:
    plain = "".join(original.split()).upper()
    head = "XXXX" if plain[4:8].isalpha() else "0000"
    body = (head + f"{number:020}" * 2)[: len(plain) - 4]
    made = plain[:2] + iban_check_digits(plain[:2], body) + body
    return " ".join(made[i : i + 4] for i in range(0, len(made), 4)) if " " in original else made


def _with_digits(original: str, places: Sequence[int], digits: str) -> str:
    letters = list(original)
    for place, digit in zip(places, digits, strict=True):
        letters[place] = digit
    return "".join(letters)


def _mail(number: int, original: str) -> str:
    given = pick("women" if number % 2 else "men", number // 2).lower()
    return f"{given}.{pick('surnames', number // 2000).lower()}{number % 97}@{WEB}"


def _web(number: int, original: str) -> str:
    scheme = re.match(r"(?i)\w+://", original)
    return f"{scheme.group() if scheme else 'www.'}{WEB}/{number % 16**6:06x}"


def _ip(number: int, original: str) -> str:
    return f"2001:db8::{number % 65536:x}" if ":" in original else f"192.0.2.{number % 254 + 1}"


def _mac(number: int, original: str) -> str:
    return f"00:00:5E:00:53:{number % 256:02X}"


def _address(number: int, original: str) -> str:
    street = f"{pick('places', number)} {pick('streets', number // 1000)}"
    if len(original) <= LONGEST_STREET:
        return f"{street} {number % 98 + 1}"
    return f"{number // 10_000 % 189 + 11} {street}, {pick('places', number // 100_000)}"


def _place(number: int, original: str) -> str:
    return pick("countries" if is_country(original) else "places", number, unlike=original)


def is_country(text: str) -> bool:
    """Whether a place is a whole country, which tells of nobody."""
    return text.casefold() in table("countries")


def _zip(number: int, original: str) -> str:
    """Ranges that no post uses: digits begin with 000, letters are all Z."""
    places = [place for place, letter in enumerate(original) if letter.isdigit()]
    if re.search(r"[^\W\d_]", original):
        return re.sub(
            r"[^\W\d_]", "Z", _with_digits(original, places, f"{number:020}"[-len(places) :])
        )
    return _with_digits(original, places, f"000{number:020}"[: len(places)])


def _firm(number: int, original: str) -> str:
    return pick("firms", number, unlike=original)


def _nationality(number: int, original: str) -> str:
    return pick("nationalities", number, unlike=original)


def _occupation(number: int, original: str) -> str:
    """Forms of address stay: alone they tell of nobody."""
    is_address = (
        len(original) <= 4
        or original.endswith(".")
        or original.casefold() in listed("people", "titles")
    )
    return original if is_address else pick("occupations", number, unlike=original)


def _age(number: int, original: str) -> str:
    return (
        str(max(1, int(original) + (-3, -2, -1, 1, 2, 3)[number % 6]))
        if original.isdigit()
        else original
    )


def _date(number: int, original: str) -> str:
    """Years, months, days and weekdays turned on by a step; the notation stays."""
    step = number % 5 + 1

    def turned(match: re.Match[str]) -> str:
        text = match.group()
        if text.isdigit():
            return str(int(text) + step) if len(text) == 4 else _day(text, step)
        for cycle in (names("months"), names("weekdays")):
            for place, name in enumerate(cycle):
                if text.title() in {name, name[:3]}:
                    other = cycle[(place + step) % len(cycle)]
                    return other[: len(text)] if len(text) == 3 else other
        return text

    date, time = re.match(r"(.*?)((?:[T ,]*\d{1,2}:\d.*)?)\Z", original, re.DOTALL).groups()  # type: ignore[union-attr]  # matches any text
    return re.sub(r"\d+|[^\W\d_]+", turned, date) + time


def _day(text: str, step: int) -> str:
    value = int(text)
    turned = (value - 1 + step) % (12 if value <= 12 else 28) + 1
    return f"{turned:0{len(text)}}"


MAKERS = {
    "PHONE_NUMBER": _phone,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "EMAIL_ADDRESS": _mail,
    "DOMAIN_NAME": _web,
    "IP_ADDRESS": _ip,
    "MAC_ADDRESS": _mac,
    "STREET_ADDRESS": _address,
    "GPE": _place,
    "ZIP_CODE": _zip,
    "ORGANIZATION": _firm,
    "NRP": _nationality,
    "TITLE": _occupation,
    "AGE": _age,
    "DATE_TIME": _date,
}
