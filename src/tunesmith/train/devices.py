"""What a run would compute on: this machine, or a GPU by name or size."""

import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

from tunesmith.errors import UnknownNameError
from tunesmith.models.loading import device_name

GIB, MIB = 2**30, 2**20
CUDA_CONTEXT_BYTES = 600 * MIB
"""What the driver, cuBLAS and the kernels take on a GPU before the first tensor; 0.4 to 0.8 GB on current ones."""
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*g(?:i?b)?", re.IGNORECASE)


class Device(NamedTuple):
    """A place to train on."""

    shown: str
    kind: Literal["cpu", "cuda"]
    available_bytes: int
    """What this process may use in all, what it holds already included."""
    context_bytes: int
    """What it holds before the first tensor: libraries on a CPU, the CUDA context on a GPU."""
    operations_per_second: float | None
    """Dense 16-bit matrix speed by the data sheet; None where it can be measured, or no data sheet says it."""
    is_here: bool = False
    """Whether it is this machine's, so that time is measured rather than looked up."""

    def sharing(self, workers: int, engine: str) -> int:
        """How many of a run's processes share this device's memory.

        Args:
            workers: Processes of the run.
            engine: Who starts them; those on a Ray cluster elsewhere are taken to have a machine each.
        """
        if engine == "ray" and os.environ.get("RAY_ADDRESS"):
            return 1
        if self.kind == "cpu":
            return workers
        return -(-workers // _gpu_count()) if self.is_here else 1


def find_device(wanted: str | None) -> Device:
    """This machine's device, or the one that is asked for.

    Args:
        wanted: None for this machine; a name such as `l4` or `RTX 4090`, or a size such as `24GB`.

    Raises:
        UnknownNameError: If it is no size and no name that is known here.
    """
    if wanted is None:
        return _this_gpu() if device_name() == "cuda" else _this_cpu()
    if size := SIZE.fullmatch(wanted.strip()):
        return Device(
            f"a GPU of {size[1]} GiB",
            "cuda",
            int(float(size[1]) * GIB),
            CUDA_CONTEXT_BYTES,
            None,
        )
    known = json.loads(files("tunesmith.train").joinpath("gpus.json").read_text())["gpus"]
    name = re.sub(r"[\s_]+", "", wanted.lower()).removeprefix("nvidia").removeprefix("geforce")
    if name not in known:
        raise UnknownNameError("GPU", wanted, [*known, "24GB"])
    row = known[name]
    speed = row["tflops"] and row["tflops"] * 1e12
    return Device(name, "cuda", row["mib"] * MIB, CUDA_CONTEXT_BYTES, speed)


def _gpu_count() -> int:
    import torch

    return max(1, int(torch.cuda.device_count()))


def _this_gpu() -> Device:
    import torch

    free, _ = torch.cuda.mem_get_info()
    # The context of this process is made by that very question, and no longer free.
    available = free + torch.cuda.memory_reserved() + CUDA_CONTEXT_BYTES
    name = torch.cuda.get_device_name()
    return Device(name, "cuda", int(available), CUDA_CONTEXT_BYTES, None, is_here=True)


def _this_cpu() -> Device:
    import psutil

    available = int(psutil.virtual_memory().available)
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        available = min(available, int(text) - used)
    held = int(psutil.Process().memory_info().rss)
    return Device("this CPU", "cpu", available + held, held, None, is_here=True)
