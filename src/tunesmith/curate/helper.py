"""A Python process that calls functions for this one, and ends with it, however that ends."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, TypeVar

from tunesmith.errors import DataError

Work = TypeVar("Work")
Made = TypeVar("Made")


class Helper:
    """One helping process. Not one of `multiprocessing`: these run the user's script again, or copy its threads."""

    def __init__(self) -> None:
        code = "from tunesmith.curate.helper import serve; serve()"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and code of ours
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def call(self, function: Callable[[Work], Made], work: Work) -> Made:
        """What the function returns; what it raises is raised here."""
        stdin, stdout = self._process.stdin, self._process.stdout
        try:
            pickle.dump((function, work), stdin, protocol=5)  # type: ignore[arg-type]  # both are pipes
            stdin.flush()  # type: ignore[union-attr]
            is_good, made = pickle.load(stdout)  # type: ignore[arg-type]  # noqa: S301 - from our own process
        except (EOFError, BrokenPipeError) as error:
            code = self._process.wait()
            raise DataError(
                f"a process that read rows died (exit code {code}), perhaps for want of memory",
                fix="run again, which goes on where it was; with fewer processes: --set curate.workers=1",
            ) from error
        if not is_good:
            raise made
        result: Made = made
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def serve() -> None:
    """Answer calls from standard input until it ends, as it does when the calling process is gone."""
    # Ctrl-C reaches all processes of a terminal; the one that started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        while True:
            _answer(sys.stdin.buffer, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)


def _answer(calls: BinaryIO, answers: BinaryIO) -> None:
    function, work = pickle.load(calls)  # noqa: S301 - from the process that started this one
    try:
        outcome = (True, function(work))
    except Exception as error:  # noqa: BLE001 - raised again where the call was made
        outcome = (False, error)
    pickle.dump(outcome, answers, protocol=5)
    answers.flush()
