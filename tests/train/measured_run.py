"""Trains for two steps in a process of its own, and prints what was predicted and what it took (bytes, as JSON).

Called by `test_plan.py` with a workspace, a dataset id, a model and a `train:` section.
"""

import gc
import json
import sys
from pathlib import Path

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.workspace import Workspace
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import TrainInputs, prepare
from tunesmith.train.plan import make_plan


def resident(key: str) -> int:
    """VmRSS (now) or VmHWM (most since the last reset), in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


root, dataset, model, settings, what = sys.argv[1:]
workspace = Workspace(Path(root))
inputs = TrainInputs(Dataset.load(workspace, dataset), ModelConfig(base=model), "measured")
config = TrainConfig.model_validate_json(settings)
if what == "plan":
    plan = make_plan(config, prepare(config, workspace, inputs))
    sys.stdout.write(json.dumps({**plan.memory._asdict(), "total": plan.memory.total}) + "\n")
else:
    # What is imported and compiled on first use is no part of what a run keeps.
    warm = config.model_copy(update={"epochs": 1, "sequence_length": 60})
    stage.run(warm, workspace, inputs, is_quiet=True)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    stage.run(config, workspace, inputs, is_quiet=True)
    sys.stdout.write(json.dumps({"growth": resident("VmHWM") - before}) + "\n")
