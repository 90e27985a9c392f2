"""From hidden states to logits at chosen positions, with what some families do to logits after the output layer."""

from typing import Any

from tunesmith.errors import TrainingError

PROBE_IDS = (1, 2, 3)


def logits_of(model: Any, hidden: Any) -> Any:
    """The model's own logits for these hidden states, in any number of leading dimensions.

    Gemma caps its logits softly (cap * tanh(logits / cap)), Granite divides and Cohere multiplies them.
    """
    logits = model.get_output_embeddings()(hidden)
    settings = model.config.get_text_config()
    if cap := getattr(settings, "final_logit_softcapping", None):
        logits = cap * (logits / cap).tanh()
    if divisor := getattr(settings, "logits_scaling", None):
        logits = logits / divisor
    if factor := getattr(settings, "logit_scale", None):
        logits = logits * factor
    return logits


def changes_logits(model: Any) -> bool:
    """Whether `logits_of` does more than the output layer."""
    settings = model.config.get_text_config()
    names = ("final_logit_softcapping", "logits_scaling", "logit_scale")
    return any(getattr(settings, name, None) for name in names)


def require_known_head(model: Any) -> None:
    """Return only if `logits_of` gives what the model itself gives, on three tokens.

    Raises:
        TrainingError: If the model does something to its logits that is not known here, so its loss would be wrong.
    """
    import torch

    ids = torch.tensor([PROBE_IDS], device=model.device)
    with torch.no_grad():
        own = model(input_ids=ids, use_cache=False).logits.float()
        hidden = model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
        ours = logits_of(model, hidden).float()
    difference, largest = (own - ours).abs().max().item(), own.abs().max().item()
    if difference > 1e-2 * largest:
        raise TrainingError(
            f"{type(model).__name__} changes its logits in a way that is not known here"
            f" (up to {difference:.3g} of {largest:.3g})",
            fix="use a model of another family, or report this one",
        )
