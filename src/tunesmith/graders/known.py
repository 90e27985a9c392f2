"""All graders by name, and how one is made from a recipe's words."""

import inspect
from collections.abc import Mapping
from pathlib import Path

from tunesmith.graders import (  # noqa: F401 - importing a module makes its graders known
    contains,
    exact,
    json_fields,
    json_schema,
    normalised,
    numeric,
    overlap,
    python_function,
    regex,
    sql_result,
)
from tunesmith.graders.grade import Grader, graders

SECONDARY = frozenset({"bleu", "chrf", "rouge_l"})
"""Measures of overlap: shown beside a verdict, never one."""


def get_grader(name: str, options: Mapping[str, object] | None = None, *, root: Path) -> Grader:
    """The grader called `name` with these options.

    Args:
        name: As the recipe writes it.
        options: Keyword arguments of its factory.
        root: The workspace; files that options name lie in it.

    Raises:
        UnknownNameError: If there is no such grader.
        RecipeError: If an option does not exist or has no good value.
    """
    given = dict(options or {})
    if name in graders and "root" in inspect.signature(graders[name]).parameters:
        given["root"] = root
    return graders.make(name, given)


def known_graders() -> list[str]:
    """The names, sorted."""
    return list(graders)


def described() -> dict[str, str]:
    """Every grader by name, with the first line of what it says about itself."""
    return {name: graders.summary(name) for name in graders}
