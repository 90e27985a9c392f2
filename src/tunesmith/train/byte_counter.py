"""How many bytes of tensors a computation holds at its peak, counted as they are made and freed."""

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tunesmith.train.allocator import MAPPED_BYTES


class ByteCounter(TorchDispatchMode):  # type: ignore[misc]  # torch is untyped
    """While active, counts the storages that operations make, forward and backward; `peak_bytes` is the most at once.

    `small_bytes` of what is live lies in blocks that the C library does not map by themselves (see `allocator`).

    Storages that existed before (weights, gradients to add to) are not counted, nor is what kernels use inside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live_bytes = 0
        self.small_bytes = 0
        self.peak_bytes = 0
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
        self._add(size)
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._add(-size)

    def _add(self, size: int) -> None:
        self.live_bytes += size
        if abs(size) < MAPPED_BYTES:
            self.small_bytes += size


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
