"""What makes a stage stale: a change of what it was made from, and nothing else."""

import json

import pytest

from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.lifecycle import Lifecycle
from tunesmith.recipe import Recipe


class LaterCurateConfig(CurateConfig):
    """The section as a later version might have it."""

    new_setting: int = 3


@pytest.fixture
def curated(workspace, tiny_model) -> Lifecycle:
    rows = [json.dumps({"prompt": f"question {n}", "completion": f"{n}"}) for n in range(40)]
    (workspace.root / "rows.jsonl").write_text("\n".join(rows))
    recipe = Recipe.model_validate(
        {"name": "a", "model": {"base": str(tiny_model)}, "curate": {"sources": ["rows.jsonl"]}}
    )
    cycle = Lifecycle(recipe, workspace, is_quiet=True)
    cycle.curate()
    return cycle


def stale_reason(cycle: Lifecycle, recipe: Recipe) -> str:
    return Lifecycle(recipe, Workspace(cycle.workspace.root)).state("curate").reason


def test_a_setting_that_a_later_version_adds_makes_nothing_stale(curated):
    later = LaterCurateConfig.model_validate(curated.recipe.curate.model_dump())

    assert stale_reason(curated, curated.recipe.model_copy(update={"curate": later})) == ""


def test_a_changed_setting_a_changed_file_and_a_deleted_artifact_are_each_named(curated):
    changed = curated.recipe.curate.model_copy(update={"seed": 1})
    assert stale_reason(curated, curated.recipe.model_copy(update={"curate": changed})) == (
        "changed: curate"
    )

    dataset = curated.dataset()
    (dataset.folder(curated.workspace) / "manifest.json").unlink()
    assert stale_reason(curated, curated.recipe) == f"deleted: {dataset.id}"

    with (curated.workspace.root / "rows.jsonl").open("a") as stream:
        stream.write("\n{}")
    assert stale_reason(curated, curated.recipe) == "changed: rows.jsonl"
