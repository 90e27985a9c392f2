"""Which AdamW updates the trained weights, by the recipe's word and the device."""

from typing import NamedTuple

from tunesmith.errors import RecipeError
from tunesmith.train.config import Optimizer


class ChosenOptimizer(NamedTuple):
    """An optimizer of transformers' Trainer."""

    name: str
    """As `TrainingArguments.optim` takes it."""
    shown: str
    state_bytes: int
    """Of a trained parameter: its two moments."""


CHOICES = {
    "adamw": ChosenOptimizer("adamw_torch_fused", "AdamW", 8),
    "adamw_8bit": ChosenOptimizer("adamw_bnb_8bit", "AdamW, 8 bit", 2),
    "paged_adamw": ChosenOptimizer("paged_adamw_32bit", "paged AdamW, 32 bit", 8),
    "paged_adamw_8bit": ChosenOptimizer("paged_adamw_8bit", "paged AdamW, 8 bit", 2),
}


def choose_optimizer(wanted: Optimizer, device: str) -> ChosenOptimizer:
    """The optimizer that the recipe asks for on this device.

    Raises:
        RecipeError: If a paged one is asked for without CUDA, whose memory it pages.
    """
    if wanted == "auto":
        return CHOICES["paged_adamw" if device == "cuda" else "adamw"]
    if wanted.startswith("paged") and device != "cuda":
        raise RecipeError(
            "train",
            [f"optimizer: {wanted} pages GPU memory, and this machine computes on {device}"],
            fix=f"set train.optimizer: {wanted.removeprefix('paged_')}, or auto",
        )
    return CHOICES[wanted]
