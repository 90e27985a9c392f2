"""The documentation is true: its tree is the disk's, its commands run, its recipes load."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tunesmith.errors
from tunesmith.cli.main import app
from tunesmith.core.workspace import Workspace
from tunesmith.errors import TunesmithError
from tunesmith.lifecycle import Lifecycle
from tunesmith.recipe import load
from tunesmith.templates import create

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
        *(ROOT / "bench").rglob("README.md"),
    ]
)
WAITING = {"tunesmith serve", "tunesmith studio"}
"""Run until they are stopped; started for real in tests of their own, here with `--dry-run` or `--help`."""
EXPECTED_CODES = {
    "tunesmith curate restore 3fa9c01b77de": 5,
    "tunesmith curate synthesize --dry-run": 2,
    "tunesmith curate synthesize": 2,
    "tunesmith train --resume": 4,
    "tunesmith release rollback": 5,
    "tunesmith release promote challenger": 11,
}
"""Nothing was interrupted here, and an untaught model passes no gate, so there is no champion;
no row has the key of the page; the recipe of the workspace names no teacher."""


def commands(page: Path) -> Iterator[str]:
    """Every line of the page's shell blocks, comments taken off."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if command := re.sub(r"\s+#.*|^#.*", "", line).strip():
                yield from (part.strip() for part in command.split("&&"))


@pytest.fixture(scope="module")
def finished(tiny_model, tmp_path_factory) -> Path:
    """A workspace in which every stage has run, on the tiny model."""
    root = tmp_path_factory.mktemp("docs") / "my-case"
    create(root, "json")
    recipe = root / "tunesmith.yaml"
    text = recipe.read_text().replace("smollm2-135m-instruct", str(tiny_model), 1)
    text = text.replace("epochs: 20", "epochs: 2").replace("max_tokens: 80", "max_tokens: 8")
    recipe.write_text(text)
    Lifecycle(load(recipe).recipe, Workspace(root), is_quiet=True).run()
    return root


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_a_page_prints_runs(page, finished, tmp_path, monkeypatch):
    workspace = tmp_path / "my-case"
    shutil.copytree(finished, workspace)
    monkeypatch.chdir(workspace)

    for command in commands(page):
        code, said = run(command)
        assert code == EXPECTED_CODES.get(command, 0), f"{command}\n{said}"


def run(command: str) -> tuple[int, str]:
    """Exit code and output of one documented command."""
    words = shlex.split(command)
    program = words[0]
    if program in {"git", "cd"}:
        return 0, ""
    if program == "make":
        return outside(["make", "-n", *words[1:]], ROOT)
    if program == "python":
        return outside([sys.executable, words[1], "--help"], ROOT)
    if program == "mlflow":
        return outside([sys.executable, "-m", "mlflow", *words[1:], "--help"], Path())
    assert program == "tunesmith", f"nobody runs {program!r}"
    if " ".join(words[:2]) in WAITING:
        words.append("--dry-run" if words[1] == "serve" else "--help")
    if words[1] == "init":
        words[2] = "another-case"
    done = CliRunner().invoke(app, words[1:])
    if isinstance(done.exception, TunesmithError):
        return done.exception.exit_code, f"{done.exception} / {done.exception.fix}"
    return done.exit_code, f"{done.output}{done.exception or ''}"


def outside(words: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=dict(os.environ))
    return done.returncode, done.stdout + done.stderr


def test_the_tree_in_the_readme_is_the_tree_on_disk():
    block = re.search(r"```\n(tunesmith/\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    shown: set[str] = set()
    parents: list[str] = []
    for line in block[1].splitlines()[1:]:
        found = re.match(r"([│ ]*)[├└]── (\S+)", line)
        assert found, line
        parents = [*parents[: len(found[1]) // 4], found[2].rstrip("/")]
        shown.add("/".join(parents))

    tracked = outside(["git", "ls-files"], ROOT)[1].splitlines()
    parts = [Path(name).parts for name in tracked if not name.startswith(".git")]
    there = {found[0] for found in parts}
    there |= {"/".join(found[:3]) for found in parts if found[:2] == ("src", "tunesmith")}
    assert {name for name in shown if not (ROOT / name).exists()} == set()
    assert there - shown - {"src/tunesmith/__init__.py", "src", ".ci"} == set()


def test_the_page_of_errors_shows_the_tree_of_the_code():
    tree = (tunesmith.errors.__doc__ or "").split("\n\n")[1]

    assert tree in (ROOT / "docs/errors.md").read_text(encoding="utf-8")


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
