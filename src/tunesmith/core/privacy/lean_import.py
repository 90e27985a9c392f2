"""Importing spaCy and Presidio without what they load wherever they find it, and what is not used here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

FRAMEWORKS = ("cupy", "jax", "mxnet", "stanza", "tensorflow", "torch", "transformers")


@contextmanager
def without_frameworks() -> Iterator[None]:
    """Inside, frameworks that are not loaded yet cannot be imported: they take 5 s and are not used here."""
    hidden = [name for name in FRAMEWORKS if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python spells "not to be imported"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def without_command_line() -> Iterator[None]:
    """Inside, spaCy is imported without its command line, a third of the time that it takes."""
    stand_ins = {name: ModuleType(name) for name in ("spacy.cli", "spacy.cli.info")}
    stand_ins["spacy.cli"].__path__ = []
    stand_ins["spacy.cli.info"].info = None  # type: ignore[attr-defined]  # all that spaCy takes from there
    if "spacy" not in sys.modules:
        sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
