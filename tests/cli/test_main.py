"""The command line: words to functions, errors to exit codes, help that is true."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tunesmith.errors
from tunesmith.cli.main import app
from tunesmith.errors import TunesmithError

COMMAND = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]


def tunesmith_(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def case(tmp_path) -> Path:
    assert tunesmith_("init", "my-case", cwd=tmp_path).returncode == 0
    return tmp_path / "my-case"


def test_help_lists_the_lifecycle_in_order_and_loads_nothing_heavy(tmp_path):
    shown = tunesmith_("--help", cwd=tmp_path).stdout

    order = [shown.index(f" {word} ") for word in ("init", "curate", "train", "evaluate")]
    order += [shown.index(f" {word} ") for word in ("release", "serve", "run", "status")]
    assert order == sorted(order)
    code = (
        "import sys; sys.argv = ['tunesmith', '--help']\n"
        "from tunesmith.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'mlflow', 'fastapi', 'pydantic', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert loaded.strip() == "[]"


def test_errors_say_what_happened_and_the_fix_and_exit_with_their_code(case, tmp_path):
    nowhere = tunesmith_("status", cwd=tmp_path)
    assert nowhere.returncode == 4
    assert "fix: run `tunesmith init` first" in nowhere.stderr

    early = tunesmith_("train", cwd=case)
    assert (early.returncode, early.stderr) == (
        4,
        "error: there is no dataset yet\n  fix: run `tunesmith curate` first\n",
    )
    misspelt = tunesmith_("status", "--set", "train.epoch=1", cwd=case)
    assert misspelt.returncode == 2
    assert "did you mean 'epochs'?" in misspelt.stderr
    assert tunesmith_("init", "my-case", cwd=tmp_path).returncode == 2
    assert tunesmith_("trian", cwd=case).returncode == 2


def test_every_exit_code_is_drawn_in_the_tree_and_belongs_to_one_family():
    drawn = dict(re.findall(r"(\w+Error) +(\d+) /", tunesmith.errors.__doc__ or ""))
    classes = {
        name: str(value.exit_code)
        for name, value in vars(tunesmith.errors).items()
        if isinstance(value, type) and issubclass(value, TunesmithError)
    }
    assert drawn == classes


def test_status_json_shows_every_stage_and_setting_with_its_origin(case):
    shown = json.loads(tunesmith_("status", "--json", "--explain", cwd=case).stdout)

    assert [stage["freshness"] for stage in shown["stages"]] == ["missing"] * 4
    origins = {setting["key"]: setting["origin"] for setting in shown["settings"]}
    assert origins["train.epochs"].startswith("tunesmith.yaml:")
    assert origins["train.alpha"] == "default"


def test_examples_in_the_help_run(case):
    environment = dict(os.environ, NO_COLOR="1", COLUMNS="200")
    examples = _examples()
    assert len(examples) >= 13
    for words in examples:
        if words[0] in {
            "init",
            "serve",
            "studio",
            "train",
            "evaluate",
            "release",
            "curate",
            "export",
        } and not {
            "--plan",
            "--dry-run",
        } & set(words):
            words = [*words, "--help"]
        made = subprocess.run(
            [*COMMAND, *words], cwd=case, capture_output=True, text=True, env=environment
        )
        allowed = {0, 4} if "--plan" in words else {0}
        assert made.returncode in allowed, (words, made.stderr)


def _examples() -> list[list[str]]:
    import typer

    found: list[list[str]] = []

    def walk(command) -> None:
        text = command.help or ""
        found.extend(
            line.split()[2:] for line in text.splitlines() if line.strip().startswith("Example:")
        )
        for child in getattr(command, "commands", {}).values():
            walk(child)

    walk(typer.main.get_command(app))
    return found
