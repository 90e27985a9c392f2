"""Persons as exports write them: an id here, an address there, an object with all of it elsewhere."""

import email.utils
from collections.abc import Mapping, Sequence

KINDS: Mapping[str, Sequence[str]] = {
    "id": ("id", "account_id", "accountid", "user_id"),
    "email": ("email", "email_address", "emailaddress", "address", "mail"),
    "name": ("name", "display_name", "displayname", "full_name", "username", "login"),
}
"""What a person is known by, the surest first, with the names that exports have for it."""
AUTHORS = ("author", "sender", "from", "user")
REQUESTERS = ("requester", "reporter")

Person = Mapping[str, str]
"""What is known of somebody, by kind; nothing at all of a stranger."""


def person(fields: Mapping[str, object], roles: Sequence[str]) -> Person:
    """Who a row names in the first of these roles that it has, as in `author`, `author_id` and `author_email`.

    Args:
        fields: The row, under its plain names.
        roles: What the columns are called.
    """
    for role in roles:
        found = _known(fields.get(role), "")
        for kind in KINDS:
            found = {**_known(fields.get(f"{role}_{kind}"), kind), **found}
        if found:
            return found
    return {}


def is_same(first: Person, second: Person) -> bool | None:
    """Whether two persons are one; None where nothing that is known of both can be compared."""
    for kind in KINDS:
        if kind in first and kind in second:
            return first[kind] == second[kind]
    return True if set(first.values()) & set(second.values()) else None


def label(known: Person) -> str:
    """What the person is surest known by; empty for a stranger."""
    return next((known[kind] for kind in KINDS if kind in known), "")


def _known(value: object, kind: str) -> dict[str, str]:
    """What a cell says of a person; `kind` is what a bare text there is, where the column's name tells."""
    if isinstance(value, dict):
        plain = {str(name).lower(): _text(cell) for name, cell in value.items()}
        found = {
            name: next((plain[key] for key in keys if plain.get(key)), "")
            for name, keys in KINDS.items()
        }
        return {name: text for name, text in found.items() if text}
    text = _text(value)
    name, address = email.utils.parseaddr(text) if "@" in text else ("", "")
    if address:
        return {"email": address, **({"name": name} if name else {})}
    return {kind or ("id" if text.isdigit() else "name"): text} if text else {}


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return " ".join(str(value).casefold().split()) if is_text else ""
