"""Memory and time of `tunesmith curate` as rows grow to a million; peak memory of all its processes together.

    python bench/million.py

Rows are made here, a tenth of them edited copies. A run that `--limit` kills goes on where it was when the command is
given again, as after any crash. Results go to bench/results/million.json and .png.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).parent
WORDS = 20_000
RECIPE = "name: million\ncurate:\n  golden_share: 0.01\n  validation_share: 0.01\n"
CURATE = """
from pathlib import Path
from tunesmith.core.workspace import Workspace
from tunesmith.recipe import load
from tunesmith.curate.stage import run
workspace = Workspace(Path(".").resolve())
made = run(load(workspace.recipe_path).recipe.curate, workspace)
print(made.dataset.model_dump_json())
"""


def write_rows(path: Path, count: int) -> None:
    """Questions of 8 to 20 words, answers of 20 to 60; every tenth row repeats an earlier one but for a word."""
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucm"))
    words = ["".join(rng.choice(letters, rng.integers(3, 10))) for _ in range(WORDS)]
    block = 10_000
    with path.open("w") as stream:
        for _ in range(0, count, block):
            drawn = (rng.pareto(1.0, size=block * 80) * 30).astype(int) % WORDS
            lengths = zip(rng.integers(8, 20, block), rng.integers(20, 60, block), strict=True)
            rows: list[list[str]] = []
            for number, (asked, said) in enumerate(lengths):
                if number % 10 == 9:
                    row = rows[number // 2].copy()
                    row[30 % len(row)] = words[number]
                else:
                    row = [words[rank] for rank in drawn[number * 80 : number * 80 + asked + said]]
                rows.append(row)
                question, answer = " ".join(row[:12]), " ".join(row[12:])
                line = {"prompt": question + "?", "completion": answer + "."}
                stream.write(json.dumps(line) + "\n")


def watch(process: subprocess.Popen, peaks: dict[str, int]) -> None:
    """Note the largest resident memory of a process, of its largest child, and of all of them together."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            main = root.memory_info().rss
            helpers = [one.memory_info().rss for one in root.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        sizes = {"together": main + sum(helpers), "main": main, "helper": max(helpers, default=0)}
        peaks |= {name: max(peaks[name], size) for name, size in sizes.items()}
        time.sleep(0.1)


def curate(rows: int, folder: Path, limit: float | None) -> dict[str, float] | None:
    """Curate so many rows in a process of its own; None if it was killed for its time, to be gone on with later."""
    source = folder / "data/rows.jsonl"
    if not source.is_file():
        source.parent.mkdir(parents=True)
        (folder / "tunesmith.yaml").write_text(RECIPE)
        write_rows(folder / "rows.part", rows)
        (folder / "rows.part").replace(source)
    past = folder / "past.json"
    before = json.loads(past.read_text()) if past.is_file() else {"seconds": 0.0, "kills": 0}
    start = time.perf_counter()
    command = [sys.executable, "-c", CURATE]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    peaks = {name: before.get(name, 0) for name in ("together", "main", "helper")}
    watcher = threading.Thread(target=watch, args=(process, peaks))
    watcher.start()
    try:
        printed, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        printed = ""
    process.wait()
    watcher.join()
    seconds = before["seconds"] + time.perf_counter() - start
    if not printed:
        now = {"seconds": seconds, "kills": before["kills"] + 1, **peaks}
        past.write_text(json.dumps(now))
        print(f"{rows} rows: killed after {seconds:.0f} s; run again to go on")
        return None
    dataset = json.loads(printed)
    return {
        "rows": rows,
        "file_bytes": source.stat().st_size,
        "seconds": seconds,
        "kills": before["kills"],
        "peak_bytes_all_processes": peaks["together"],
        "peak_bytes_main_process": peaks["main"],
        "peak_bytes_largest_helper": peaks["helper"],
        "removed": dataset["removed"],
        "id": dataset["id"],
    }


def plot(results: list[dict], path: Path) -> None:
    """Peak memory over rows."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.6))
    rows = [one["rows"] / 1000 for one in results]
    for key, label in (
        ("peak_bytes_all_processes", "all processes together"),
        ("peak_bytes_main_process", "the process that compares rows"),
        ("peak_bytes_largest_helper", "the largest that reads them"),
    ):
        axes.plot(rows, [one[key] / 1e9 for one in results], marker="o", label=label)
    axes.plot(
        rows, [one["file_bytes"] / 1e9 for one in results], "--", color="grey", label="the file"
    )
    axes.axhline(2, color="#dc2626", linewidth=1)
    axes.set(
        xlabel="thousand rows", ylabel="GB", ylim=(0, 2.2), title="Peak memory of tunesmith curate"
    )
    axes.legend(frameon=False, loc=(0.45, 0.48))
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Curate more and more rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[100_000, 250_000, 500_000, 1_000_000]
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "million"))
    parser.add_argument("--limit", type=float, help="Kill a run after these seconds.")
    parser.add_argument("--keep", action="store_true", help="Keep the workspaces.")
    given = parser.parse_args()
    results = []
    for rows in given.rows:
        done = given.folder / f"{rows}.json"
        if not done.is_file():
            made = curate(rows, given.folder / str(rows), given.limit)
            if made is None:
                return
            done.write_text(json.dumps(made))
            if not given.keep:
                shutil.rmtree(given.folder / str(rows))
        results.append(one := json.loads(done.read_text()))
        print(
            f"{rows:9} rows {one['seconds']:7.1f} s {rows / one['seconds']:9,.0f} rows/s, peak"
            f" {one['peak_bytes_all_processes'] / 1e9:.2f} GB in all processes,"
            f" {one['peak_bytes_main_process'] / 1e9:.2f} GB in the one that compares rows,"
            f" {one['peak_bytes_largest_helper'] / 1e9:.2f} GB in one that reads; {one['removed']}",
            flush=True,
        )
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    content = {"cores": os.cpu_count(), "results": results}
    (folder / "million.json").write_text(json.dumps(content, indent=2) + "\n")
    plot(results, folder / "million.png")


if __name__ == "__main__":
    main()
