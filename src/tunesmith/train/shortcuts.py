"""Which shortcuts a model can take; each stands aside by itself where an architecture computes something else."""

import logging
from collections.abc import Sequence
from typing import Any

import torch

from tunesmith.models.template import Encoded
from tunesmith.train import attention
from tunesmith.train.fused import fuse
from tunesmith.train.lora import join_siblings, use_base_precision
from tunesmith.train.step import States, packed_states, padded_states, whole_model

log = logging.getLogger(__name__)
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.1}
"""Relative difference between packed and plain states that rounding explains: in bfloat16 it grows with depth, and a
model that mixes rows or ignores positions is far above."""


def take_shortcuts(model: Any, *, is_sharded: bool = False) -> None:
    """Make training as fast as this model allows, without changing what is computed.

    Args:
        model: With its trainable parameters chosen.
        is_sharded: Whether its weights will be spread over workers: that takes joined ones apart again, and would
            keep them as a second copy.
    """
    use_base_precision(model)
    if not is_sharded:
        join_siblings(model)
        fuse(model)
    use_packing(model)


def use_packing(model: Any) -> bool:
    """Whether micro-batches are packed from now on: only if the model was seen to give packed rows the same states."""
    whole = whole_model(model)
    if getattr(whole.config.get_text_config(), "attention_dropout", 0.0):
        return False
    before = whole.config._attn_implementation
    was_training = whole.training
    whole.eval()
    rows = _probe(whole.config.get_text_config().vocab_size)
    reason = None
    with torch.no_grad():
        plain = padded_states(whole, rows, pad_id=0)
        try:
            attention.register()
            whole.set_attn_implementation(attention.NAME)
            difference = _difference(whole, rows, plain)
        except (attention.UnsupportedAttentionError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error)
        else:
            if not difference < TOLERANCE[plain.hidden.dtype]:
                reason = f"packed rows differ from plain ones by {difference:.2g}"
    whole.train(was_training)
    if reason:
        log.info("micro-batches are padded, not packed: %s", reason)
        whole.set_attn_implementation(before)
    return reason is None


def _probe(vocabulary: int) -> list[Encoded]:
    # Three rows of different lengths behind one beginning, all behind it trained, and one that shares nothing.
    # No token comes twice, so that a row can be found again by what it is to predict.
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randperm(vocabulary, generator=generator)[:64].tolist()
    beginning, rest = tokens[:9], tokens[9:]
    rows = [
        beginning + rest[start : start + length] for start, length in ((0, 11), (11, 5), (16, 8))
    ]
    rows.append(rest[24:])
    return [Encoded(ids, [n >= 9 for n in range(len(ids))]) for ids in rows]


def _difference(model: Any, rows: Sequence[Encoded], plain: States) -> float:
    # The two ways order rows differently: rows are compared by what they are to predict, in sorted order.
    packed = packed_states(model, rows)
    order, other = plain.targets.argsort(stable=True), packed.targets.argsort(stable=True)
    left, right = plain.hidden[order].float(), packed.hidden[other].float()
    return float((left - right).norm() / left.norm())
