"""A run in several processes: handed out, waited for, and its adapter read back."""

import tempfile

from tunesmith.artifacts.adapter import Adapter
from tunesmith.core.workspace import Workspace
from tunesmith.train.config import TrainConfig
from tunesmith.train.fitting import Fit
from tunesmith.train.job import Job
from tunesmith.train.launching import run_local
from tunesmith.train.material import Material
from tunesmith.train.ray_workers import run_on_ray


def train_together(
    config: TrainConfig,
    workspace: Workspace,
    material: Material,
    *,
    is_resumed: bool,
    is_quiet: bool,
    fit: Fit,
) -> Adapter:
    """The adapter that `config.workers` processes train as one.

    Args:
        config: The recipe's `train:` section.
        workspace: Seen under the same path by every worker.
        material: What is trained on.
        is_resumed: Continue the interrupted run of the same inputs.
        is_quiet: Show no progress.
        fit: What the recipe leaves open, decided for each worker.

    Raises:
        TunesmithError: What stopped a worker.
    """
    inputs = material.inputs
    with tempfile.TemporaryDirectory(dir=workspace.folder("training"), prefix="job-") as folder:
        job = Job(
            folder=folder,
            root=str(workspace.root),
            dataset_id=inputs.dataset.id,
            model=inputs.model,
            name=inputs.name,
            config=config,
            golden_keys=tuple(each.key for each in material.examples if inputs.is_golden(each)),
            answer_limit=inputs.answer_limit,
            is_resumed=is_resumed,
            is_quiet=is_quiet,
            fit=fit,
        )
        (run_on_ray if config.engine == "ray" else run_local)(job, config.workers)
        return Adapter.load(workspace, job.result_path.read_text(encoding="utf-8"))
