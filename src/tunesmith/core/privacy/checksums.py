"""Check digits: whether a number that looks like an account, a card or a key can be one."""

import ipaddress


def luhn(text: str) -> bool:
    """The last digit fits the others, as on payment cards. Source: ISO/IEC 7812-1, annex B."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


RARE_ISSUERS = ("0604", "1800", "9792")
"""Beginnings of Maestro, JCB and Troy cards beside the digits 2 to 6 that nearly all cards begin with."""


def payment_card(text: str) -> bool:
    """12 to 19 digits of a network that issues payment cards, with a fitting check digit."""
    digits = "".join(letter for letter in text if letter.isdigit())
    is_issued = digits[:1] in {"2", "3", "4", "5", "6"} or digits.startswith(RARE_ISSUERS)
    return 12 <= len(digits) <= 19 and is_issued and len(set(digits)) > 1 and luhn(digits)


def iban(text: str) -> bool:
    """The check digits of an account number fit. Source: ISO 13616-1, modulo 97."""
    plain = "".join(text.split()).replace("-", "").upper()
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def social_security(text: str) -> bool:
    """Not of the kinds that were never issued in the United States (zeros in a group, or 666)."""
    area, group, serial = text.replace(" ", "-").split("-")
    return area not in {"000", "666"} and group != "00" and serial != "0000"


def ip_address(text: str) -> bool:
    """An IPv4 or IPv6 address of a machine; the unspecified one (`::`, `0.0.0.0`) is nobody's."""
    try:
        return not ipaddress.ip_address(text.partition("/")[0]).is_unspecified
    except ValueError:
        return False


CHECKS = {
    "luhn": luhn,
    "payment_card": payment_card,
    "iban": iban,
    "social_security": social_security,
    "ip_address": ip_address,
}


def luhn_digit(body: str) -> str:
    """The digit that makes `body` and itself pass `luhn`."""
    return next(digit for digit in "0123456789" if luhn(body + digit))


def iban_check_digits(country: str, body: str) -> str:
    """The two digits between country and account that make `iban` hold."""
    number = int("".join(str(int(letter, 36)) for letter in f"{body}{country}00"))
    return f"{98 - number % 97:02}"
