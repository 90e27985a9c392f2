"""A sweep's trial as an MLflow run."""

import time
from typing import Any, NamedTuple

from tunesmith.stores.lineage import flatten


class TrialRecord(NamedTuple):
    """What is kept of one trial."""

    name: str
    settings: dict[str, object]
    """The `train:` section it ran with."""
    validation_losses: list[float]
    """In the order in which they were measured."""
    metrics: dict[str, float]
    """Final numbers."""
    tags: dict[str, str]
    is_finished: bool
    """False where it was stopped early."""


def record(client: Any, experiment_id: str, trial: TrialRecord) -> str:
    """Write the trial as a run, finished or killed; returns the run's id."""
    from mlflow.entities import Metric, Param

    tags = trial.tags | {"mlflow.runName": trial.name}
    run_id = str(client.create_run(experiment_id, tags=tags).info.run_id)
    now = int(time.time() * 1000)
    points = [
        Metric("validation_loss", loss, now, step)
        for step, loss in enumerate(trial.validation_losses, start=1)
    ]
    points += [Metric(key, value, now, 0) for key, value in trial.metrics.items()]
    parameters = [Param(key, value) for key, value in flatten(trial.settings).items()]
    client.log_batch(run_id, metrics=points, params=parameters[:100])
    client.set_terminated(run_id, "FINISHED" if trial.is_finished else "KILLED")
    return run_id
