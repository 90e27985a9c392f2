"""Near-duplicate removal against other tools, on the same rows in the same run.

    pip install rensa datasketch FastSketchLSH datatrove nltk spacy "xxhash<3.6"
    python bench/curation.py

Rows are made here: sentences of words with natural frequencies, and edited copies of a fifth of them. A planted pair
counts if the true similarity of its texts (Jaccard, of five-character shingles) reaches the threshold; it is found if a
tool drops one of the two. A dropped row is right if it belongs to a planted pair. Each tool runs in a process of its
own, on the same rows, with all cores, as its documentation recommends. Run it on a machine that nothing else uses: on
one that is busy, a tool with two threads seems to gain nothing from the second. Tools take turns; the best time counts.
What precedes the first result (imports, compilers) is the time of the first call, on 2,000 rows; for tunesmith also
with an empty cache, as after an installation. Results go to
bench/results/near_duplicates.json, .md and .png.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from near_duplicates import SLOW, THRESHOLD, TOOLS, WARM_UP

from tunesmith.core.similarity import fold, similarities

HERE = Path(__file__).parent
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
WEIGHTS = [
    12,
    9,
    8,
    8,
    7,
    7,
    6,
    6,
    6,
    4,
    4,
    3,
    3,
    3,
    2,
    2,
    2,
    2,
    2,
    1.5,
    1,
    0.8,
    0.2,
    0.1,
    0.1,
    0.1,
]
VOCABULARY = 30_000
LONG_SECONDS = 5
"""A tool that takes longer runs once."""


def make_rows(count: int, seed: int = 0) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts, the last fifth of them edited copies of others, and the planted pairs (original, copy)."""
    rng = random.Random(seed)
    words = [
        "".join(rng.choices(LETTERS, WEIGHTS, k=rng.randint(2, 10))) for _ in range(VOCABULARY)
    ]
    originals = count * 4 // 5
    ranks = np.random.default_rng(seed).pareto(0.9, size=originals * 80) * 20
    drawn = iter((ranks.astype(int) % VOCABULARY).tolist())
    texts = [
        " ".join(words[next(drawn)] for _ in range(rng.randint(20, 80))) for _ in range(originals)
    ]
    pairs = []
    for copy in range(originals, count):
        original = rng.randrange(originals)
        texts.append(edited(texts[original], words, rng))
        pairs.append((original, copy))
    return texts, pairs


