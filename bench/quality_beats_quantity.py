"""Do 500 curated examples beat 5,000 noisy ones? The same budget of training for each, on SNIPS.

    python bench/quality_beats_quantity.py --data FOLDER --workspace FOLDER

Four trainings that each see as many examples, judged by the same 200 golden cases:

- clean: the 500 most diverse of 5,000 correct rows, three times
- noisy: 5,000 rows of which a quarter has a wrong answer, 15 % a cut one, 20 % repeat another; once, as far as the
  budget goes
- curated: the same 5,000 noisy rows after `tunesmith curate`, the 500 most diverse, three times
- clean, all: as noisy, without the noise; what the noise alone costs

Prints a table and writes bench/results/quality_beats_quantity.json and .png. Whatever comes out is reported.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from snips.rows import GOLDEN_FILES, SEED, TRAIN_FILES, sample, write
from snips.scores import summary

CASE = Path(__file__).parent / "snips"
RESULTS = Path(__file__).parent / "results"
TUNESMITH = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]
POOL, GOLDEN, SELECTED, EPOCHS = 5_000, 200, 500, 3
WRONG, CUT, REPEATED = 0.25, 0.15, 0.20
"""Shares of the noisy rows; the rest is as published."""
RECIPE = """\
name: {name}
curate:
  sources: [rows.jsonl]
  golden: golden.jsonl
  system: Extract the intent and its slots as JSON.
  validation_share: 0
  {cleaning}
train:
  epochs: {epochs}
  batch_size: 8
  learning_rate: 1e-3
  evaluations: 0
evaluate:
  graders:
    - json_fields
    - python_function: {{function: "intent.py:same_intent"}}
  secondary: []
  max_tokens: 120
"""
RAW = "near_duplicates: null"
CLEANED = "near_duplicates: 0.85"


def main() -> None:
    """Make the arms, run each through the lifecycle, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    options = parser.parse_args()
    clean = sample(options.data, TRAIN_FILES, POOL)
    noisy = spoiled(clean)
    golden = sample(options.data, GOLDEN_FILES, GOLDEN)
    budget = SELECTED * EPOCHS
    arms = {
        "clean": (clean, f"{RAW}\n  select: {SELECTED}", EPOCHS),
        "noisy": (noisy[:budget], RAW, 1),
        "curated": (noisy, f"{CLEANED}\n  select: {SELECTED}", EPOCHS),
        "clean, all": (clean[:budget], RAW, 1),
    }
    results = {}
    for name, (rows, cleaning, epochs) in arms.items():
        folder = options.workspace / name.replace(", ", "-")
        recipe = RECIPE.format(name="snips", cleaning=cleaning, epochs=epochs)
        results[name] = run(folder, recipe, rows, golden)
        print(line(name, results[name]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2)
    (RESULTS / "quality_beats_quantity.json").write_text(text + "\n")
    draw(results)


def spoiled(clean: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with planted noise, as many and shuffled; each kind hits rows of its own."""
    draw = random.Random(SEED + 1)
    rows = [dict(row) for row in clean]
    wrong, cut, repeated = (round(share * len(rows)) for share in (WRONG, CUT, REPEATED))
    for row in rows[:wrong]:
        row["completion"] = draw.choice(clean)["completion"]
    for row in rows[wrong : wrong + cut]:
        text = row["completion"]
        row["completion"] = text[: draw.randint(5, len(text) - 3)]
    kept = rows[: len(rows) - repeated]
    copies = [dict(row) for row in draw.choices(kept, k=repeated)]
    for row in copies:
        row["prompt"] = row["prompt"].upper() if draw.random() < 0.5 else f"{row['prompt']} ."
    mixed = [*kept, *copies]
    draw.shuffle(mixed)
    return mixed


def run(folder: Path, recipe: str, rows: list[Any], golden: list[Any]) -> dict[str, Any]:
    """One arm through the whole lifecycle; a finished one is only read again."""
    write(folder / "rows.jsonl", rows)
    write(folder / "golden.jsonl", golden)
    (folder / "tunesmith.yaml").write_text(recipe)
    (folder / "intent.py").write_text((CASE / "intent.py").read_text())
    log = folder / "run.log"
    with log.open("w") as stream:
        words = [*TUNESMITH, "run", "-C", str(folder)]
        subprocess.run(words, check=True, stdout=stream, stderr=subprocess.STDOUT)
    state = json.loads((folder / ".tunesmith/state.json").read_text())
    dataset = folder / ".tunesmith/datasets" / state["curate"]["made"]["dataset"]
    facts = json.loads((dataset / "manifest.json").read_text())
    return {
        **summary(folder),
        "read": len(rows),
        "trained on": facts["train_count"],
        "removed": facts["removed"],
    }


def line(name: str, result: dict[str, Any]) -> str:
    """One arm in a line."""
    exact, f1 = result["exact match"]["tuned"], result["slot F1"]["tuned"]
    return (
        f"{name:14} {result['trained on']:5} rows  exact match {100 * exact['mean']:5.1f} %"
        f" ({100 * exact['low']:.1f} to {100 * exact['high']:.1f})  slot F1 {100 * f1['mean']:5.1f}"
        f" ({100 * f1['low']:.1f} to {100 * f1['high']:.1f})"
    )


def draw(results: dict[str, Any]) -> None:
    """Exact match of every arm with its interval."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for row, result in enumerate(reversed(results.values())):
        rate = result["exact match"]["tuned"]
        low, mean, high = (100 * rate[key] for key in ("low", "mean", "high"))
        axis.plot([low, high], [row, row], linewidth=6, alpha=0.35, color="tab:blue")
        axis.plot([mean], [row], "o", color="tab:blue")
        axis.annotate(f"{mean:.1f} %", (mean, row), (0, 9), textcoords="offset points", ha="center")
    labels = [f"{name} ({result['trained on']} rows)" for name, result in results.items()]
    axis.set_yticks(range(len(labels)), labels[::-1])
    axis.set_xlim(0, 100)
    axis.set_ylim(-0.6, len(labels) - 0.2)
    axis.set_xlabel("exact match on 200 golden cases, 95 % interval")
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "quality_beats_quantity.png")


if __name__ == "__main__":
    main()
