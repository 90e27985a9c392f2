"""Linear layers and their adapters as few products: y = W x + s B A x, several layers that read one input at once.

peft computes W x in the base's precision, casts x up to the adapter's float32, multiplies there, casts down and adds:
a dozen operations a layer, and on bf16 hardware the float32 ones cost several times the arithmetic. Here q, k and v
(and gate and up) are one product W x with W their weights below one another, one A x, and one B (A x) with the B
matrices along a diagonal, added in place; the backward pass is written out and computes no gradient of frozen weights,
nor of an input that needs none. The adapter's float32 weights stay the optimizer's masters; casting them down where
they are used keeps gradients that accumulate in float32.

Weights that are held in 4 bits are unpacked for the product alone, and again in the backward pass. Layers that compute
more than this (DoRA, dropout, stacked experts, 8-bit weights) keep what they have.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import MethodType
from typing import Any, NamedTuple

import torch
from torch.nn import functional

SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Children of one module that read the same input, by the names that Llama gave them and most models took over."""


def use_base_precision(model: Any) -> None:
    """Make every plain LoRA layer compute in the precision of its input while its weights stay float32."""
    from peft.tuners.lora import LoraLayer
    from peft.tuners.lora.layer import ParamWrapper

    for module in model.modules():
        is_lora = isinstance(module, LoraLayer) and not isinstance(module, ParamWrapper)
        if is_lora and not module.lora_variant:
            module.forward = MethodType(_lora_forward, module)


def join_siblings(model: Any) -> None:
    """Compute layers that read the same input as one product, and every other adapted layer by itself.

    Weights become views of one larger tensor, so memory stays what it was.
    """
    joined: set[int] = set()
    for module in list(model.modules()):
        for names in SIBLINGS:
            layers = [getattr(module, name, None) for name in names]
            if all(is_simple(layer) for layer in layers) and _fit_together(layers):
                Joined(layers).take_over()
                joined.update(id(layer) for layer in layers)
    for module in list(model.modules()):
        if id(module) not in joined and hasattr(module, "base_layer") and is_simple(module):
            Joined([module]).take_over()


def is_simple(layer: Any) -> bool:
    """Whether the layer is a frozen linear layer, plain or in 4 bits, with one plain adapter or none."""
    base = getattr(layer, "base_layer", layer)
    if not (type(base) is torch.nn.Linear or is_packed(base)) or base.weight.requires_grad:
        return False
    if base.bias is not None and base.bias.requires_grad:
        return False
    if base is layer:
        return True
    return (
        hasattr(layer, "lora_A")
        and len(layer.lora_A) == 1
        and not layer.lora_variant
        and not layer.merged
        and all(isinstance(dropout, torch.nn.Identity) for dropout in layer.lora_dropout.values())
        and all(b.bias is None for b in layer.lora_B.values())
    )


def is_packed(base: Any) -> bool:
    """Whether a linear layer's weight is held in 4 bits, as bitsandbytes packs it."""
    weight: Any = getattr(base, "weight", None)
    return getattr(weight, "quant_state", None) is not None and weight.dtype == torch.uint8


