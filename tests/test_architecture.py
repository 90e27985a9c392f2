"""The layout keeps its promises: who may import whom, and where heavy libraries live."""

import ast
import subprocess
import sys
from pathlib import Path

import tunesmith

ROOT = Path(tunesmith.__file__).parent
LAYERS = [
    {"cli"},
    {"studio"},
    {"lifecycle"},
    {"recipe", "templates"},
    {"decide", "curate", "train", "evaluate", "release", "serve", "monitor"},
    {"graders", "engines", "stores"},
    {"models"},
    {"artifacts"},
    {"core"},
    {"errors"},
]
RANK = {name: row for row, names in enumerate(LAYERS) for name in names}
HOMES = {
    "torch": {"models", "train", "engines"},
    "transformers": {"models", "train", "engines"},
    "peft": {"models", "train", "engines"},
    "bitsandbytes": {"models", "train", "engines"},
    "trl": {"train"},
    "ray": {"curate", "train"},
    "mlflow": {"stores"},
    "fastapi": {"serve", "studio"},
    "typer": {"cli"},
    "rich": {"cli", "core"},
}


def imported(source: str) -> list[str]:
    """Dotted names of everything `source` imports, function-local imports included."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return names


def breaches(source: str, owner: str) -> list[str]:
    """Imports in `source` that reach beside or above `owner`, or take a heavy library out of its home."""
    found = []
    for name in imported(source):
        root, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if (
            root == "tunesmith"
            and target in RANK
            and target != owner
            and RANK[target] <= RANK[owner]
        ):
            found.append(f"{owner} imports {target}")
        if root in HOMES and owner not in HOMES[root]:
            found.append(f"{owner} imports {root}")
    return found


def test_the_scanner_sees_upward_sideways_local_and_misplaced_imports():
    assert breaches("from tunesmith.cli import main", "core") == ["core imports cli"]
    assert breaches("def f():\n    import tunesmith.train.stage", "evaluate") == [
        "evaluate imports train"
    ]
    assert breaches("from tunesmith import train", "evaluate") == ["evaluate imports train"]
    assert breaches("import torch.nn", "curate") == ["curate imports torch"]
    assert breaches("from tunesmith.core import section", "train") == []


def test_every_module_imports_only_downwards():
    modules = [
        path
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0].removesuffix(".py") in RANK
    ]
    assert len(modules) > 10

    found = [
        f"{path.relative_to(ROOT)}: {breach}"
        for path in modules
        for breach in breaches(
            path.read_text(), path.relative_to(ROOT).parts[0].removesuffix(".py")
        )
    ]

    assert found == []


def test_importing_tunesmith_loads_nothing_heavy():
    code = f"import sys, tunesmith; print(sorted(set(sys.modules) & {set(HOMES)!r}))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert loaded.strip() == "[]"
