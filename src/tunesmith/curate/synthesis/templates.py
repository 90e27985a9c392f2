"""The prompts that teacher and judge are given: Jinja files, each with an id that changes with its text."""

import hashlib
from importlib import resources
from typing import NamedTuple

from tunesmith.core.workspace import Workspace
from tunesmith.curate.synthesis.config import TaskConfig
from tunesmith.errors import RecipeError


class PromptTemplate(NamedTuple):
    """A prompt with places to fill."""

    name: str
    text: str

    @property
    def id(self) -> str:
        """Name and a hash of the text, as rows are marked with."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    def render(self, **values: object) -> str:
        """The prompt with its places filled.

        Raises:
            RecipeError: If the template is none, or needs a value that there is not.
        """
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True)
        try:
            rendered: str = environment.from_string(self.text).render(**values)
        except TemplateError as error:
            raise RecipeError(f"prompt {self.name}", [str(error)]) from error
        return rendered.strip()


def shipped(name: str) -> PromptTemplate:
    """A prompt that comes with tunesmith."""
    folder = resources.files("tunesmith.curate.synthesis") / "prompts"
    return PromptTemplate(name, (folder / f"{name}.j2").read_text(encoding="utf-8"))


def prompt_of(task: TaskConfig, workspace: Workspace) -> PromptTemplate:
    """The prompt of a task: the recipe's own, or the shipped one.

    Raises:
        RecipeError: If the recipe names a file that there is not.
    """
    if task.prompt is None:
        return shipped(task.task)
    path = workspace.path_of(task.prompt)
    if not path.is_file():
        raise RecipeError("curate.synthesize.tasks", [f"there is no prompt file {task.prompt}"])
    return PromptTemplate(path.stem, path.read_text(encoding="utf-8"))
