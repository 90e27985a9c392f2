"""The speed of bfloat16 matrix products on this machine, at the model's own shapes."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Ceiling(NamedTuple):
    """What the linear layers of one token cost, and how fast this machine multiplies."""

    linear_parameters: int
    """In linear layers, the head aside."""
    head_parameters: int
    operations_per_second: float
    """Over one pass through all linear layers, forward and backward, at the best of several tries."""

    def seconds(self, tokens: int, trained_tokens: int) -> float:
        """The least time of an epoch if every real token is computed once and only products cost time.

        4 operations a parameter and token: 2 forward and 2 for the gradient of the input; frozen weights need
        no gradient of their own, and the adapter's own products are below 2 % and left out.
        """
        work = 4 * (self.linear_parameters * tokens + self.head_parameters * trained_tokens)
        return work / self.operations_per_second


def measure(base: str, tokens: int, *, threads: int, tries: int = 15) -> Ceiling:
    """Multiply `tokens` rows through every shape of the model's linear layers, the best of all tries each.

    One thread's products are timed by its processor time, which other work on the machine does not lengthen.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
    head = model.get_output_embeddings()
    shapes = [
        tuple(module.weight.shape)
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    ]
    seconds = {
        shape: min(_once(torch, shape, tokens, clock) for _ in range(tries))
        for shape in set(shapes)
    }
    parameters = sum(rows * columns for rows, columns in shapes)
    work = 4 * tokens * parameters
    return Ceiling(parameters, head.weight.numel(), work / sum(seconds[shape] for shape in shapes))


def _once(
    torch: Any, shape: tuple[int, ...], tokens: int, clock: Callable[[], float], repeats: int = 10
) -> float:
    weight = torch.randn(shape, dtype=torch.bfloat16)
    x = torch.randn(tokens, shape[1], dtype=torch.bfloat16)
    y = torch.nn.functional.linear(x, weight)
    best = float("inf")
    for _ in range(repeats):
        began = clock()
        torch.nn.functional.linear(x, weight)
        _ = y @ weight
        best = min(best, clock() - began)
    return best
