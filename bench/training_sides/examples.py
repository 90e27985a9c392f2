"""The examples every side trains on: SNIPS where the data is at hand, else the alert rules in `examples/`."""

import csv
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).parent.parent
ALERT_RULES = BENCH.parent / "examples/alert-rules/data"
SYSTEM = {
    "snips": "Extract the intent and its slots as JSON.",
    "alert-rules": "Translate the request into one alert rule.",
}
SEED = 0


class Examples(NamedTuple):
    """Rows of `prompt` and `completion`; no question is on both sides."""

    name: str
    train: list[dict[str, str]]
    validation: list[dict[str, str]]

    @property
    def system(self) -> str:
        """The system turn before every question."""
        return SYSTEM[self.name]


def choose(data: Path | None, *, train: int, validation: int) -> Examples:
    """The first rows of one fixed shuffle; the same arguments, the same rows."""
    name = "snips" if data else "alert-rules"
    rows = list(_snips(data) if data else _alert_rules())
    unique = list(
        {re.sub(r"\W+", " ", row["prompt"]).strip().lower(): row for row in rows}.values()
    )
    random.Random(SEED).shuffle(unique)
    return Examples(name, unique[:train], unique[train : train + validation])


def _snips(data: Path) -> Iterator[dict[str, str]]:
    from snips.rows import read

    for path in sorted(data.glob("train_*_full.json")):
        yield from read(path)


def _alert_rules() -> Iterator[dict[str, str]]:
    for line in (ALERT_RULES / "tickets.jsonl").read_bytes().splitlines():
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except ValueError:
            continue  # The example keeps some broken lines on purpose.
        if isinstance(row, dict) and row.get("instruction") and row.get("output"):
            yield {"prompt": str(row["instruction"]), "completion": str(row["output"])}
    with (ALERT_RULES / "spreadsheet.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row.get("prompt") and row.get("completion"):
                yield {"prompt": row["prompt"], "completion": row["completion"]}
