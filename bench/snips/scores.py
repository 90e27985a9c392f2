"""Exact match, intent accuracy and slot-level F1 of one finished run."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from snips.rows import SEED, listed

RESAMPLES = 10_000


def summary(workspace: Path) -> dict[str, object]:
    """Exact match and intent accuracy as reported, slot-level F1 from the answers."""
    made = workspace / ".tunesmith"
    state = json.loads((made / "state.json").read_text())
    folder = made / "reports" / state["evaluate"]["made"]["report"]
    report = json.loads((folder / "manifest.json").read_text())
    adapter = state["train"]["made"]["adapter"]
    training = json.loads((made / "adapters" / adapter / "manifest.json").read_text())
    dataset = made / "datasets" / state["curate"]["made"]["dataset"] / "manifest.json"
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
        "trained on": json.loads(dataset.read_text())["train_count"],
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
