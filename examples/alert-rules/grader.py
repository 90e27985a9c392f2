"""Grades an alert rule by its meaning: `300ms` is `0.3s`, `5m` is `300s`, letter case is nothing."""

import re
from decimal import Decimal
from typing import NamedTuple

ACTIONS = ("page", "email", "slack", "ticket")

# For each kind of quantity: the units it may be written in, each worth this many of the first.
TIME = {"ms": Decimal(1), "s": Decimal(1000)}
PERCENT = {"%": Decimal(1)}
SIZE = {"gb": Decimal(1)}
RATE = {"/s": Decimal(1)}
COUNT = {"": Decimal(1)}

METRICS = {
    "latency.p50": (TIME,),
    "latency.p95": (TIME,),
    "latency.p99": (TIME,),
    "error_rate": (PERCENT,),
    "cpu": (PERCENT,),
    "memory": (PERCENT, SIZE),
    "disk": (PERCENT,),
    "disk_free": (PERCENT, SIZE),
    "queue_depth": (COUNT,),
    "requests": (RATE,),
    "restarts": (COUNT,),
}
SECONDS = {"s": 1, "m": 60, "h": 3600}

SHAPE = re.compile(
    r"(?P<action>\S+)\s+if\s+(?P<service>\S+)\s+(?P<metric>[^\s<>]+)\s*(?P<comparator>[<>])\s*"
    r"(?P<threshold>\S+(?:\s(?!for\b)\S+)*)(?:\s+for\s+(?P<duration>.+))?"
)
SERVICE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NUMBER = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\D*)")


class Quantity(NamedTuple):
    """A number in the base unit of its kind: ms, %, gb, /s, or none."""

    number: Decimal
    unit: str

    def __str__(self) -> str:
        return (
            f"{_plain(self.number)} {self.unit.upper() if self.unit == 'gb' else self.unit}".strip()
        )


class Rule(NamedTuple):
    """What a rule means; two spellings of one rule are equal."""

    action: str
    service: str
    metric: str
    comparator: str
    threshold: Quantity
    duration: Quantity | None
    """In seconds; None when the rule fires on the first breach."""


class Grade(NamedTuple):
    """1.0 or 0.0, and why."""

    score: float
    reason: str


def parse(text: str) -> Rule:
    """The meaning of one line of the language; letter case and spacing are ignored.

    Raises:
        ValueError: If the text is not exactly one valid rule; says which part is wrong.
    """
    line = text.strip().lower()
    if not line:
        raise ValueError("empty answer")
    if len(lines := line.splitlines()) > 1:
        raise ValueError(f"expected one line, got {len(lines)}")
    if not (match := SHAPE.fullmatch(line)):
        raise ValueError(f"not of the form 'ACTION if SERVICE METRIC > VALUE [for TIME]': {line!r}")
    action, service, metric, comparator, threshold, duration = match.groups()
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action!r}")
    if not SERVICE.fullmatch(service):
        raise ValueError(f"bad service name {service!r}")
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}")
    return Rule(
        action, service, metric, comparator, _threshold(metric, threshold), _duration(duration)
    )


def grade(answer: str, expected: str) -> Grade:
    """Score 1 when the answer means what the expected rule means.

    The reason of a zero names the first part that differs. An expected rule that does not parse
    is the golden set's fault, so it raises: the case is ungraded, not failed.

    Raises:
        ValueError: If `expected` is not a valid rule.
    """
    wanted = parse(expected)
    try:
        given = parse(answer)
    except ValueError as error:
        return Grade(0.0, f"invalid rule: {error}")
    for part, got, want in zip(Rule._fields, given, wanted, strict=True):
        if got != want:
            return Grade(0.0, f"{part}: {got or 'none'}, expected {want or 'none'}")
    return Grade(1.0, "same rule")


def _threshold(metric: str, text: str) -> Quantity:
    number, unit = _number(text, "threshold")
    for units in METRICS[metric]:
        if unit in units:
            value = Quantity(number * units[unit], next(iter(units)))
            if units is PERCENT and value.number > 100:
                raise ValueError(f"threshold {text!r} is above 100%")
            return value
    allowed = " or ".join(name or "no unit" for units in METRICS[metric] for name in units)
    raise ValueError(f"threshold {text!r}: {metric} takes {allowed}")


def _duration(text: str | None) -> Quantity | None:
    if text is None:
        return None
    number, unit = _number(text, "duration")
    if unit not in SECONDS or number != int(number) or number == 0:
        raise ValueError(f"duration {text!r} is not a whole number of s, m or h")
    return Quantity(number * SECONDS[unit], "s")


def _number(text: str, part: str) -> tuple[Decimal, str]:
    if not (match := NUMBER.fullmatch(text)):
        raise ValueError(f"{part} {text!r} is not a number with an optional unit")
    return Decimal(match["number"]), match["unit"]


def _plain(number: Decimal) -> str:
    """`300` for 300.0 and `1000` for 1E+3."""
    return f"{number.normalize():f}"
