"""How many bytes of tensors a computation holds at its peak, counted as they are made and freed."""

import weakref
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tunesmith.core.allocator import AMPLE_MAPPED_BYTES, MAPPED_BYTES


class Held(NamedTuple):
    """Bytes of storages, all of them and those in the C library's heap (see `allocator`)."""

    all: int = 0
    small: int = 0
    """In blocks that are not mapped by themselves."""
    middling: int = 0
    """The same where freed tensors are kept."""

    def plus(self, size: int) -> "Held":
        """With one more storage, or, of a negative size, with one less."""
        return Held(
            self.all + size,
            self.small + size * (abs(size) < MAPPED_BYTES),
            self.middling + size * (abs(size) < AMPLE_MAPPED_BYTES),
        )


class ByteCounter(TorchDispatchMode):  # type: ignore[misc]  # torch is untyped
    """While active, counts the storages that operations make, forward and backward; `peak` is the most at once.

    Storages that existed before (weights, gradients to add to) are not counted, nor is what kernels use inside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = Held()
        self.peak = Held()
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation, then take in the storages of its results that are none of its arguments'."""
        given = {id(leaf.untyped_storage()) for leaf in _tensors((args, kwargs))}
        made = func(*args, **(kwargs or {}))
        for tensor in _tensors(made):
            storage = tensor.untyped_storage()
            if id(storage) not in given and id(storage) not in self._known:
                self._count(storage)
        return made

    def _count(self, storage: Any) -> None:
        key, size = id(storage), storage.nbytes()
        self._known.add(key)
        self.live = self.live.plus(size)
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live = self.live.plus(-size)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
