"""SNIPS: requests to JSON (intent and slots), base against tuned, on 1,200 training examples.

    python bench/snips_json.py --data FOLDER --workspace FOLDER

FOLDER of the data holds `train_*_full.json` and `validate_*.json` as published at github.com/sonos/nlu-benchmark
(CC0). Prints and writes bench/results/snips.json; what the run prints is kept as bench/results/snips.log.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from snips.rows import GOLDEN_FILES, TRAIN_FILES, sample, write
from snips.scores import summary

CASE = Path(__file__).parent / "snips"
RESULTS = Path(__file__).parent / "results"
TUNESMITH = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]
READ, GOLDEN = 1_250, 200
TRAINED = 1_200  # what curation leaves of those read: duplicates and the validation share are not trained on


def main() -> None:
    """Prepare a workspace, run the lifecycle in it, add slot-level F1 to what it reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    options = parser.parse_args()
    prepare(options.data, options.workspace)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "snips.log").open("w") as log:
        words = [*TUNESMITH, "run", "-C", str(options.workspace)]
        subprocess.run(words, check=True, stdout=log, stderr=subprocess.STDOUT)
    result = summary(options.workspace)
    if result["trained on"] != TRAINED:
        raise SystemExit(f"trained on {result['trained on']} examples, not {TRAINED}: change READ")
    (RESULTS / "snips.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def prepare(data: Path, workspace: Path) -> None:
    """Write the sampled training and golden rows beside the recipe."""
    write(workspace / "data/train.jsonl", sample(data, TRAIN_FILES, READ))
    write(workspace / "golden.jsonl", sample(data, GOLDEN_FILES, GOLDEN))
    for name in ("tunesmith.yaml", "intent.py"):
        shutil.copyfile(CASE / name, workspace / name)


if __name__ == "__main__":
    main()
