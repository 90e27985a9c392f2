"""GGUF files as safetensors: dequantized once, kept in the cache under the hash of the file."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
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
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    where = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    plain = {"dtype": torch.bfloat16, "quantization_config": GgufConfig(dequantize=True)}
    try:
        with _without_bar():
            tokenizer = AutoTokenizer.from_pretrained(**where)
            model = AutoModelForCausalLM.from_pretrained(**where, **plain)
    except (ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read as a GGUF model: {error}",
            fix="use an architecture that transformers reads from GGUF, or a safetensors folder",
        ) from error
    model.save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)


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
