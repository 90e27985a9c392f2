"""A base model with an adapter folded into its weights: one plain model, as fast as the base."""

import json
from pathlib import Path
from typing import Any

from tunesmith.artifacts.adapter import Quantization
from tunesmith.errors import ModelError
from tunesmith.models.calling_peft import calling_peft
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import LoadedModel, Precision, load_model
from tunesmith.models.reference import ResolvedModel

WEIGHTS_NAME = "adapter_model.safetensors"


def load_merged(
    resolved: ResolvedModel,
    config: ModelConfig,
    folder: Path,
    *,
    quantization: Quantization,
    precision: Precision,
) -> LoadedModel:
    """The base, its weights at their values after `quantization`, plus the adapter's update, in `precision`.

    Raises:
        ModelError: If the folder holds no safetensors adapter, or one that does not fit.
    """
    base = load_model(
        resolved, config, quantization=quantization, precision=precision, holding="unpacked"
    )
    return base._replace(model=add_adapter(base, folder).merge_and_unload(safe_merge=True).eval())


def add_adapter(base: LoadedModel, folder: Path) -> Any:
    """The base with the adapter over it.

    Raises:
        ModelError: If the folder holds no safetensors adapter, or one that does not fit.
    """
    from peft import PeftModel

    if not (folder / WEIGHTS_NAME).is_file():
        raise ModelError(
            f"{folder} holds no {WEIGHTS_NAME}", fix="name a folder in peft's safetensors format"
        )
    try:
        with calling_peft():
            return PeftModel.from_pretrained(base.model, folder)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {str(error).splitlines()[0]}",
            fix="use it over the base it was trained on",
        ) from error


def shares_base(folder: Path) -> bool:
    """Whether one copy of the base can answer with this adapter and with others in the same batch.

    peft mixes adapters of plain layers alone: neither those of stacked experts nor DoRA's.
    """
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return not (settings.get("target_parameters") or settings.get("use_dora"))
