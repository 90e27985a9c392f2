"""Adapters put onto a base model."""

from pathlib import Path
from typing import Any

from tunesmith.errors import ModelError
from tunesmith.models.calling_peft import calling_peft


def with_adapter(model: Any, folder: Path, *, name: str) -> Any:
    """The model with one more adapter, under this name.

    Raises:
        ModelError: If the folder holds no adapter, or one of another base.
    """
    from peft import PeftModel

    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"{folder} holds no adapter_model.safetensors",
            fix="name a folder in peft's safetensors format",
        )
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(folder, adapter_name=name)
            return model
        with calling_peft():
            return PeftModel.from_pretrained(model, folder, adapter_name=name)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {first}",
            fix="serve it over the base it was trained on",
        ) from error
