"""One worker of a training run, started with the path of its job by a launcher that sets RANK and WORLD_SIZE."""

import os
import sys
import threading
from pathlib import Path

from tunesmith.train.job import Job


def work(job: Job) -> None:
    """Train as one worker of several; the first of them writes the adapter and its id."""
    from tunesmith.artifacts.dataset import Dataset
    from tunesmith.core.workspace import Workspace, write_text
    from tunesmith.train import stage
    from tunesmith.train.material import TrainInputs
    from tunesmith.train.team import Team

    workspace = Workspace(Path(job.root))
    golden = frozenset(job.golden_keys)
    inputs = TrainInputs(
        Dataset.load(workspace, job.dataset_id),
        job.model,
        job.name,
        is_golden=lambda example: example.key in golden,
        answer_limit=job.answer_limit,
    )
    adapter = stage.run(
        job.config,
        workspace,
        inputs,
        is_resumed=job.is_resumed,
        is_quiet=job.is_quiet,
        fit=job.fit,
    )
    if Team.of_environment().is_first:
        write_text(job.result_path, adapter.id)


def main() -> None:
    """Work, and leave a word if it fails."""
    _end_with_parent()
    job = Job.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    code = job.keep_failure(int(os.environ["RANK"]), lambda: work(job))
    # A collective that waits for a worker which is gone must not keep this one.
    sys.stderr.flush()
    os._exit(code)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: then its end of our input closes."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
