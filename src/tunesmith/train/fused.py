"""RMS norm and SwiGLU with their backward passes written out: half the passes over memory that autograd takes.

A module is replaced only after its own output on random input was found equal, so a variant that computes something
else (Gemma's norm adds 1 to its weight; some MLPs use GELU) keeps its own forward.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from torch.nn import functional


def fuse(model: Any) -> None:
    """Give every frozen RMS norm and every SwiGLU block of the model its fused forward."""
    verdicts: dict[type, Callable[..., torch.Tensor] | None] = {}
    for module in list(model.modules()):
        kind = type(module)
        candidate = _candidate(module)
        if candidate is None:
            continue
        if kind not in verdicts:
            verdicts[kind] = candidate if _agrees(module, candidate) else None
        if verdict := verdicts[kind]:
            module.forward = MethodType(verdict, module)


def _candidate(module: Any) -> Callable[..., torch.Tensor] | None:
    if "RMSNorm" in type(module).__name__:
        weight = getattr(module, "weight", None)
        usable = weight is not None and weight.dim() == 1 and not weight.requires_grad
        return _norm_forward if usable and _epsilon(module) is not None else None
    children = dict(module.named_children())
    if {"gate_proj", "up_proj", "down_proj"} <= set(children):
        joined = getattr(children["gate_proj"], "joined", None)
        is_pair = joined is not None and joined is getattr(children["up_proj"], "joined", None)
        return _swiglu_forward if is_pair else None
    return None


def _agrees(module: Any, candidate: Callable[..., torch.Tensor]) -> bool:
    weight = getattr(module, "weight", None)
    if weight is None:
        weight = module.gate_proj.joined.weight()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 4, weight.shape[-1], generator=generator).to(weight.device, weight.dtype)
    with torch.no_grad():
        expected, given = type(module).forward(module, x), candidate(module, x)
    difference = (expected.float() - given.float()).norm() / expected.float().norm()
    return bool(difference < (1e-5 if x.dtype == torch.float32 else 1e-2))


def _epsilon(module: Any) -> float | None:
    return getattr(module, "variance_epsilon", getattr(module, "eps", None))


def _norm_forward(module: Any, x: torch.Tensor) -> torch.Tensor:
    return _Norm.apply(x, module.weight, _epsilon(module))


def _swiglu_forward(module: Any, x: torch.Tensor) -> torch.Tensor:
    both = module.gate_proj.joined.outputs(x)
    if both is None:
        return module.down_proj(module.act_fn(module.gate_proj(x)) * module.up_proj(x))
    return module.down_proj(_SwiGLU.apply(both))


class _Norm(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped
    """x / rms(x), rounded, times the weight: what Llama's norm computes, in float32 until it is rounded."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        full = x.float()
        inverse = torch.rsqrt(torch.linalg.vecdot(full, full).div_(x.shape[-1]).add_(epsilon))
        inverse = inverse.unsqueeze(-1)
        ctx.save_for_backward(x, weight, inverse)
        return (full * inverse).to(x.dtype) * weight

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, weight, inverse = ctx.saved_tensors
        # With n = x / rms: dx = (g w - n mean(g w n)) / rms.
        normed = x.float() * inverse
        scaled = (grad * weight).float()
        mean = torch.linalg.vecdot(scaled, normed).unsqueeze(-1).div_(x.shape[-1])
        return scaled.sub_(normed.mul_(mean)).mul_(inverse).to(x.dtype), None, None


class _SwiGLU(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped
    """silu(gate) * up, with gate and up side by side."""

    @staticmethod
    def forward(ctx: Any, both: torch.Tensor) -> torch.Tensor:
        gate, up = both.chunk(2, -1)
        active = functional.silu(gate)
        ctx.save_for_backward(both, active)
        return active * up

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        both, active = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        result = torch.empty_like(both)
        grad_gate, grad_up = result.chunk(2, -1)
        torch.mul(grad, active, out=grad_up)
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=grad_gate)
        return result
