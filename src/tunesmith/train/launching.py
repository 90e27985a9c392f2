"""Several processes on this machine that train together: started, watched, and stopped as one."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tunesmith.core.workspace import write_text
from tunesmith.errors import TrainingError, TunesmithError
from tunesmith.train.job import Job

POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0
"""How long the other workers may take to fail by themselves after one has, and to end when told to."""


def run_local(job: Job, workers: int) -> None:
    """Run the job in `workers` processes of one process group of torch; returns when all are done.

    The first worker has this terminal; what the others write to standard error is kept in the job's folder.

    Raises:
        TunesmithError: What stopped a worker; if it left no word, a TrainingError that says how it died.
    """
    path = Path(job.folder) / "job.json"
    write_text(path, job.model_dump_json())
    port = _free_port()
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.extend(_start(path, rank, workers, port) for rank in range(workers))
        codes = _watch(started)
    finally:
        _stop(started)
    if any(codes):
        raise _cause(job, codes)


def _start(path: Path, rank: int, workers: int, port: int) -> subprocess.Popen[bytes]:
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment = {
        "OMP_NUM_THREADS": str(threads),
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(workers),
        "LOCAL_WORLD_SIZE": str(workers),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    command = [sys.executable, "-m", "tunesmith.train.worker", str(path)]
    with _log_path(path.parent, rank).open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command,
            env=environment,
            stdin=subprocess.PIPE,  # closes with this process, and then the worker ends
            stdout=subprocess.DEVNULL,
            stderr=None if rank == 0 else log,
            # Ctrl-C goes to this process alone, which then ends the workers.
            start_new_session=True,
        )


def _watch(started: list[subprocess.Popen[bytes]]) -> list[int | None]:
    """Every worker's exit code once all are done, or once the others had time to fail after the first that did."""
    deadline = float("inf")
    while time.monotonic() < deadline and any(worker.poll() is None for worker in started):
        if deadline == float("inf") and any(worker.poll() for worker in started):
            deadline = time.monotonic() + GRACE_SECONDS
        time.sleep(POLL_SECONDS)
    return [worker.poll() for worker in started]


def _stop(started: list[subprocess.Popen[bytes]]) -> None:
    for worker in started:
        if worker.poll() is None:
            worker.terminate()
    for worker in started:
        try:
            worker.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        if worker.stdin:
            worker.stdin.close()


def _cause(job: Job, codes: list[int | None]) -> TunesmithError:
    """What stopped the run: an error of ours, else a worker that was killed, else whatever a worker ran into.

    In this order, because the workers that are left lose their connection to the one that went first, and fail too.
    """
    failure = job.failure(len(codes))
    killed = next((rank for rank, code in enumerate(codes) if code and code < 0), None)
    if failure is not None and (failure.is_ours or killed is None):
        return failure.error()
    rank = killed if killed is not None else next(r for r, code in enumerate(codes) if code)
    code = codes[rank] or 0
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
    hint = " (the system does so when memory runs out)" if code == -signal.SIGKILL else ""
    log = _log_path(Path(job.folder), rank)
    last = log.read_text(errors="replace").strip().splitlines()[-3:] if log.is_file() else []
    return TrainingError(
        "\n  ".join([f"worker {rank} {how}{hint}, and the others were stopped", *last]),
        fix="`tunesmith train --resume` goes on from the last checkpoint",
    )


def _log_path(folder: Path, rank: int) -> Path:
    return folder / f"worker-{rank}.log"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
