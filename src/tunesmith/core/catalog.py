"""Catalog: the name -> factory table behind decorators such as `@grader`."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from tunesmith.errors import RecipeError, UnknownNameError

Product = TypeVar("Product")


class Catalog(Generic[Product]):
    """Factories by name; a factory's keyword arguments are the options a recipe may set."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, Callable[..., Product]] = {}

    def add(self, factory: Callable[..., Product]) -> Callable[..., Product]:
        """Register a factory under its own name; refuses a second of the same name and one without a docstring."""
        name = factory.__name__
        if name in self._factories:
            raise ValueError(f"a {self.kind} called {name!r} exists already")
        if not inspect.getdoc(factory):
            raise ValueError(
                f"{self.kind} {name!r} needs a docstring: its first line is shown to users"
            )
        self._factories[name] = factory
        return factory

    def make(self, name: str, options: Mapping[str, object] | None = None) -> Product:
        """The product of the factory called `name`.

        Raises:
            UnknownNameError: If no factory bears the name.
            RecipeError: If an option does not exist or a required one is missing.
        """
        if name not in self._factories:
            raise UnknownNameError(self.kind, name, self._factories)
        factory = self._factories[name]
        try:
            inspect.signature(factory).bind(**(options or {}))
        except TypeError as error:
            allowed = ", ".join(inspect.signature(factory).parameters) or "none"
            raise RecipeError(
                f"{self.kind} {name!r}", [str(error)], fix=f"options of {name!r}: {allowed}"
            ) from error
        return factory(**(options or {}))

    def __contains__(self, name: object) -> bool:
        return name in self._factories

    def __getitem__(self, name: str) -> Callable[..., Product]:
        return self._factories[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._factories))

    def summary(self, name: str) -> str:
        """First line of what the factory says about itself."""
        return (inspect.getdoc(self._factories[name]) or "").splitlines()[0]
