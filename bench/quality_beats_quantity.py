"""Do 500 curated examples beat 5,000 noisy ones? The same budget of training for each, on SNIPS.

    python bench/quality_beats_quantity.py --data FOLDER --workspace FOLDER [--arm NAME]

Three trainings that see 5,000 examples each, in steps of 10, judged by the same 400 golden cases:

- clean: the 500 most diverse of 5,000 correct rows, 10 times over
- noisy: 5,000 rows as they are, once: a quarter has a wrong answer, 15 % a cut one, and a fifth repeat another row
- curated: the same noisy 5,000 after `tunesmith curate`: cut answers and repetitions out, the 40 % of the rest whose
  answers fit those to like questions least, and the 1,250 most diverse of what is left, 4 times over

A finished arm is only read again, so the script can be stopped and run again; `--arm` runs one. Prints a table and
writes bench/results/quality_beats_quantity.json and .png. Whatever comes out is reported.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snips.rows import GOLDEN_FILES, SEED, TRAIN_FILES, sample, write
from snips.scores import slot_f1

from tunesmith.core.progress import QuietProgress
from tunesmith.core.statistics import wilson_interval
from tunesmith.core.text import normalise
from tunesmith.core.workspace import Workspace
from tunesmith.engines.opening import Served, open_endpoint
from tunesmith.evaluate.generation import answer_all
from tunesmith.evaluate.grading import grade_all, make_graders
from tunesmith.lifecycle import Lifecycle
from tunesmith.recipe import load

CASE = Path(__file__).parent / "snips"
RESULTS = Path(__file__).parent / "results"
TUNESMITH = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]
POOL, SPARE, GOLDEN = 5_000, 100, 400
"""Rows; the spare ones stand in for those that ask what a golden case asks, which no arm may train on."""
SELECTED, SELECTED_OF_NOISY = 500, 1_250
WRONG, CUT, REPEATED = 0.25, 0.15, 0.20
"""Shares of the noisy rows; the rest is as published."""
RECIPE = """\
name: snips
curate:
  sources: [rows.jsonl]
  golden: golden.jsonl
  system: Extract the intent and its slots as JSON.
  validation_share: 0
  {cleaning}
train:
  epochs: {epochs}
  batch_size: 10
  learning_rate: 1e-3
  evaluations: 4
evaluate:
  graders:
    - json_fields
    - python_function: {{function: "intent.py:same_intent"}}
  secondary: []
  max_tokens: 120
