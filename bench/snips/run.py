"""SNIPS: requests to JSON (intent and slots), base against tuned, on 1,200 training examples.

    python bench/snips/run.py --data FOLDER --workspace FOLDER

The data is the SNIPS NLU benchmark of 2017 (CC0), `train_*_full.json` and `validate_*.json` as published at
github.com/sonos/nlu-benchmark. Prints and writes bench/results/snips.json.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
TRAIN, GOLDEN, SEED = 1_200, 200, 0
RESAMPLES = 10_000


def main() -> None:
    """Prepare a workspace, run the lifecycle in it, add slot-level F1 to what it reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    options = parser.parse_args()
    prepare(options.data, options.workspace)
    words = ["-c", "from tunesmith.cli.main import main; main()", "run", "-C", options.workspace]
    subprocess.run([sys.executable, *map(str, words)], check=True)
    state = json.loads((options.workspace / ".tunesmith/state.json").read_text())
    result = summary(options.workspace / ".tunesmith", state)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "snips.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def prepare(data: Path, workspace: Path) -> None:
    """Write the sampled training and golden rows beside the recipe; the same seed, the same rows."""
    (workspace / "data").mkdir(parents=True, exist_ok=True)
    for name in ("tunesmith.yaml", "intent.py"):
        shutil.copyfile(HERE / name, workspace / name)
    for pattern, count, target in (
        ("train_*_full.json", TRAIN, workspace / "data/train.jsonl"),
        ("validate_*.json", GOLDEN, workspace / "golden.jsonl"),
    ):
        rows = [row for path in sorted(data.glob(pattern)) for row in read(path)]
        chosen = random.Random(SEED).sample(rows, count)
        target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen))


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


def summary(made: Path, state: dict[str, dict[str, dict[str, str]]]) -> dict[str, object]:
    """Exact match and intent accuracy as reported, slot-level F1 from the answers."""
    folder = made / "reports" / state["evaluate"]["made"]["report"]
    report = json.loads((folder / "manifest.json").read_text())
    adapter = state["train"]["made"]["adapter"]
    training = json.loads((made / "adapters" / adapter / "manifest.json").read_text())
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    names = {"json_fields": "exact match", "intent.py:same_intent": "intent"}
    rates = {
        names[result["grader"]]: {side: result[side] for side in ("base", "tuned", "change")}
        for result in report["results"]
        if result["grader"] in names
    }
    f1 = {side: slot_f1(cases, side) for side in ("base", "tuned")}
    return {
        **rates,
        "slot F1": f1,
        "cases": len(cases),
        "training": training["metrics"],
        "settings": training["settings"],
        "base": training["base"],
        "libraries": training["libraries"],
    }


def slot_f1(cases: list[dict[str, str]], side: str) -> dict[str, float]:
    """Micro-averaged F1 over (slot, value) pairs, with the percentile bootstrap's 95 % interval over cases."""
    counts = np.array([_counts(case[side], case["expected"]) for case in cases])
    drawn = np.random.default_rng(SEED).integers(0, len(cases), (RESAMPLES, len(cases)))
    low, high = np.percentile([_f1(counts[rows].sum(axis=0)) for rows in drawn], [2.5, 97.5])
    return {"mean": _f1(counts.sum(axis=0)), "low": float(low), "high": float(high)}


def _counts(answer: str, expected: str) -> tuple[int, int, int]:
    given, wanted = _pairs(answer), _pairs(expected)
    return (given & wanted).total(), given.total(), wanted.total()


def _pairs(text: str) -> Counter[tuple[str, str]]:
    try:
        slots = json.loads(text)["slots"].items()
    except (ValueError, TypeError, KeyError, AttributeError):
        return Counter()
    return Counter((name, str(value)) for name, values in slots for value in listed(values))


def _f1(counts: "np.ndarray") -> float:
    right, given, wanted = counts
    return float(2 * right / (given + wanted)) if given + wanted else 0.0


if __name__ == "__main__":
    main()
