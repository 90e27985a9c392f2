"""How exactly an exported model predicts what the trained one predicts, on the user's own conversations."""

from collections.abc import Sequence
from typing import Any

from tunesmith.artifacts.export import Fidelity
from tunesmith.core.conversation import Prompt
from tunesmith.models.template import ChatTemplate

CONVERSATIONS = 8
"""Examples whose predictions are compared."""
POSITIONS_EACH = 64
"""Most answer tokens of each; bounds the memory of whole rows of logits."""


def predictions(model: Any, template: ChatTemplate, conversations: Sequence[Prompt]) -> Any:
    """Logits [positions, vocabulary] in float32 at the tokens of the answers, up to 64 for each conversation."""
    import torch

    rows = []
    with torch.no_grad():
        for messages in conversations[:CONVERSATIONS]:
            ids, is_trained = template.encode_example(messages)
            logits = model(input_ids=torch.tensor([ids], device=model.device)).logits[0, :-1]
            answer = torch.tensor(is_trained[1:], device=logits.device)
            rows.append(logits[answer][:POSITIONS_EACH].float().cpu())
    return torch.cat(rows)


def compare(trained: Any, exported: Any) -> Fidelity:
    """Of two arrays of logits at the same positions; columns that only one has (a padded vocabulary) are left out."""
    from torch.nn import functional

    width = min(trained.shape[1], exported.shape[1])
    trained, exported = trained[:, :width], exported[:, :width]
    divergence = functional.kl_div(
        exported.log_softmax(-1), trained.log_softmax(-1), reduction="batchmean", log_target=True
    )
    return Fidelity(
        positions=len(trained),
        largest_difference=(trained - exported).abs().max().item(),
        mean_divergence=max(divergence.item(), 0.0),
        same_choice=(trained.argmax(-1) == exported.argmax(-1)).float().mean().item(),
    )