def edited(text: str, words: list[str], rng: random.Random) -> str:
    """The text with up to a word in twenty replaced, added or left out."""
    said = text.split()
    for _ in range(max(1, len(said) * rng.randint(1, 3) // 60)):
        place = rng.randrange(len(said))
        kind = rng.randrange(3)
        said[place : place + (kind != 1)] = [] if kind == 2 else [rng.choice(words)]
    return " ".join(said)


def write_rows(count: int, folder: Path) -> list[tuple[int, int]]:
    """Make rows in a file of the folder; returns the planted pairs that are truly similar."""
    texts, pairs = make_rows(count)
    (folder / f"{count}.json").write_text(json.dumps(texts))
    places = np.array(pairs, dtype=np.int32)
    truth = similarities(places, lambda some: fold(texts[n] for n in some.tolist()))
    similar = [
        pair for pair, value in zip(pairs, truth.tolist(), strict=True) if value >= THRESHOLD
    ]
    print(f"{count} rows with {len(similar)} planted pairs at {THRESHOLD} or more")
    return similar


def measure(tool: str, source: Path, python: str, **environment: str) -> dict[str, float]:
    """One run of one tool in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.json"
        script = HERE / "near_duplicates.py"
        subprocess.run(
            [python, script, tool, source, target],
            check=True,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return json.loads(target.read_text())


def first_call_after_installation(source: Path) -> float:
    """Seconds of the first call where nothing has been compiled yet."""
    with tempfile.TemporaryDirectory() as cache:
        return measure("tunesmith", source, sys.executable, NUMBA_CACHE_DIR=cache)[
            "warm_up_seconds"
        ]


def score(run: dict, pairs: list[tuple[int, int]]) -> dict[str, float]:
    """Recall of planted pairs and precision of what was dropped."""
    dropped = set(run.pop("dropped"))
    planted = {row for pair in pairs for row in pair}
    return {
        "recall": sum(bool(dropped & set(pair)) for pair in pairs) / len(pairs),
        "precision": len(dropped & planted) / max(1, len(dropped)),
    }


def plot(results: dict[str, dict], path: Path) -> None:
    """Rows a second, a bar a tool."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    names = sorted(results, key=lambda name: results[name]["rows_per_second"])
    figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(names) + 1.2))
    rates = [results[name]["rows_per_second"] for name in names]
    colours = ["#2563eb" if name == "tunesmith" else "#9ca3af" for name in names]
    bars = axes.barh(names, rates, color=colours)
    most = max(run["rows"] for run in results.values())
    labels = [
        f"{run['rows_per_second']:,.0f}  recall {run['recall']:.3f}, precision {run['precision']:.3f}"
        + (f"  ({run['rows']:,} rows)" if run["rows"] < most else "")
        for run in map(results.get, names)
    ]
    axes.bar_label(bars, labels, padding=4, fontsize=8)
    axes.set_xlim(0, max(rates) * 1.6)
    axes.set_xlabel("rows a second")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(f"Near-duplicates among {most:,} rows")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Make rows, let the tools take turns, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tools", nargs="*", default=list(TOOLS))
    parser.add_argument("--peers-python", default=sys.executable, help="Where the other tools are.")
    given = parser.parse_args()
    results: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = {tool: min(given.rows, SLOW.get(tool, given.rows)) for tool in given.tools}
        pairs = {size: write_rows(size, Path(folder)) for size in set(sizes.values())}
        for turn in range(given.runs):
            for tool, size in sizes.items():
                if turn and results[tool]["seconds"] > LONG_SECONDS:
                    continue
                python = sys.executable if tool == "tunesmith" else given.peers_python
                run = measure(tool, Path(folder) / f"{size}.json", python)
                run |= score(run, pairs[size])
                run["rows_per_second"] = run["rows"] / run["seconds"]
                best = results.get(tool, run)
                results[tool] = min(best, run, key=lambda one: one["seconds"])
        compiling = first_call_after_installation(Path(folder) / f"{given.rows}.json")
    report(results, compiling)


def report(results: dict[str, dict], compiling: float) -> None:
    """Print and write table, JSON and plot."""
    ours = results["tunesmith"]
    for run in results.values():
        run["ratio"] = ours["rows_per_second"] / run["rows_per_second"]
    best = min((run["ratio"], name) for name, run in results.items() if run is not ours)
    machine = {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }
    content = {
        "threshold": THRESHOLD,
        "machine": machine,
        "best_peer": best[1],
        "first_call_after_installation_seconds": compiling,
        "results": results,
    }
    lines = table(results)
    lines += [
        "",
        f"First call: imports and compilers, on {WARM_UP:,} rows; tunesmith's after installation,"
        f" with nothing compiled yet: {compiling:.1f} s.",
        "Fewer rows: the tool would take minutes for all, a second or two of them to start.",
        f"Fastest peer: {best[1]}; tunesmith is {best[0]:.1f} times as fast.",
    ]
    print("\n".join(lines))
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / "near_duplicates.md").write_text("\n".join(lines) + "\n")
    (folder / "near_duplicates.json").write_text(json.dumps(content, indent=2) + "\n")
    plot(results, folder / "near_duplicates.png")


def table(results: dict[str, dict]) -> list[str]:
    """Lines of a Markdown table, the fastest tool first."""
    lines = [
        "| tool | rows | seconds | CPU s | rows/s | recall | precision | first call, s | times slower |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, run in sorted(results.items(), key=lambda one: one[1]["ratio"]):
        figures = [
            f"{run['rows']:,}",
            f"{run['seconds']:.2f}",
            f"{run['cpu_seconds']:.2f}",
            f"{run['rows_per_second']:,.0f}",
            f"{run['recall']:.4f}",
            f"{run['precision']:.4f}",
            f"{run['warm_up_seconds']:.2f}",
            f"{run['ratio']:.1f}",
        ]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return lines


if __name__ == "__main__":
    main()
