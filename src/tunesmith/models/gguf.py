"""GGUF files as safetensors: dequantized once, kept in the cache under the hash of the file."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.core import fingerprint
from tunesmith.core.workspace import cache_folder
from tunesmith.errors import ModelError
from tunesmith.models.pretokenizers import restore

CONVERSION = "2"
"""Part of the cache's folder names, raised when the conversion changes: 2 cuts text as the file says."""


def as_safetensors(path: Path) -> Path:
    """A folder with the model in bf16 safetensors, its config and tokenizer; made on first use.

    Raises:
        ModelError: If the file is no GGUF of an architecture that transformers knows.
    """
    name = f"{fingerprint.of_file(path)[: fingerprint.ID_LENGTH]}-{CONVERSION}"
    folder = cache_folder() / "gguf" / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        _convert(path, Path(made) / "model")
        if not folder.is_dir():
            shutil.move(Path(made) / "model", folder)
    return folder


def read_gguf(path: Path, *, precision: str = "bfloat16") -> tuple[Any, Any]:
    """Model and tokenizer of a GGUF file, weights dequantized to `precision`.

    Raises:
        ModelError: If the file is no GGUF of an architecture that transformers knows.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    where = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    plain = {
        "dtype": getattr(torch, precision),
        "quantization_config": GgufConfig(dequantize=True),
    }
    try:
        with _without_bar():
            tokenizer = AutoTokenizer.from_pretrained(**where)
            model, loading = AutoModelForCausalLM.from_pretrained(
                **where, **plain, output_loading_info=True
            )
    except (ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read as a GGUF model: {error}",
            fix="use an architecture that transformers reads from GGUF, or a safetensors folder",
        ) from error
    # Weights that it does not find are drawn at random, as for the experts of a Mixtral, which it reads as a Llama.
    missing = sorted(loading["missing_keys"])
    if missing:
        raise ModelError(
            f"transformers does not find {len(missing)} weights of {path.name}, as {missing[0]}",
            fix="use an architecture that transformers reads from GGUF, or a safetensors folder",
        )
    restore(tokenizer, _cutting(path))
    return model, tokenizer


def _convert(path: Path, target: Path) -> None:
    model, tokenizer = read_gguf(path)
    model.save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)


def _cutting(path: Path) -> str:
    from gguf import GGUFReader

    field = GGUFReader(path).get_field("tokenizer.ggml.pre")
    return str(field.contents()) if field else ""


@contextmanager
def _without_bar() -> Iterator[None]:
    # transformers draws a bar of its own here, which no setting of its switches off.
    from tqdm.auto import tqdm
    from transformers import modeling_gguf_pytorch_utils as reading

    reading.tqdm = partial(tqdm, disable=True)
    try:
        yield
    finally:
        reading.tqdm = tqdm
