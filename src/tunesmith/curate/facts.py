"""What a row says beside its conversation: the thread it belongs to, tags, where it came from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from tunesmith.curate import tickets
from tunesmith.curate.readers.threads import plain_name
from tunesmith.curate.turns import Fields

GROUP_KEYS = ("group", "thread_id", "conversation_id", "ticket_id", "case_id", "session_id")


class Facts(NamedTuple):
    """The fields of an example that are no part of its identity."""

    group: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = MappingProxyType({})


def facts_of(row: Fields) -> Facts:
    """Group, tags and metadata of a row; what has no usable form is left out."""
    return Facts(_group(row), _tags(row), _metadata(row))


def _group(row: Fields) -> str:
    named = {plain_name(name): value for name, value in row.items()}
    for key in GROUP_KEYS:
        value = named.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return _clean(str(value) if key == "group" else f"thread:{value}")
    return ""


def _tags(row: Fields) -> tuple[str, ...]:
    tags = row.get("tags")
    if isinstance(tags, str):
        tags = tags.split(",")
    if not isinstance(tags, list):
        return ()
    return tuple(_clean(tag.strip()) for tag in tags if isinstance(tag, str) and tag.strip())


def _metadata(row: Fields) -> dict[str, str]:
    notes = tickets.private_notes(row)
    counted = {"private_notes": str(notes)} if notes else {}
    facts = row.get("metadata")
    if not isinstance(facts, dict):
        return counted
    plain = {name: value for name, value in facts.items() if isinstance(value, str | int | float)}
    return counted | {_clean(str(name)): _clean(str(value)) for name, value in plain.items()}


def _clean(text: str) -> str:
    """The text as it can be written to any file."""
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "")
