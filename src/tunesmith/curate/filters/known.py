"""All row filters by name, and how those of a recipe are made and asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.core.user_code import load_function
from tunesmith.curate.filters import (  # noqa: F401 - importing a module makes its filters known
    boilerplate,
    encoding,
    language,
    length,
    markup,
    refusal,
    secrets,
    toxicity,
    truncation,
)
from tunesmith.curate.filters.finding import FilterChoice, Finding, RowFilter, row_filters
from tunesmith.errors import RecipeError


class Noted(NamedTuple):
    """What one filter found in a row."""

    rule: str
    finding: Finding


class Filters:
    """The filters of a recipe, in their order."""

    def __init__(self, choices: Sequence[FilterChoice], root: Path) -> None:
        """Make them.

        Raises:
            UnknownNameError: If there is no filter of a name.
            RecipeError: If an option does not exist or has no good value, or the user's own filter cannot be loaded.
        """
        self._filters = dict(_make(choice, root) for choice in choices)

    def __call__(self, example: Example) -> list[Noted]:
        """What the filters find, the most certain first."""
        noted = [
            Noted(rule, finding)
            for rule, check in self._filters.items()
            if (finding := check(example)) is not None
        ]
        return sorted(noted, key=lambda one: -one.finding.score)


def own_files(choices: Sequence[FilterChoice], root: Path) -> list[Path]:
    """The user's own files that filters come from."""
    names = (choice if isinstance(choice, str) else next(iter(choice)) for choice in choices)
    return [root / name.partition(":")[0] for name in names if ".py:" in name]


def described() -> dict[str, str]:
    """Every filter by name, with the first line of what it says about itself."""
    return {name: row_filters.summary(name) for name in row_filters}


def _make(choice: FilterChoice, root: Path) -> tuple[str, RowFilter]:
    name, options = (choice, {}) if isinstance(choice, str) else next(iter(choice.items()))
    if ".py:" not in name:
        return name, row_filters.make(name, options)
    return name.partition(":")[2], _own(name, options, root)


def _own(name: str, options: Mapping[str, object], root: Path) -> RowFilter:
    """The user's own filter; what it raises is a finding, so that no row is lost by it."""
    where = f"row filter {name!r}"
    factory = load_function(root, name, where)
    try:
        check = factory(**options)
    except TypeError as error:
        raise RecipeError(where, [str(error)]) from error

    def guarded(example: Example) -> Finding | None:
        try:
            found = check(example)
        except Exception as error:  # noqa: BLE001 - the boundary to the user's code
            return Finding(0.5, f"the filter failed: {type(error).__name__}: {error}")
        return Finding(*found) if found else None

    return guarded