class Joined:
    """Simple layers that read the same input; the first that is called computes all of them."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self._layers = layers
        self._classes = [type(layer).forward for layer in layers]
        bases = [getattr(layer, "base_layer", layer) for layer in layers]
        self.sizes = [base.out_features for base in bases]
        self._bases = bases
        self._is_packed = is_packed(bases[0])
        if len(bases) > 1:
            if not self._is_packed:
                _lay_together(bases, "weight")
            if bases[0].bias is not None:
                _lay_together(bases, "bias")
        self._input: torch.Tensor | None = None
        self._outputs: dict[int, torch.Tensor] = {}

    def take_over(self) -> None:
        """Put this in the place of the layers' own forward."""
        for number, layer in enumerate(self._layers):
            layer.joined = self
            layer.forward = self._forward_of(number)

    def outputs(self, x: torch.Tensor) -> torch.Tensor | None:
        """All layers' outputs side by side, or None where a layer is to be computed by itself now."""
        if not self._is_usable():
            return None
        adapters = [_adapter_of(layer) for layer in self._layers]
        factors = [factor for adapter in adapters if adapter for factor in adapter[:2]]
        scales = tuple(adapter.scale if adapter else None for adapter in adapters)
        shape = Shape(tuple(self.sizes), scales)
        return _Product.apply(x, self.weight, self._whole("bias"), shape, *factors)

    def _forward_of(self, number: int) -> Callable[[torch.Tensor], torch.Tensor]:
        def forward(x: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
            if x is not self._input or number not in self._outputs:
                outputs = None if arguments or options else self.outputs(x)
                if outputs is None:
                    plain = self._classes[number](self._layers[number], x, *arguments, **options)
                    assert isinstance(plain, torch.Tensor)  # noqa: S101  # a linear layer's output
                    return plain
                self._input = x
                self._outputs = dict(enumerate(outputs.split(self.sizes, -1)))
            output = self._outputs.pop(number)
            if not self._outputs:
                self._input = None
            return output

        return forward

    def _is_usable(self) -> bool:
        return all(
            getattr(layer, "base_layer", layer) is layer
            or not (layer.disable_adapters or layer.merged or len(layer.active_adapters) != 1)
            for layer in self._layers
        )

    def weight(self) -> torch.Tensor:
        """All weights below one another; unpacked ones are let go after the product."""
        if self._is_packed:
            return _unpacked([base.weight for base in self._bases])
        whole = self._whole("weight")
        assert whole is not None  # noqa: S101  # only a bias can be missing
        return whole

    def _whole(self, name: str) -> torch.Tensor | None:
        parts = [getattr(base, name) for base in self._bases]
        if parts[0] is None or len(parts) == 1:
            return parts[0]
        if not _lie_together(parts):
            # Moving a model to its device, by whatever name, copies each weight to a place of its own.
            _lay_together(self._bases, name)
            parts = [getattr(base, name) for base in self._bases]
        # The parts lie behind one another in one storage; a view over all of them needs no copy.
        rows = sum(part.shape[0] for part in parts)
        first = parts[0].detach()
        return first.as_strided((rows, *first.shape[1:]), first.stride(), first.storage_offset())


class Shape(NamedTuple):
    """What a joined product is made of."""

    sizes: tuple[int, ...]
    """Output width of each layer."""
    scales: tuple[float | None, ...]
    """alpha / r of each layer's adapter; None for a layer without one."""


class _Adapter(NamedTuple):
    down: torch.Tensor
    up: torch.Tensor
    scale: float


def _adapter_of(layer: Any) -> _Adapter | None:
    if not hasattr(layer, "base_layer"):
        return None
    name = layer.active_adapters[0]
    scale = float(layer.scaling[name])
    return _Adapter(layer.lora_A[name].weight, layer.lora_B[name].weight, scale)


def _fit_together(layers: Sequence[Any]) -> bool:
    bases = [getattr(layer, "base_layer", layer) for layer in layers]
    kinds = {(base.in_features, base.weight.dtype, base.bias is None) for base in bases}
    return len(kinds) == 1 and len({base.weight.device for base in bases}) == 1


def _unpacked(weights: Sequence[Any]) -> torch.Tensor:
    from bitsandbytes.functional import dequantize_4bit

    states = [weight.quant_state for weight in weights]
    sizes = [state.shape[0] for state in states]
    whole = torch.empty(
        sum(sizes), states[0].shape[1], dtype=states[0].dtype, device=weights[0].device
    )
    # One after the other, so that a single layer at most is there twice.
    for rows, weight, state in zip(whole.split(sizes), weights, states, strict=True):
        rows.copy_(dequantize_4bit(weight.data, state))
    return whole


def _lie_together(parts: Sequence[torch.Tensor]) -> bool:
    """Whether each tensor begins where the one before it ends, in one storage."""
    storage = parts[0].untyped_storage().data_ptr()
    return all(
        part.untyped_storage().data_ptr() == storage
        and part.storage_offset() == before.storage_offset() + before.numel()
        for before, part in pairwise(parts)
    )


def _lay_together(bases: Sequence[Any], name: str) -> None:
    parts = [getattr(base, name) for base in bases]
    whole = torch.cat([part.data for part in parts])
    for part, view in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = view


class _Product(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped
    """W x + b + s B A x for layers side by side; `factors` are A and B of each adapted layer, in turn."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: Callable[[], torch.Tensor],
        bias: torch.Tensor | None,
        shape: Shape,
        *factors: torch.Tensor,
    ) -> torch.Tensor:
        flat = x.flatten(0, -2)
        out = functional.linear(flat, weight(), bias)
        # The weight is asked for again in the backward pass: kept for it, unpacked layers would all be held at once.
        ctx.weight, ctx.shape, ctx.ranks = weight, shape, [len(down) for down in factors[::2]]
        if factors:
            down = torch.cat(factors[::2]).to(x.dtype)
            up = _diagonal(shape, factors[1::2], like=out)
            inner = flat @ down.t()
            out.addmm_(inner, up.t())
            ctx.save_for_backward(flat, inner, down, up)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        needs_input = ctx.needs_input_grad[0]
        outer = grad.shape[:-1]
        grad = grad.flatten(0, -2)
        if not ctx.ranks:
            grad_x = (grad @ ctx.weight()).view(*outer, -1) if needs_input else None
            return grad_x, None, None, None
        flat, inner, down, up = ctx.saved_tensors
        grad_inner = grad @ up
        grad_x = None
        if needs_input:
            grad_x = (grad @ ctx.weight()).addmm_(grad_inner, down).view(*outer, -1)
        grad_down = (grad_inner.t() @ flat).float().split(ctx.ranks)
        grad_up = grad.t() @ inner
        factors: list[torch.Tensor] = []
        blocks = _blocks(ctx.shape, ctx.ranks)
        for part, (rows, columns, scale) in zip(grad_down, blocks, strict=True):
            factors += [part, grad_up[rows, columns].float().mul_(scale)]
        return grad_x, None, None, None, *factors


def _diagonal(shape: Shape, ups: Sequence[torch.Tensor], *, like: torch.Tensor) -> torch.Tensor:
    ranks = [up.shape[1] for up in ups]
    if len(shape.sizes) == 1:
        return (ups[0] * shape.scales[0]).to(like.dtype)
    whole = like.new_zeros(sum(shape.sizes), sum(ranks))
    for up, (rows, columns, scale) in zip(ups, _blocks(shape, ranks), strict=True):
        whole[rows, columns] = up * scale
    return whole


def _blocks(shape: Shape, ranks: Sequence[int]) -> list[tuple[slice, slice, float]]:
    # Where each adapter's B lies in the diagonal matrix, and its scale.
    found: list[tuple[slice, slice, float]] = []
    row, column = 0, 0
    for size, scale in zip(shape.sizes, shape.scales, strict=True):
        if scale is not None:
            rank = ranks[len(found)]
            found.append((slice(row, row + size), slice(column, column + rank), scale))
            column += rank
        row += size
    return found


def _lora_forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    # y = W x + alpha/r * B A x, the two products and the sum fused into one call.
    if layer.disable_adapters:
        return layer.base_layer(x)
    name = layer.active_adapters[0]
    down = layer.lora_A[name].weight.to(x.dtype)
    up = layer.lora_B[name].weight.to(x.dtype)
    base = layer.base_layer(x)
    inner = functional.linear(layer.lora_dropout[name](x), down)
    added = torch.addmm(
        base.flatten(0, -2), inner.flatten(0, -2), up.t(), alpha=float(layer.scaling[name])
    )
    return added.view(base.shape)
