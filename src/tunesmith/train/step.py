"""The computation of a training step: only what is trained, in the base model's own precision."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from tunesmith.models.template import Encoded
from tunesmith.train import attention
from tunesmith.train.loss import head_loss
from tunesmith.train.packing import Packed


class States(NamedTuple):
    """What predicts the trained tokens of a batch."""

    hidden: torch.Tensor
    """(N, width), one for each trained token."""
    targets: torch.Tensor
    """(N,), the tokens to predict."""
    rows: Sequence[Encoded]
    """The batch's examples, in the order in which their tokens come."""


def loss_sum(model: Any, batch: Sequence[Encoded], *, pad_id: int) -> torch.Tensor:
    """Cross-entropy summed over the batch's trained tokens, in nats, float32.

    The head runs only at positions whose next token is trained: for short answers that is a small part of a large
    matrix product. Where the model can (see `shortcuts`), the batch is one packed row and `pad_id` is not used;
    else rows are padded on the right and masked by length, never by token id.
    """
    whole = whole_model(model)
    states = answer_states(whole, batch, pad_id=pad_id)
    return head_loss(whole, states.hidden, states.targets)


def whole_model(model: Any) -> Any:
    """The model itself, its adapters among its layers, without peft's shell."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def answer_states(whole: Any, batch: Sequence[Encoded], *, pad_id: int) -> States:
    """What predicts each trained token, computed the fastest way that this model can."""
    if whole.config._attn_implementation == attention.NAME:
        return packed_states(whole, batch)
    return padded_states(whole, batch, pad_id=pad_id)


def packed_states(model: Any, batch: Sequence[Encoded]) -> States:
    """What predicts each trained token, from one row without padding."""
    packed = Packed(batch, model.device)
    hidden = model.get_decoder()(
        input_ids=packed.ids[None],
        position_ids=packed.positions[None],
        # A mask of four dimensions is passed through as it is, and packed attention reads none.
        attention_mask=packed.no_mask,
        use_cache=False,
        packed=packed,
    ).last_hidden_state
    return States(hidden[0].index_select(0, packed.sources), packed.targets, packed.rows)


def padded_states(model: Any, batch: Sequence[Encoded], *, pad_id: int) -> States:
    """The same from a row for each example."""
    longest = max(len(example.ids) for example in batch)
    ids = torch.full((len(batch), longest), pad_id, dtype=torch.long)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    is_trained = torch.zeros((len(batch), longest), dtype=torch.bool)
    for row, example in enumerate(batch):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        is_trained[row, :length] = torch.tensor(example.is_trained)
    ids, mask, is_trained = (tensor.to(model.device) for tensor in (ids, mask, is_trained))
    # Rows of equal length need no mask, and attention without one is faster.
    hidden = model.get_decoder()(
        input_ids=ids, attention_mask=None if bool(mask.all()) else mask, use_cache=False
    ).last_hidden_state
    is_target = is_trained[:, 1:]
    return States(hidden[:, :-1][is_target], ids[:, 1:][is_target], batch)
