"""GGUF files as safetensors: dequantized once, kept in the cache under the hash of the file."""

import shutil
import tempfile
from pathlib import Path

from tunesmith.core import fingerprint
from tunesmith.core.workspace import cache_folder
from tunesmith.errors import ModelError


def as_safetensors(path: Path) -> Path:
    """A folder with the model in bf16 safetensors, its config and tokenizer; made on first use.

    Raises:
        ModelError: If the file is no GGUF of an architecture that transformers knows.
    """
    folder = cache_folder() / "gguf" / fingerprint.of_file(path)[: fingerprint.ID_LENGTH]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        _convert(path, Path(made) / "model")
        if not folder.is_dir():
            shutil.move(Path(made) / "model", folder)
    return folder


def _convert(path: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        where = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
        tokenizer = AutoTokenizer.from_pretrained(**where)
        model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.bfloat16)
    except (ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read as a GGUF model: {error}",
            fix="use an architecture that transformers reads from GGUF, or a safetensors folder",
        ) from error
    # The weights are plain from here on; left in place, the two would claim that they are still quantized.
    del model.config.quantization_config
    model.hf_quantizer = None
    model.is_quantized = False
    model.save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)
