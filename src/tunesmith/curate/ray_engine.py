"""The same function over the same jobs on a Ray cluster whose machines share the workspace's disk."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tunesmith.errors import MissingDependencyError

Work = TypeVar("Work")
Made = TypeVar("Made")
IN_FLIGHT_PER_CORE = 2


def fan_out_on_ray(function: Callable[[Work], Made], jobs: Iterable[Work]) -> Iterator[Made]:
    """What `function` makes of every job, in the order in which they are done.

    Joins the cluster that `RAY_ADDRESS` names, or starts one on this machine.

    Raises:
        MissingDependencyError: If Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "ray", needed_for="curate.engine: ray", install="pip install 'tunesmith[ray]'"
        ) from error
    started_here = not ray.is_initialized()
    if started_here:
        ray.init(include_dashboard=False, log_to_driver=False)
    try:
        task = ray.remote(function)
        limit = int(ray.cluster_resources().get("CPU", 1)) * IN_FLIGHT_PER_CORE
        running: list[object] = []
        for job in jobs:
            running.append(task.remote(job))
            if len(running) >= limit:
                done, running = ray.wait(running)
                yield from ray.get(done)
        yield from ray.get(running)
    finally:
        if started_here:
            ray.shutdown()
