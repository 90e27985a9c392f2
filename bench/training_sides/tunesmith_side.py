"""`tunesmith train`, the command itself, in a workspace whose dataset is made.

python bench/training_sides/tunesmith_side.py RUN_JSON
"""

import json
import sys
from pathlib import Path

from pace import Pace


def main() -> None:
    """Run the command and report."""
    run = json.loads(Path(sys.argv[1]).read_text())
    pace = Pace()
    from tunesmith.cli.main import app
    from tunesmith.train.trainer import StepTrainer

    steps = run["examples"] // run["batch_size"]
    pace.watch(StepTrainer, calls_a_step=1, steps_an_epoch=steps)
    train = StepTrainer.train

    def train_and_close(*arguments: object, **options: object) -> object:
        result = train(*arguments, **options)
        pace.finish()
        return result

    StepTrainer.train = train_and_close
    app(["train", "-C", run["workspace"], "--json"], standalone_mode=False)
    [manifest] = Path(run["workspace"]).glob(".tunesmith/adapters/*/manifest.json")
    metrics = json.loads(manifest.read_text())["metrics"]
    pace.report(
        adapter=str(manifest.parent / "weights"),
        tokens=metrics["seen_tokens"] // run["epochs"],
        steps=metrics["steps"],
    )


if __name__ == "__main__":
    main()
