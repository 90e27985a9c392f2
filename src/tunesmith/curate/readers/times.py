"""Times as exports write them, and the order of messages that they give."""

import email.utils
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

TIME_KEYS = (
    "created_at",
    "created",
    "createdat",
    "created_on",
    "timestamp",
    "sent_at",
    "posted_at",
    "datetime",
    "date_time",
    "date",
    "time",
)
NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b[,T ]*(.*)")
"""Day and month, in one order or the other, a year, perhaps a time of day."""
YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})\b[,T ]*(.*)")
CLOCK_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
OFFSET = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:[.,]\d+)?)")
"""A time of day, or how far into a call something was said."""
LARGEST_SECONDS = 1e11
"""Since 1970: the year 5138. Larger numbers count milliseconds, microseconds or nanoseconds."""
FIX = "write times as 2024-02-03 11:00, or rename the column to keep the file's order"


class UnknownOrderError(Exception):
    """Why the order of some messages cannot be told; never leaves this package."""


def time_cell(fields: Mapping[str, object]) -> object:
    """What a row, under its plain names, says of its time; None where it says nothing."""
    key = next((key for key in TIME_KEYS if fields.get(key) not in (None, "")), None)
    if key == "date" and fields.get("time") and ":" not in str(fields["date"]):
        return f"{fields['date']} {fields['time']}"
    cell = fields[key] if key else None
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def is_day_first(cells: Iterable[object]) -> bool | None:
    """How a column writes 3 February, by those of its dates that can be read in one way only.

    Returns:
        True for 3.2., False for 2/3, None where no date tells, or where they contradict one another.
    """
    said = {order for cell in cells if (order := _day_first(str(cell).strip())) is not None}
    return said.pop() if len(said) == 1 else None


def ordered(cells: Sequence[object], day_first: bool | None) -> list[int]:
    """Positions in the order of their times; where none has a time, or times of day alone ascend, as they stand.

    Messages of the same time stand as in the file, or the other way round where the file has the newest first.

    Args:
        cells: What `time_cell` found, a message each.
        day_first: What `is_day_first` said of the whole column.

    Raises:
        UnknownOrderError: If a time is missing or cannot be read, or the order depends on which number is the day.
    """
    texts = [str(cell).strip() for cell in cells if cell is not None]
    if not texts or len(cells) < 2:
        return list(range(len(cells)))
    offsets = [_offset(text) for text in texts]
    if None not in offsets:
        known = [offset for offset in offsets if offset is not None]
        return _as_they_stand(known, len(cells), "its times have no date and do not ascend")
    readings = (True, False) if day_first is None else (day_first,)
    orders = [
        _order([_seconds(text, reading) for text in texts], len(cells)) for reading in readings
    ]
    if orders[0] != orders[-1]:
        shown = next(text for text in texts if NUMBERS.match(text))
        raise UnknownOrderError(f"the time {shown[:40]!r} may begin with day or month: {FIX}")
    return orders[0]


def _order(seconds: Sequence[float], count: int) -> list[int]:
    if len(seconds) < count:
        missing = f"{count - len(seconds)} of its {count} messages have no time"
        return _as_they_stand(seconds, count, missing)
    is_newest_first = seconds[0] > seconds[-1] and list(seconds) == sorted(seconds, reverse=True)
    places = reversed(range(count)) if is_newest_first else range(count)
    return sorted(places, key=seconds.__getitem__)


def _as_they_stand(seconds: Sequence[float], count: int, problem: str) -> list[int]:
    if list(seconds) != sorted(seconds):
        raise UnknownOrderError(f"{problem}: {FIX}")
    return list(range(count))


def _seconds(text: str, day_first: bool) -> float:
    """Seconds since 1970, in UTC where no zone is given."""
    for read in (_number, _iso_date, _numeric_date(day_first), _mail_date):
        try:
            found = read(text)
        except (ValueError, OverflowError, TypeError):
            continue
        if found is not None:
            return found
    raise UnknownOrderError(f"the time {text[:40]!r} cannot be read: {FIX}")


def _number(text: str) -> float | None:
    if not re.fullmatch(r"-?\d{1,20}(\.\d+)?", text):
        return None
    found = float(text)
    while abs(found) > LARGEST_SECONDS:
        found /= 1000
    return found


def _day_first(text: str) -> bool | None:
    found = NUMBERS.match(text)
    if found is None:
        return None
    first, second = int(found[1]), int(found[3])
    if found[2] == "." or first > 12:
        return True
    return False if second > 12 else None


def _numeric_date(day_first: bool) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        if found := NUMBERS.fullmatch(text):
            day, month = (found[1], found[3]) if day_first else (found[3], found[1])
            return _date(found[4], month, day, found[5])
        found = YEAR_FIRST.fullmatch(text)
        return _date(*found.groups()) if found else None

    return read


def _date(year: str, month: str, day: str, clock: str) -> float:
    century = 2000 if len(year) == 2 else 0
    midnight = datetime(century + int(year), int(month), int(day), tzinfo=UTC)
    return midnight.timestamp() + _clock(re.sub(r"\s*(?:UTC|GMT|Z)$", "", clock))


def _clock(text: str) -> float:
    """Seconds since midnight."""
    if not text:
        return 0.0
    for form in CLOCK_FORMATS:
        try:
            read = datetime.strptime(text.upper(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return read.hour * 3600.0 + read.minute * 60 + read.second
    raise ValueError(text)


def _iso_date(text: str) -> float:
    read = datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "+00:00", text))
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _mail_date(text: str) -> float | None:
    parts = email.utils.parsedate_tz(text)
    # That parser passes over AM and PM.
    is_half_day = re.search(r"\d\s*[ap]\.?m\b", text, re.IGNORECASE)
    return None if parts is None or is_half_day else float(email.utils.mktime_tz(parts))


def _offset(text: str) -> float | None:
    found = OFFSET.fullmatch(text)
    if found is None:
        return None
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3].replace(",", "."))
