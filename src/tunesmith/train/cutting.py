"""How a step is cut into micro-batches, and cut smaller once memory has run out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from tunesmith.core.allocator import return_freed_memory, trim
from tunesmith.errors import OutOfMemoryError
from tunesmith.models.template import Encoded
from tunesmith.train.batches import micro_batches

ALLOCATION_FAILED = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "std::bad_alloc",
    # oneDNN, when it cannot map memory for a kernel or its scratchpad.
    "could not create a primitive",
    "could not create a memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
"""How torch and its kernel libraries say that memory ran out where they have no class for it."""

Groups = list[list[Encoded]]
Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation failed, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error) for words in ALLOCATION_FAILED
    )


class Cutting:
    """Cuts examples into micro-batches of a token budget that halves whenever memory runs out.

    The loss of a step is a mean over all its trained tokens, so a smaller budget changes memory and speed, and the
    result by no more than the order of a sum.
    """

    def __init__(self, token_budget: int, on_halved: Callable[[str], None]) -> None:
        """Start with a budget.

        Args:
            token_budget: Tokens of a micro-batch, padding included.
            on_halved: Told in words that the budget was halved.
        """
        self.token_budget = token_budget
        self._on_halved = on_halved
        self._oldest = torch.zeros(1, requires_grad=True) * 1

    def compute(
        self,
        examples: Sequence[Encoded],
        work: Callable[[Groups], Result],
        *,
        undo: Callable[[], None] = lambda: None,
    ) -> Result:
        """What `work` returns for the examples in micro-batches; after a failed allocation all of it is done again.

        Args:
            examples: One optimizer step's, or all that are measured.
            work: Called with the micro-batches.
            undo: Takes back what a failed `work` has left behind.

        Raises:
            OutOfMemoryError: If memory runs out with single examples.
        """
        while True:
            groups = micro_batches(examples, token_budget=self.token_budget)
            try:
                return work(groups)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).partition("\n")[0]
            # Out here, because the error's traceback holds the tensors that filled the memory.
            undo()
            self._free()
            self._halve(groups, reason)

    def _halve(self, groups: Groups, reason: str) -> None:
        sizes = [len(group) * max(len(example.ids) for example in group) for group in groups]
        if max(len(group) for group in groups) == 1:
            raise OutOfMemoryError(reason, tokens=max(sizes))
        before, self.token_budget = max(sizes), max(sizes) // 2
        self._on_halved(
            f"memory ran out with a micro-batch of {before} tokens: the step is computed again and training goes on"
            f" with {self.token_budget}, with as many examples a step as before"
        )

    def _free(self) -> None:
        # A failed backward pass leaves its open tasks, and with them the whole graph, in the thread's queue. Torch
        # works on the youngest first and stops when the one asked for is done: the oldest of all clears the queue.
        self._oldest.backward(retain_graph=True)
        # Memory is not ample after all: from now on freed tensors go back at once.
        return_freed_memory()
        trim()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
