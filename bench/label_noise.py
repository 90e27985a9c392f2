"""How well wrong and cut answers are found among SNIPS rows, with a probe and by neighbours.

    python bench/label_noise.py --data FOLDER --workspace FOLDER [--rows 800]

The rows are those of bench/quality_beats_quantity.py without repetitions: half is noise, and the probes learn from the
noise they look for. Prints and writes bench/results/label_noise.json: the area under the ROC curve for either kind
against good rows, and the share of noise among as many of the most suspicious rows as there is noise. Parts that are
done are only read again, so the script can be stopped and run again.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from quality_beats_quantity import POOL, spoiled
from sklearn.metrics import roc_auc_score
from snips.rows import TRAIN_FILES, sample

from tunesmith.core.conversation import Example, Message
from tunesmith.core.workspace import Workspace
from tunesmith.curate.neighbourhood import neighbourhoods
from tunesmith.curate.noise import strangeness
from tunesmith.lifecycle.probing import CrossProbe
from tunesmith.models.config import ModelConfig
from tunesmith.train.config import TrainConfig

RESULTS = Path(__file__).parent / "results"
SYSTEM = "Extract the intent and its slots as JSON."
STEPS = 60


def main() -> None:
    """Look at the rows in both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=800)
    options = parser.parse_args()
    noisy, kinds = spoiled(sample(options.data, TRAIN_FILES, POOL))
    chosen = [place for place, kind in enumerate(kinds) if not kind.startswith("copy")]
    rows = [example(noisy[place]) for place in chosen]
    told = np.array([kinds[place] for place in chosen])
    started = time.perf_counter()
    near = neighbourhoods(rows)
    results = {
        "by neighbours, all rows": {
            **quality([near.disagreement(place) for place in range(len(rows))], told),
            "seconds": round(time.perf_counter() - started, 1),
        }
    }
    print(results, flush=True)
    rows, told = rows[: options.rows], told[: options.rows]
    near = neighbourhoods(rows)
    results["by neighbours"] = quality([near.disagreement(n) for n in range(len(rows))], told)
    train = TrainConfig(learning_rate=1e-3, batch_size=8)
    ask = CrossProbe(train, ModelConfig(), Workspace(options.workspace), steps=STEPS)
    found = ask(rows)
    results["by probe"] = quality([strangeness(one) for one in found], told)
    results["by the probe's loss alone"] = quality([one.after for one in found], told)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2)
    (RESULTS / "label_noise.json").write_text(text + "\n")
    print(text)


def example(row: dict[str, str]) -> Example:
    """A row as curation makes it."""
    turns = (("system", SYSTEM), ("user", row["prompt"]), ("assistant", row["completion"]))
    return Example(messages=tuple(Message(role=role, content=text) for role, text in turns))


def quality(scores: Sequence[float], kinds: "np.ndarray") -> dict[str, Any]:
    """How well scores tell noise from good rows."""
    ranked = np.asarray(scores)
    is_good = kinds == "good"
    noise = int((~is_good).sum())
    found: dict[str, Any] = {"rows": len(kinds), "noise": noise}
    for kind in ("wrong", "cut"):
        asked = is_good | (kinds == kind)
        found[f"AUC, {kind}"] = round(float(roc_auc_score(~is_good[asked], ranked[asked])), 3)
    most = np.argsort(-ranked, kind="stable")
    for count in (noise // 4, noise // 2, noise):
        found[f"noise among the first {count}"] = round(float((~is_good[most[:count]]).mean()), 3)
    return found


if __name__ == "__main__":
    main()
