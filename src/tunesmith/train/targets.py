"""Which parts of a model get an adapter: linear layers by name, and the stacked experts of a mixture."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tunesmith.errors import RecipeError, nearest

ALL_LINEAR = "all-linear"


class Targets(NamedTuple):
    """Names as peft takes them, in the model's own order."""

    layers: list[str]
    """Last parts of linear layers' names, as in `q_proj`."""
    experts: list[str]
    """Stacked parameters [experts, out, in] with the name of their module, as in `experts.down_proj`."""


def find_targets(model: Any, wanted: str | tuple[str, ...]) -> Targets:
    """The parts that `wanted` names; `all-linear` is every one but the output head.

    A mixture's router is not among them: it is a few numbers a layer, and training it unbalances the experts.

    Raises:
        RecipeError: If a name is not in the model.
    """
    layers = list(dict.fromkeys(_linear_names(model)))
    experts = list(dict.fromkeys(_expert_names(model)))
    if wanted == ALL_LINEAR:
        return Targets(layers, experts)
    _refuse_unknown(wanted, [*layers, *(name.rpartition(".")[2] for name in experts)])
    return Targets(
        [name for name in layers if name in wanted],
        [name for name in experts if name.rpartition(".")[2] in wanted],
    )


def _linear_names(model: Any) -> Iterator[str]:
    import torch

    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            yield name.rpartition(".")[2]


def _expert_names(model: Any) -> Iterator[str]:
    for name, parameter in model.named_parameters():
        if parameter.ndim == 3 and ".experts." in name:
            yield ".".join(name.split(".")[-2:])


def _refuse_unknown(wanted: str | tuple[str, ...], present: list[str]) -> None:
    problems = [
        f"targets: the model has no layer {target!r}"
        + (f" (did you mean {near!r}?)" if (near := nearest(target, present)) else "")
        for target in wanted
        if target not in present
    ]
    if problems:
        raise RecipeError("train", problems, fix=f"layers there are: {', '.join(sorted(present))}")
