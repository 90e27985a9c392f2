"""Importing spaCy and Presidio without the deep-learning frameworks that they load wherever they find them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
