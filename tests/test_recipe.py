"""A recipe is strict: every problem at once, with its line and what was probably meant."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError, RecipeError
from tunesmith.lifecycle import Lifecycle
from tunesmith.recipe import json_schema, load

ROOT = Path(__file__).parents[1]
BROKEN = """\
name: my case
train:
  epoch: 3
  rank: 0
  method: qlroa
curate:
  sources:
    - 7
serving: {}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tunesmith.yaml"
    path.write_text(text)
    return path


def test_all_problems_are_reported_at_once_with_line_and_suggestion(tmp_path):
    with pytest.raises(RecipeError) as caught:
        load(write(tmp_path, BROKEN))

    problems = caught.value.problems
    assert [problem.split(":")[0] for problem in problems] == [
        f"line {line}" for line in (1, 3, 4, 5, 8, 9)
    ]
    assert "train.epoch is not a setting (did you mean 'epochs'?)" in problems[1]
    assert "serving is not a setting (did you mean 'serve'?)" in problems[5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\n  b: c\n", "line 2"),
        ("- name\n", "not a mapping"),
        ("train: {}\n", "name is required"),
        ("name: a\nname: b\n", "line 2"),
        ("name: !!python/object:os.system x\n", "tunesmith.yaml"),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_line(tmp_path, text, words):
    with pytest.raises(RecipeError) as caught:
        load(write(tmp_path, text))

    assert words in str(caught.value)


def test_settings_say_where_they_came_from(tmp_path):
    path = write(tmp_path, "name: a\ntrain:\n  epochs: 2\n")

    loaded = load(path, ["train.rank=8", "evaluate.graders=[exact, contains]"])

    origins = {setting.key: (setting.value, setting.origin) for setting in loaded.explain()}
    assert origins["train.epochs"] == (2, "tunesmith.yaml:3")
    assert origins["train.rank"] == (8, "--set")
    assert origins["evaluate.graders"] == (("exact", "contains"), "--set")
    assert origins["train.alpha"] == (32, "default")


@pytest.mark.parametrize(
    "override", ["train.rank", "name.x=1", "train.rnk=8", "train.rank=[", "=1"]
)
def test_bad_overrides_are_refused(tmp_path, override):
    with pytest.raises(RecipeError):
        load(write(tmp_path, "name: a\n"), [override])


def test_a_missing_recipe_says_how_to_make_one(tmp_path):
    with pytest.raises(NotMadeYetError, match=r"tunesmith\.yaml"):
        load(tmp_path / "tunesmith.yaml")


def test_the_schema_for_editors_accepts_what_load_accepts_and_describes_every_field():
    schema = json.loads(json_schema())
    recipes = [*ROOT.glob("recipes/*.yaml"), *ROOT.glob("**/tunesmith.yaml")]
    recipes = [
        path for path in recipes if not {".venv", "demo"} & set(path.relative_to(ROOT).parts)
    ]
    assert len(recipes) >= 7

    for path in recipes:
        load(path)
        jsonschema.validate(YAML(typ="safe").load(path), schema)
    sections = schema["$defs"].values()
    bare = [
        f"{section['title']}.{name}"
        for section in sections
        for name, field in section.get("properties", {}).items()
        if "description" not in field
    ]
    assert bare == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/*.yaml")), ids=lambda path: path.stem)
def test_recipes_to_start_from_are_short_and_plan_every_stage(path, tmp_path):
    assert len(path.read_text().splitlines()) < 40
    shutil.copyfile(path, tmp_path / "tunesmith.yaml")

    states = Lifecycle(load(tmp_path / "tunesmith.yaml").recipe, Workspace(tmp_path)).states()

    assert [state.freshness for state in states] == ["missing"] * len(states)
