"""The processes that train one adapter together: which part of a step is whose, and how parts become a whole."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tunesmith.errors import RecipeError
from tunesmith.models.template import Encoded


class Team(NamedTuple):
    """This process among those that compute the same steps; alone unless a launcher says otherwise."""

    rank: int = 0
    size: int = 1

    @classmethod
    def of_environment(cls) -> "Team":
        """As torchrun, Ray and our own launcher tell a process."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    def require_size(self, workers: int) -> None:
        """Return only if as many processes were started as the recipe says.

        Raises:
            RecipeError: If not.
        """
        if self.size != workers:
            raise RecipeError(
                "train",
                [f"workers: {workers}, but a launcher started {self.size} processes"],
                fix=f"set train.workers: {self.size}, or start one process",
            )

    def take_device(self) -> None:
        """Make the GPU that is this process's own the one that `cuda` means."""
        import torch

        if self.size > 1 and torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())

    @property
    def is_first(self) -> bool:
        """Whether this process shows progress and writes files."""
        return self.rank == 0

    def share(self, examples: Sequence[Encoded]) -> list[Encoded]:
        """This process's part of the examples, of about as many tokens as any other's; parts hold each example once."""
        return sorted(examples, key=lambda example: len(example.ids))[self.rank :: self.size]

    def total(self, part: Any) -> Any:
        """The sum of every process's tensor, the same in each."""
        if self.size > 1:
            import torch.distributed

            torch.distributed.all_reduce(part)
        return part

    def told_by_first(self, text: str) -> str:
        """The first process's text, in every process; all wait until it is said."""
        if self.size == 1:
            return text
        import torch.distributed

        said = [text]
        torch.distributed.broadcast_object_list(said)
        return said[0]

    def add_up_gradients(self, parameters: Iterable[Any]) -> None:
        """Make every trained parameter's gradient the sum over all processes, in one exchange per precision.

        Each process has divided its loss by the trained tokens of the whole step, so that the sum is the gradient of
        the step's mean loss, however unevenly tokens are spread. A process whose part is empty adds zeros.
        """
        if self.size == 1:
            return
        import torch

        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        for dtype in sorted({parameter.grad.dtype for parameter in trained}, key=str):
            gradients = [each.grad for each in trained if each.grad.dtype == dtype]
            flat = self.total(torch.cat([gradient.flatten() for gradient in gradients]))
            for gradient, summed in zip(
                gradients, flat.split([each.numel() for each in gradients]), strict=True
            ):
                gradient.copy_(summed.view_as(gradient))
