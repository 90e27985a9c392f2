"""What tests of whole runs share: a run in a process of its own, which may be interrupted; verdicts to learn from."""

import subprocess
import sys
import time
from pathlib import Path

from tunesmith.artifacts.dataset import Dataset, LengthStatistics, VerdictCounts
from tunesmith.core.conversation import Message, Pair
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


def verdicts_in(workspace) -> Dataset:
    """Sixteen pairs to learn from and four to measure by, kept in the workspace: `yes` is better than `no`."""
    asked = [Message(role="user", content=letter) for letter in "abcdefghijklmnopqrst"]
    rows = [
        Pair(messages=(turn, Message(role="assistant", content="yes")), rejected="no")
        for turn in asked
    ]
    splits = {"train": rows[:16], "validation": rows[16:]}
    dataset = Dataset(
        id=Dataset.id_of(*splits.values()),
        train_count=16,
        validation_count=4,
        verdicts=VerdictCounts.of(rows),
        sources=(),
        characters=LengthStatistics(total=0, median=0, longest=0),
    )
    dataset.write_examples(workspace, "train", splits["train"])
    dataset.write_examples(workspace, "validation", splits["validation"])
    return dataset.save(workspace)
