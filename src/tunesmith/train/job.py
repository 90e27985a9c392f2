"""What a worker process is told to do, and what it leaves behind for the process that started it."""

import traceback
from collections.abc import Callable
from pathlib import Path

from tunesmith import errors
from tunesmith.core.section import Section
from tunesmith.core.workspace import write_text
from tunesmith.errors import TrainingError, TunesmithError
from tunesmith.models.config import ModelConfig
from tunesmith.train.config import TrainConfig
from tunesmith.train.fitting import Fit

LAST_LINES = 12
"""How much of an unexpected error's traceback is shown."""


class Job(Section):
    """A training run, as one worker of several sees it."""

    folder: str
    """Where workers write what became of them."""
    root: str
    """Of the workspace; every worker must see the same files under it."""
    dataset_id: str
    model: ModelConfig
    name: str
    config: TrainConfig
    golden_keys: tuple[str, ...] = ()
    """Keys of the examples that ask what a golden case asks."""
    answer_limit: int | None = None
    is_resumed: bool = False
    is_quiet: bool = False
    fit: Fit | None = None
    """What the recipe leaves open; decided once, for all workers, by the process that starts them."""

    @property
    def result_path(self) -> Path:
        """Where the first worker writes the adapter's id."""
        return Path(self.folder) / "adapter"

    def failure_path(self, rank: int) -> Path:
        """Where a worker writes what stopped it."""
        return Path(self.folder) / f"failure-{rank}.json"

    def keep_failure(self, rank: int, work: Callable[[], None]) -> int:
        """Run `work` and return the exit code; a failure is written down for `failure`."""
        try:
            work()
        except TunesmithError as error:
            failure = Failure(rank=rank, kind=type(error).__name__, what=error.what, fix=error.fix)
        except Exception:  # noqa: BLE001  # whatever it was, the process that waits must hear of it
            lines = traceback.format_exc().strip().splitlines()[-LAST_LINES:]
            failure = Failure(rank=rank, what="\n  ".join(lines))
        else:
            return 0
        write_text(self.failure_path(rank), failure.model_dump_json())
        return 1

    def failure(self, workers: int) -> "Failure | None":
        """What stopped the run, as a worker wrote it down; one of our errors where there is one."""
        found = [
            Failure.model_validate_json(self.failure_path(rank).read_text(encoding="utf-8"))
            for rank in range(workers)
            if self.failure_path(rank).is_file()
        ]
        return min(found, key=lambda failure: not failure.is_ours, default=None)


class Failure(Section):
    """What a worker ran into."""

    rank: int
    kind: str = ""
    """Name of the class of ours; empty for any other error."""
    what: str
    """Of any other error, the end of its traceback."""
    fix: str = (
        "`tunesmith train --resume` goes on from the last checkpoint once the cause is mended"
    )

    @property
    def is_ours(self) -> bool:
        """Whether the worker knew what it was."""
        return bool(self.kind)

    def error(self) -> TunesmithError:
        """The error as the worker raised it."""
        if not self.is_ours:
            return TrainingError(f"worker {self.rank} failed:\n  {self.what}", fix=self.fix)
        kind: type[TunesmithError] = getattr(errors, self.kind)
        error = kind.__new__(kind)
        TunesmithError.__init__(error, self.what, fix=self.fix)
        return error
