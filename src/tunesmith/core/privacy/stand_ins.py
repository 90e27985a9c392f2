"""Realistic stand-ins: the same for the same original, whatever was read before; and how to know one again."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from tunesmith.core.privacy.checksums import iban_check_digits, luhn_digit
from tunesmith.core.privacy.lexicon import words as table

PHONE_TAIL = "55501"
"""Numbers that end in 555-01xx are reserved for fiction."""
CARD_HEAD = "400000"
"""A bank number that no bank has, as in the test cards of payment services."""
WEB = "example.com"
"""Reserved by RFC 2606, as 192.0.2.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849) and 00:00:5E:00:53:xx (RFC 7042) are."""
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def draw(seed: int, kind: str, original: str) -> int:
    """A large number that depends on nothing but these three."""
    text = f"{seed}\x1f{kind}\x1f{' '.join(original.casefold().split())}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@cache
def lists() -> dict[str, tuple[str, ...]]:
    """What stand-ins are drawn from."""
    source = files("tunesmith.core.privacy").joinpath("data", "stand_ins.toml").read_text("utf-8")
    drawn = {name: tuple(entries) for name, entries in tomllib.loads(source).items()}
    for name in ("women", "men", "surnames"):
        drawn[name] = tuple(sorted(word.title() for word in table(f"stand_in_{name}")))
    return drawn


def pick(name: str, number: int, *, unlike: str) -> str:
    """One of a list, never the original itself."""
    options = lists()[name]
    picked = options[number % len(options)]
    return (
        picked if picked.casefold() != unlike.casefold() else options[(number + 1) % len(options)]
    )


def given_name(seed: int, original: str) -> str:
    """A given name of the same gender, where that of the original is known."""
    folded, number = original.casefold(), draw(seed, "given", original)
    is_woman, is_man = folded in table("female_names"), folded in table("male_names")
    if is_woman == is_man:
        return pick("women" if number % 2 else "men", number // 2, unlike=original)
    return pick("women" if is_woman else "men", number, unlike=original)


def surname(seed: int, original: str) -> str:
    """A family name."""
    return pick("surnames", draw(seed, "surname", original), unlike=original)


def stand_in(seed: int, kind: str, original: str) -> str | None:
    """A realistic text of this type, or None where only a tag can take the original's place."""
    maker = MAKERS.get(kind)
    return maker(draw(seed, kind, original), original) if maker else None


def is_stand_in(kind: str, text: str) -> bool:
    """Whether a found text may be a stand-in (a real one that looks the same cannot be told apart)."""
    digits = re.sub(r"\D", "", text)
    if kind == "PHONE_NUMBER":
        return digits[-7:-2] == PHONE_TAIL
    if kind == "CREDIT_CARD":
        return digits.startswith(CARD_HEAD)
    if kind == "IBAN_CODE":
        return text.replace(" ", "")[4:8].upper() in {"XXXX", "0000"}
    if kind in {"EMAIL_ADDRESS", "DOMAIN_NAME"}:
        return WEB in text
    if kind in {"IP_ADDRESS", "MAC_ADDRESS"}:
        return text.lower().startswith(("192.0.2.", "2001:db8:", "00:00:5e:00:53"))
    return set(re.findall(r"[^\W\d_]{2,}", text.casefold())) <= _words_of_lists()


@cache
def _words_of_lists() -> frozenset[str]:
    texts = [text for options in lists().values() for text in options]
    return frozenset(re.findall(r"[^\W\d_]{2,}", " ".join(texts).casefold()))


def _phone(number: int, original: str) -> str:
    """The same grouping and country code; the end is reserved for fiction."""
    places = [place for place, letter in enumerate(original) if letter.isdigit()]
    code = re.match(r"(?:\+|00)(?:\d{1,3}(?=\D)|\d{1,2})", original)
    kept = len(re.sub(r"\D", "", code.group())) if code else 0
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


def _shuffled(number: int, original: str) -> str:
    """Other digits in the same places."""
    places = [place for place, letter in enumerate(original) if letter.isdigit()]
    return _with_digits(original, places, (f"{number:020}" * 3)[: len(places)])


def _mail(number: int, original: str) -> str:
    given, family = lists()["women"] + lists()["men"], lists()["surnames"]
    name = f"{given[number % len(given)]}.{family[number // 1000 % len(family)]}"
    return f"{name.lower()}{number % 97}@{WEB}"


def _web(number: int, original: str) -> str:
    scheme = re.match(r"(?i)\w+://", original)
    return f"{scheme.group() if scheme else 'www.'}{WEB}/{number % 16**6:06x}"


def _ip(number: int, original: str) -> str:
    return f"2001:db8::{number % 65536:x}" if ":" in original else f"192.0.2.{number % 254 + 1}"


def _mac(number: int, original: str) -> str:
    return f"00:00:5E:00:53:{number % 256:02X}"


def _address(number: int, original: str) -> str:
    street = lists()["streets"][number % len(lists()["streets"])]
    place = lists()["cities"][number // 100 % len(lists()["cities"])]
    return (
        f"{number // 10_000 % 189 + 11} {street}, {place}"
        if len(original) > 20
        else f"{street} {number % 98 + 1}"
    )


def _place(number: int, original: str) -> str:
    name = "countries" if original.casefold() in table("regions") else "cities"
    return pick(name, number, unlike=original)


def _firm(number: int, original: str) -> str:
    return pick("firms", number, unlike=original)


def _nationality(number: int, original: str) -> str:
    return pick("nationalities", number, unlike=original)


def _occupation(number: int, original: str) -> str:
    """Forms of address stay: alone they tell of nobody."""
    is_address = original.endswith(".") or len(original) <= 4
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
        for cycle in (MONTHS, WEEKDAYS):
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
    "ZIP_CODE": _shuffled,
    "ORGANIZATION": _firm,
    "NRP": _nationality,
    "TITLE": _occupation,
    "AGE": _age,
    "DATE_TIME": _date,
}
