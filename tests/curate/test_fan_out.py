"""The same results on one core, on several, and whatever the workers print or raise."""

import os
import signal
import sys

import pytest

from tunesmith.curate.fan_out import fan_out
from tunesmith.errors import DataError, MissingDependencyError


def square(number: int) -> int:
    sys.stdout.write("a library that prints\n")
    return number * number


def fail(number: int) -> int:
    raise MissingDependencyError("x", needed_for="y", install="z")


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_all_jobs_are_done_once_in_this_process_and_in_others():
    for workers in (1, 2):
        assert sorted(fan_out(square, range(20), workers=workers)) == [n * n for n in range(20)]
    assert list(fan_out(square, [], workers=2)) == []


def test_an_error_in_a_worker_is_the_same_error_here():
    with pytest.raises(MissingDependencyError, match="y needs the package x") as caught:
        list(fan_out(fail, range(4), workers=2))

    assert caught.value.fix == "run `z`"


def test_a_killed_worker_is_an_error_with_a_fix():
    with pytest.raises(DataError, match="died"):
        list(fan_out(die, range(4), workers=2))