"""
RAW = "near_duplicates: null\n  filters: []"
AS_IT_IS = f"duplicates: keep\n  {RAW}"
CLEANED = "remove_from: 0.8\n  label_noise: {share: 0.4, by: neighbours}"


def main() -> None:
    """Make the arms, run those that are wanted, report those that are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--arm", help="only this one")
    options = parser.parse_args()
    golden = sample(options.data, GOLDEN_FILES, GOLDEN)
    clean = unlike(golden, sample(options.data, TRAIN_FILES, POOL + SPARE))[:POOL]
    noisy, kinds = spoiled(clean)
    arms = {
        "clean": (clean, f"{RAW}\n  select: {SELECTED}", POOL // SELECTED),
        "noisy": (noisy, AS_IT_IS, 1),
        "curated": (
            noisy,
            f"{CLEANED}\n  select: {SELECTED_OF_NOISY}",
            POOL // SELECTED_OF_NOISY,
        ),
    }
    results = {}
    for name, (rows, cleaning, epochs) in arms.items():
        folder = options.workspace / name
        done = folder / "result.json"
        if options.arm in (None, name) and not done.is_file():
            recipe = RECIPE.format(cleaning=cleaning, epochs=epochs)
            made = run(folder, recipe, rows, golden)
            if name == "curated":
                made["planted noise"] = found_noise(folder, kinds)
            done.write_text(json.dumps(made, indent=2))
        if done.is_file():
            results[name] = json.loads(done.read_text())
            print(line(name, results[name]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2)
    (RESULTS / "quality_beats_quantity.json").write_text(text + "\n")
    draw(results)


def unlike(golden: list[dict[str, str]], rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those of the rows that do not ask what a golden case asks, case, white space and closing punctuation aside."""
    asked = {normalise(row["prompt"]) for row in golden}
    return [row for row in rows if normalise(row["prompt"]) not in asked]


def spoiled(clean: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[str]]:
    """The rows with planted noise, as many and shuffled, and each one's kind of noise."""
    draw = random.Random(SEED + 1)
    rows = [dict(row) for row in clean]
    wrong, cut, repeated = (round(share * len(rows)) for share in (WRONG, CUT, REPEATED))
    kinds = ["wrong"] * wrong + ["cut"] * cut + ["good"] * (len(rows) - wrong - cut)
    for place, row in enumerate(rows[:wrong]):
        row["completion"] = draw.choice(clean)["completion"]
        if row["completion"] == clean[place]["completion"]:
            kinds[place] = "good"
    for row in rows[wrong : wrong + cut]:
        text = row["completion"]
        row["completion"] = text[: draw.randint(5, len(text) - 3)]
    kept = list(zip(rows, kinds, strict=True))[: len(rows) - repeated]
    copies = [(dict(row), f"copy of {kind}") for row, kind in draw.choices(kept, k=repeated)]
    for row, _ in copies:
        row["prompt"] = row["prompt"].upper() if draw.random() < 0.5 else f"{row['prompt']} ."
    mixed = [*kept, *copies]
    draw.shuffle(mixed)
    return [row for row, _ in mixed], [kind for _, kind in mixed]


def run(folder: Path, recipe: str, rows: list[Any], golden: list[Any]) -> dict[str, Any]:
    """One arm: curated, trained (or gone on with), graded."""
    write(folder / "rows.jsonl", rows)
    write(folder / "golden.jsonl", golden)
    (folder / "tunesmith.yaml").write_text(recipe)
    (folder / "intent.py").write_text((CASE / "intent.py").read_text())
    workspace = Workspace(folder)
    cycle = Lifecycle(load(workspace.recipe_path).recipe, workspace)
    if cycle.state("curate").freshness != "fresh":
        _command(folder, "curate")
    if cycle.state("train").freshness != "fresh":
        _command(folder, "train", "--resume") or _command(folder, "train")
    dataset, adapter = cycle.dataset(), cycle.adapter()
    return {
        "read": len(rows),
        "trained on": dataset.train_count,
        "removed": dataset.removed,
        **graded(cycle),
        "training": adapter.metrics.model_dump(mode="json"),
        "settings": adapter.settings,
        "base": adapter.base.model_dump(mode="json"),
    }


def graded(cycle: Lifecycle) -> dict[str, Any]:
    """The tuned model alone on the golden cases: exact match and intent with Wilson intervals, slot-level F1."""
    config, workspace = cycle.recipe.evaluate, cycle.workspace
    adapter, cases = cycle.adapter(), cycle.golden_set().cases(workspace)
    served = Served.of(adapter, workspace)
    endpoint = open_endpoint(
        cycle.recipe.model, workspace.root, [served], max_batch=config.concurrency
    )

    async def answer() -> Any:
        try:
            return await answer_all(endpoint, adapter.name, cases, config, QuietProgress())
        finally:
            await endpoint.close()

    answers = asyncio.run(answer()).answers
    found: dict[str, Any] = {"cases": len(cases)}
    names = {"json_fields": "exact match", "intent.py:same_intent": "intent"}
    for label, grader in make_graders(config, workspace.root).items():
        passed = sum(grade.is_passed for grade in grade_all(grader, cases, answers))
        low, high = wilson_interval(passed, len(cases))
        found[names[label]] = {"mean": passed / len(cases), "low": low, "high": high}
    pairs = [
        {"tuned": given.text, "expected": case.expected}
        for given, case in zip(answers, cases, strict=True)
    ]
    return {**found, "slot F1": slot_f1(pairs, "tuned")}


def found_noise(folder: Path, kinds: list[str]) -> dict[str, Any]:
    """What became of every kind of planted noise, by the rule that removed it; not being selected is no removal."""
    dataset = Lifecycle(load(folder / "tunesmith.yaml").recipe, Workspace(folder)).dataset()
    fates = dict.fromkeys(range(len(kinds)), "kept")
    for row in dataset.removed_rows(Workspace(folder)):
        if row.rule != "not_selected":
            fates[int(row.example.source.rpartition(":")[2]) - 1] = row.rule
    by_kind = {kind: Counter() for kind in sorted(set(kinds))}
    for place, kind in enumerate(kinds):
        by_kind[kind][fates[place]] += 1
    removed = [(kinds[place], fate) for place, fate in fates.items() if fate != "kept"]
    by_filter = {
        rule: {"removed": len(gone), "precision": sum(map(suits, gone)) / len(gone)}
        for rule, suits in SUITS.items()
        if (gone := [kind for kind, fate in removed if fate == rule])
    }
    recall = {
        name: sum(fates[place] != "kept" for place in planted) / len(planted)
        for name, is_one in NOISE.items()
        if (planted := [place for place, kind in enumerate(kinds) if is_one(kind)])
    }
    return {"fates": by_kind, "rules": by_filter, "recall": recall}


NOISE: dict[str, Callable[[str], bool]] = {
    "wrong": lambda kind: kind.endswith("wrong"),
    "cut": lambda kind: kind.endswith("cut"),
    "copy": lambda kind: kind.startswith("copy"),
}
"""Kinds of planted noise; a copy may be of a wrong or a cut row."""
SUITS: dict[str, Callable[[str], bool]] = {
    "truncation": NOISE["cut"],
    "label": lambda kind: NOISE["wrong"](kind) or NOISE["cut"](kind),
}
"""What a rule is right to remove. Of two equal rows the first read stays, copy or not: copies have recall alone."""


def line(name: str, result: dict[str, Any]) -> str:
    """One arm in a line."""
    exact, f1 = result["exact match"], result["slot F1"]
    return (
        f"{name:14} {result['trained on']:5} rows  exact match {100 * exact['mean']:5.1f} %"
        f" ({100 * exact['low']:.1f} to {100 * exact['high']:.1f})  slot F1 {100 * f1['mean']:5.1f}"
        f" ({100 * f1['low']:.1f} to {100 * f1['high']:.1f})"
    )


def draw(results: dict[str, Any]) -> None:
    """Intent, slots and exact match of every arm with their intervals."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    colors = {"exact match": "tab:blue", "slot F1": "tab:orange", "intent": "tab:green"}
    for row, result in enumerate(reversed(results.values())):
        for name, color in colors.items():
            low, mean, high = (100 * result[name][key] for key in ("low", "mean", "high"))
            axis.plot([low, high], [row, row], linewidth=6, alpha=0.35, color=color)
            label = name if row == 0 else None
            axis.plot([mean], [row], "o", color=color, label=label)
            axis.annotate(
                f"{mean:.1f}", (mean, row), (0, 9), textcoords="offset points", ha="center"
            )
    labels = [f"{name} ({result['trained on']} rows)" for name, result in results.items()]
    axis.set_yticks(range(len(labels)), labels[::-1])
    axis.set_xlim(0, 100)
    axis.set_ylim(-0.6, len(labels) - 0.4)
    axis.set_xlabel(f"% on {GOLDEN} golden cases, 95 % interval")
    axis.legend(ncols=3, loc="lower right", frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "quality_beats_quantity.png")


def _command(folder: Path, *words: str) -> bool:
    with (folder / "run.log").open("a") as stream:
        done = subprocess.run(
            [*TUNESMITH, *words, "-C", str(folder)], stdout=stream, stderr=subprocess.STDOUT
        )
    if done.returncode not in (0, NOT_MADE_YET):
        raise SystemExit(f"{' '.join(words)} failed: see {folder / 'run.log'}")
    return done.returncode == 0


NOT_MADE_YET = 4
"""Exit code of `tunesmith train --resume` where nothing was interrupted."""


if __name__ == "__main__":
    main()
