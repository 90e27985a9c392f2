"""Each shortcut of training broken on purpose, to see that a test fails for it.

    python bench/break_on_purpose.py [--only WORD] [--name break_on_purpose]

Works on a copy of src and tests. The table of breaks is break_on_purpose.yaml. A break counts as noticed only if an
assertion of one of its tests fails: a crash proves nothing. First, all tests must pass on the unbroken copy. Prints a
table, writes bench/results/break_on_purpose.json, and exits with 1 if a break goes unnoticed.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

HERE = Path(__file__).parent
COPIED = ("src", "tests", "pyproject.toml")
SHORT = {
    "PARITY": "test_all_shortcuts_together_have_the_gradients_of_plain_peft",
    "LONG": "test_long_rows_go_through_attention_that_keeps_no_weights",
}
"""Tests that the table names often; what follows in brackets chooses among their cases."""


class Break(NamedTuple):
    """One line of the table."""

    name: str
    file: str
    text: str
    broken: str
    tests: str

    @property
    def arguments(self) -> list[str]:
        """Of pytest."""
        word, _, case = self.tests.removesuffix("]").partition("[")
        if word in SHORT:
            chosen = " and ".join([SHORT[word], *case.split("-")])
            return ["tests/train/test_shortcuts.py", "-k", chosen]
        path, _, words = self.tests.partition(" -k ")
        return [path, "-k", words] if words else [path]


class Outcome(NamedTuple):
    """What became of a run of tests."""

    code: int
    """pytest's: 0 passed, 1 failed, anything else ran nothing."""
    test: str = ""
    message: str = ""

    @property
    def is_noticed(self) -> bool:
        """Whether an assertion failed."""
        return self.code == 1 and self.message.startswith(("assert", "AssertionError"))


class Witness:
    """Keeps the first failure that pytest reports."""

    def __init__(self) -> None:
        self.test = self.message = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest for each phase of each test."""
        if report.failed and not self.test:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.test = report.nodeid.rpartition("::")[2]
            self.message = str(crash.message if crash else report.longrepr)


def main() -> int:
    """Break, test, mend, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a word in the names of the breaks")
    parser.add_argument("--name", default="break_on_purpose", help="of the file in bench/results")
    options = parser.parse_args()
    table = [
        Break(**row) for row in yaml.safe_load(HERE.joinpath("break_on_purpose.yaml").read_text())
    ]
    chosen = [each for each in table if options.only in each.name]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = HERE.parent / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        warm_up()
        files = sorted({each.arguments[0] for each in chosen})
        if (unbroken := apart(files, copy)).code != 0:
            raise SystemExit(f"unbroken, the tests end with {unbroken}")
        rows = [row(each, copy) for each in chosen]
    result = HERE / "results" / f"{options.name}.json"
    result.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    unnoticed = [each["name"] for each in rows if not each["is_noticed"]]
    print(f"{len(rows) - len(unnoticed)} of {len(rows)} breaks noticed")
    return 1 if unnoticed else 0


def row(each: Break, copy: Path) -> dict[str, Any]:
    """Run the tests of a break with it."""
    path = copy / "src/tunesmith" / each.file
    whole = path.read_text()
    if whole.count(each.text) != 1:
        raise SystemExit(f"{each.name}: the text is {whole.count(each.text)} times in {each.file}")
    path.write_text(whole.replace(each.text, each.broken))
    after = apart(each.arguments, copy)
    path.write_text(whole)
    shown = " ".join(after.message.splitlines()[0].split()) if after.message else ""
    print(
        f"{'noticed  ' if after.is_noticed else 'UNNOTICED'} | {each.name} | {after.test} | {shown[:90]}",
        flush=True,
    )
    return {
        "name": each.name,
        "file": each.file,
        "is_noticed": after.is_noticed,
        "test": after.test,
        "message": shown,
    }


def warm_up() -> None:
    """Load the heavy libraries once; each run of tests is a fork that need not load them again."""
    import bitsandbytes  # noqa: F401
    import peft  # noqa: F401
    import torch
    import transformers

    torch.set_num_threads(1)
    _ = transformers.Trainer, transformers.AutoModelForCausalLM


def apart(arguments: list[str], copy: Path) -> Outcome:
    """The outcome of some tests in a process of their own."""
    context = multiprocessing.get_context("fork")
    receives, sends = context.Pipe(duplex=False)
    process = context.Process(target=run_tests, args=(arguments, copy, sends))
    process.start()
    process.join()
    return receives.recv() if receives.poll() else Outcome(process.exitcode or -1)


def run_tests(arguments: list[str], copy: Path, sends: Any) -> None:
    """Run in the copy and tell the outcome."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy / "src"))
    os.environ["PYTHONPATH"] = str(copy / "src")
    os.chdir(copy)
    witness = Witness()
    with redirect_stdout(StringIO()):
        code = pytest.main([*arguments, "-x", "-p", "no:cacheprovider"], plugins=[witness])
    sends.send(Outcome(int(code), witness.test, witness.message))


if __name__ == "__main__":
    sys.exit(main())
