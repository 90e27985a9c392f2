"""A frozen base spread over the workers: each layer is gathered when it computes, and let go after."""

from collections.abc import Sequence
from typing import Any

from tunesmith.models.template import Encoded
from tunesmith.train.batches import micro_batches
from tunesmith.train.team import Team


def shard(model: Any, device: str) -> None:
    """Keep in every worker only its part of the frozen weights of the decoder's layers.

    What is trained stays whole in every worker, as do the embeddings and the head, so that optimizer, checkpoints and
    the saved adapter are those of a run that is not sharded. Gradients of the adapter are added up by `Team`.

    Args:
        model: With its adapter; its process group exists.
        device: `cuda` or `cpu`.

    Source: Zhao et al. (2023), PyTorch FSDP, here torch's `fully_shard`.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device, (Team.of_environment().size,))
    decoder = model.get_base_model().get_decoder()
    trained = {each for each in model.parameters() if each.requires_grad}
    for layer in decoder.layers:
        fully_shard(layer, mesh=mesh, ignored_params=trained)
    # The decoder itself keeps its weights whole; as the root it lets one layer be gathered while another computes.
    own = {each for name, each in decoder.named_parameters() if not name.startswith("layers.")}
    fully_shard(decoder, mesh=mesh, ignored_params=trained | own)


def even_groups(
    examples: Sequence[Encoded], team: Team, *, token_budget: int
) -> list[tuple[list[Encoded], float]]:
    """This worker's micro-batches with their weights, as many as every other worker's.

    Workers gather a sharded layer together, so that none may compute more often than another: one with fewer
    micro-batches computes an example once more, with weight 0.
    """
    parts = [team._replace(rank=rank).share(examples) for rank in range(team.size)]
    rounds = max(len(micro_batches(part, token_budget=token_budget)) for part in parts)
    groups = micro_batches(parts[team.rank], token_budget=token_budget)
    filler = [min(examples, key=lambda example: len(example.ids))]
    return [(group, 1.0) for group in groups] + [(filler, 0.0)] * (rounds - len(groups))
