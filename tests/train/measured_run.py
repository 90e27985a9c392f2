"""Plans a run and trains it for a few steps, in a process of its own; prints what was predicted and what it took.

Called by `test_plan.py` with a workspace, a dataset id, a model and a `train:` section as JSON; prints bytes by
name, as JSON. What is imported and compiled on first use is no part of what a run keeps: the short examples are trained
on once before anything is measured. Only one run is measured: what an earlier one has left in the heap would count.
"""

import json
import sys
from pathlib import Path

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.allocator import trim
from tunesmith.core.workspace import Workspace
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import find_device
from tunesmith.train.fitting import Fitting, choose_fit
from tunesmith.train.material import TrainInputs, prepare
from tunesmith.train.plan import make_plan
from tunesmith.train.team import Team


def resident(key: str) -> int:
    """VmRSS (now) or VmHWM (most since the last reset), in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def main(root: str, dataset: str, model: str, section: str, kept: str = "as planned") -> None:
    """Measure the run of this section."""
    workspace = Workspace(Path(root))
    inputs = TrainInputs(Dataset.load(workspace, dataset), ModelConfig(base=model), "measured")
    stage.run(
        TrainConfig(epochs=1, sequence_length=60, evaluations=0), workspace, inputs, is_quiet=True
    )
    config = TrainConfig.model_validate_json(section)
    material = prepare(config, workspace, inputs)
    fit = choose_fit(config, material, Team())
    if kept == "nothing":
        fit = fit._replace(is_ample=False)
        memory = Fitting(material, find_device(None)).memory(config, budget=fit.tokens)
    else:
        plan = make_plan(config, material)
        assert plan.is_ample == fit.is_ample, (plan, fit)
        memory = plan.memory
    # Blocks that earlier work has freed and the allocator kept would be used again, and count as nothing.
    trim()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    stage.run(config, workspace, inputs, is_quiet=True, fit=fit)
    growth = resident("VmHWM") - before
    found = {"planned": memory._asdict(), "total": memory.total, "measured": growth}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
