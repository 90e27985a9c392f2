"""A call into peft, without the warning that it causes in transformers."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

RENAMED = ".*is_gradient_checkpointing. is deprecated"


@contextmanager
def calling_peft() -> Iterator[None]:
    """Within it, peft may ask a model for `is_gradient_checkpointing`, which transformers 5.23 calls otherwise.

    Every release of peft up to 0.21.2 does so for each model it wraps (`PeftModel.__init__`); nobody who trains or
    serves can do anything about it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", RENAMED, FutureWarning)
        yield
