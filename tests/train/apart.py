"""A training run in a process of its own, which a test may interrupt."""

import subprocess
import sys
import time
from pathlib import Path

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.workspace import Workspace
from tunesmith.train.config import TrainConfig

SCRIPT = """
import sys
from pathlib import Path
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.workspace import Workspace
from tunesmith.models.config import ModelConfig
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import TrainInputs
workspace = Workspace(Path(sys.argv[1]))
dataset = Dataset.load(workspace, sys.argv[2])
config = TrainConfig.model_validate_json(sys.argv[4])
stage.run(config, workspace, TrainInputs(dataset, ModelConfig(base=sys.argv[3]), "tiny"))
"""


def started_apart(
    workspace: Workspace, dataset: Dataset, model: Path, config: TrainConfig
) -> subprocess.Popen[bytes]:
    """A run that has written its first checkpoint and is going on."""
    arguments = [str(workspace.root), dataset.id, str(model), config.model_dump_json()]
    started = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(workspace.folder("training").glob("run_*/checkpoint-*/trainer_state.json")):
        assert started.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return started
