"""Workers on a Ray cluster: placed, joined into one process group and watched by Ray Train."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import MissingDependencyError, TrainingError
from tunesmith.train.job import Job

OBJECT_STORE_BYTES = 100 * 2**20
"""Of a cluster started here; workers pass one another nothing through it."""
POLL_SECONDS = 0.5
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
}
"""Ray sends and watches nothing that a training run has no need of."""


def run_on_ray(job: Job, workers: int) -> None:
    """Run the job in `workers` processes of the cluster that `RAY_ADDRESS` names, or of one started on this machine.

    Every machine of the cluster must have tunesmith installed and see the workspace under the same path.

    Raises:
        MissingDependencyError: If Ray is not installed.
        TunesmithError: What stopped a worker; if it left no word, a TrainingError with Ray's.
    """
    os.environ |= {key: value for key, value in SETTINGS.items() if key not in os.environ}
    try:
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
        from ray.train.v2.api.exceptions import TrainingFailedError
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "ray", needed_for="train.engine: ray", install="pip install 'tunesmith[ray]'"
        ) from error
    with _cluster(workers) as resources, _followed(job):
        trainer = TorchTrainer(
            _work,
            train_loop_config={"job": job.model_dump_json()},
            scaling_config=ScalingConfig(
                num_workers=workers, use_gpu=resources.get("GPU", 0) >= workers
            ),
            run_config=RunConfig(storage_path=str(Path(job.folder) / "ray"), name="train"),
        )
        try:
            trainer.fit()
        except TrainingFailedError as error:
            failure = job.failure(workers)
            if failure is not None:
                raise failure.error() from error
            raise TrainingError(
                f"Ray stopped the run: {str(error).strip().splitlines()[-1]}",
                fix="`tunesmith train --resume` goes on from the last checkpoint",
            ) from error


def _work(settings: dict[str, str]) -> None:
    from tunesmith.train.worker import work

    job = Job.model_validate_json(settings["job"])
    rank = int(os.environ["RANK"])
    if rank == 0:
        sys.stderr = _log_path(job).open("a", buffering=1, encoding="utf-8")
    if job.keep_failure(rank, lambda: work(job)):
        raise RuntimeError(f"worker {rank} left its reason in {job.failure_path(rank)}")


@contextmanager
def _cluster(workers: int) -> Iterator[dict[str, Any]]:
    """What the cluster has; one that was started here ends with the run."""
    import ray

    is_joined = ray.is_initialized()
    if not is_joined:
        own = {
            "num_cpus": max(workers, os.cpu_count() or 1),
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
        ray.init(
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if "RAY_ADDRESS" in os.environ else own),
        )
    try:
        yield ray.cluster_resources()
    finally:
        if not is_joined:
            ray.shutdown()


@contextmanager
def _followed(job: Job) -> Iterator[None]:
    """Show here what the first worker writes to standard error."""
    is_done = threading.Event()

    def follow() -> None:
        shown = 0
        while True:
            is_last = is_done.wait(POLL_SECONDS)
            if _log_path(job).is_file():
                text = _log_path(job).read_text(encoding="utf-8", errors="replace")
                sys.stderr.write(text[shown:])
                shown = len(text)
            if is_last:
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        is_done.set()
        follower.join()


def _log_path(job: Job) -> Path:
    return Path(job.folder) / "worker-0.log"
