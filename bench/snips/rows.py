"""SNIPS rows as prompt and expected JSON; the NLU benchmark of 2017 (CC0), github.com/sonos/nlu-benchmark."""

import json
import random
from pathlib import Path

SEED = 0
TRAIN_FILES, GOLDEN_FILES = "train_*_full.json", "validate_*.json"


def sample(data: Path, pattern: str, count: int) -> list[dict[str, str]]:
    """`count` rows drawn from all files that match; the same arguments give the same rows."""
    rows = [row for path in sorted(data.glob(pattern)) for row in read(path)]
    return random.Random(SEED).sample(rows, count)


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Rows as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read(path: Path) -> list[dict[str, str]]:
    """The examples of one intent; some published files are Latin-1."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    [(intent, examples)] = json.loads(text).items()
    return [row(intent, example["data"]) for example in examples]


def row(intent: str, chunks: list[dict[str, str]]) -> dict[str, str]:
    """A request and the JSON that is expected; a slot that occurs twice has a list."""
    slots: dict[str, object] = {}
    for chunk in chunks:
        if name := chunk.get("entity"):
            value = chunk["text"].strip()
            before = slots.get(name)
            slots[name] = value if before is None else [*listed(before), value]
    answer = json.dumps({"intent": intent, "slots": slots}, ensure_ascii=False)
    return {"prompt": "".join(chunk["text"] for chunk in chunks).strip(), "completion": answer}


def listed(value: object) -> list[object]:
    """The value as a list."""
    return value if isinstance(value, list) else [value]
