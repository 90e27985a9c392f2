"""Recipe: the one file a user writes, `tunesmith.yaml`; composes the stages' sections."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from tunesmith.core.section import Section
from tunesmith.curate.config import CurateConfig
from tunesmith.errors import NotMadeYetError, RecipeError, nearest
from tunesmith.evaluate.config import EvaluateConfig
from tunesmith.models.config import ModelConfig
from tunesmith.release.config import ReleaseConfig
from tunesmith.serve.config import ServeConfig
from tunesmith.train.config import TrainConfig

KeyPath = tuple[str | int, ...]
FLAG = "--set"


class Recipe(Section):
    """A whole use case: which model, from which data, how trained, judged, released and served."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    """What the tuned model is called: in the registry, and by those who ask it."""
    model: ModelConfig = ModelConfig()
    curate: CurateConfig = CurateConfig()
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    release: ReleaseConfig = ReleaseConfig()
    serve: ServeConfig = ServeConfig()


class Setting(NamedTuple):
    """One value of a recipe and where it came from."""

    key: str
    """As in `train.epochs`."""
    value: object
    origin: str
    """`default`, `tunesmith.yaml:7` or `--set`."""


class LoadedRecipe(NamedTuple):
    """A recipe and where each of its values came from."""

    recipe: Recipe
    origins: dict[str, str]

    def explain(self) -> list[Setting]:
        """Every setting with its origin, in the order of the sections."""
        return [
            Setting(key, value, self.origins.get(key, "default"))
            for key, value in _leaves(self.recipe)
        ]


def load(path: Path, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """The recipe in a file, with `key=value` overrides from the command line.

    Raises:
        NotMadeYetError: If there is no such file.
        RecipeError: If anything in it is wrong; lists every problem with its line.
    """
    if not path.is_file():
        raise NotMadeYetError(str(path), made_by="tunesmith init")
    return _checked(path.name, _parse(path), overrides)


def without_file(overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Defaults and overrides alone: for commands that also work outside a workspace.

    Raises:
        RecipeError: If an override is wrong.
    """
    return _checked(FLAG, {"name": "no-recipe"}, overrides)


def _checked(name: str, content: Any, overrides: Sequence[str]) -> LoadedRecipe:
    lines = _lines(content)
    origins = {_dotted(key): f"{name}:{line}" for key, line in lines.items()}
    values = _plain(content)
    for override in overrides:
        origins[_override(values, override)] = FLAG
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        items = [item for item in error.errors() if not _is_echo(item, error.errors())]
        problems = [_problem(item, lines, origins) for item in items]
        raise RecipeError(name, [text for _, text in sorted(problems)]) from error
    return LoadedRecipe(recipe, origins)


def json_schema() -> str:
    """The JSON Schema of a recipe, for editors: completion, and the docs of every field."""
    return json.dumps(Recipe.model_json_schema(), indent=2) + "\n"


def _parse(path: Path) -> Any:  # ruamel's nodes carry their line numbers but no types
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        content = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(path.name, [f"line {line}: {error.problem}"]) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(path.name, [f"no YAML: {error}"]) from error
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise RecipeError(path.name, ["line 1: not a mapping of `key: value` lines"])
    return content


def _lines(node: Any, key: KeyPath = ()) -> dict[KeyPath, int]:
    found: dict[KeyPath, int] = {}
    items = (
        node.items()
        if isinstance(node, Mapping)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for name, child in items:
        if hasattr(node, "lc"):
            places = node.lc
            place = places.key(name) if isinstance(node, Mapping) else places.item(name)
            found[(*key, name)] = place[0] + 1
        found |= _lines(child, (*key, name))
    return found


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(name): _plain(child) for name, child in node.items()}
    if isinstance(node, list):
        return [_plain(child) for child in node]
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node


def _override(values: dict[str, Any], override: str) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(FLAG, [f"{override!r} is not of the form key=value"])
    *sections, last = key.split(".")
    target = values
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, dict):
            raise RecipeError(FLAG, [f"{key}: {section} has a value of its own, no settings"])
    try:
        target[last] = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise RecipeError(FLAG, [f"{key}: {text!r} is no YAML value"]) from error
    return key


def _is_echo(item: Any, items: Sequence[Any]) -> bool:
    """A list that is too short only because its items are bad ones, each reported already."""
    key = item["loc"]
    return item["type"] == "too_short" and any(
        other["loc"][: len(key)] == key
        for other in items
        if other is not item and len(other["loc"]) > len(key)
    )


def _problem(
    item: Any, lines: Mapping[KeyPath, int], origins: Mapping[str, str]
) -> tuple[int, str]:
    key: KeyPath = tuple(item["loc"])
    # The longest beginning of the path that stands in the file; inner parts may be pydantic's own.
    known = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in lines), ())
    line = lines.get(known, 0)
    name = _dotted(key)
    where = FLAG if origins.get(name) == FLAG else f"line {line}" if line else "missing"
    if item["type"] == "extra_forbidden":
        near = nearest(str(key[-1]), _fields(key[:-1]))
        hint = f" (did you mean {near!r}?)" if near else ""
        return line, f"{where}: {name} is not a setting{hint}"
    if item["type"] == "missing":
        return line, f"{name} is required"
    message = item["msg"].removeprefix("Value error, ")
    # What is said of a whole section whose settings do not agree, or of what may be a secret, repeats no value.
    if isinstance(item["input"], Mapping) or item["type"] == "secret":
        return line, f"{where}: {name}: {message}"
    return line, f"{where}: {name}: {message}, got {item['input']!r}"


def _fields(key: KeyPath) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in key:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type):
            return []
        if not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)


def _leaves(section: Section, prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            found += _leaves(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _dotted(key: KeyPath) -> str:
    return ".".join(str(part) for part in key)
