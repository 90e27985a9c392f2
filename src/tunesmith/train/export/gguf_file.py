"""A whole model as one GGUF file for llama.cpp and Ollama, and the file read back."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from tunesmith.artifacts.export import NumberFormat
from tunesmith.errors import ModelError
from tunesmith.models.template import ChatTemplate
from tunesmith.train.export.gguf_tokenizer import add_tokenizer

CONVERTER = "convert_hf_to_gguf.py"
TYPES: dict[NumberFormat, str] = {
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "q8_0": "Q8_0",
}
FILE_TYPES: dict[NumberFormat, str] = {
    "float32": "ALL_F32",
    "float16": "MOSTLY_F16",
    "bfloat16": "MOSTLY_BF16",
    "q8_0": "MOSTLY_Q8_0",
}


def find_converter(model_type: str) -> Path | None:
    """None where the family is written here; else llama.cpp's own converter.

    Raises:
        ModelError: If it is needed and not on the PATH.
    """
    families = _families()
    if model_type in families:
        return None
    found = shutil.which(CONVERTER)
    if found is None:
        raise ModelError(
            f"GGUF is written here for {', '.join(sorted(families))}, the model is {model_type},"
            f" and llama.cpp's {CONVERTER} is not on the PATH",
            fix=f"add the folder of llama.cpp with {CONVERTER} to the PATH, or choose --format merged",
        )
    return Path(found)


def write_gguf(
    model: Any, template: ChatTemplate, path: Path, *, numbers: NumberFormat, facts: dict[str, str]
) -> None:
    """Write weights, settings, tokenizer and chat template.

    Args:
        model: Of a family in `gguf_families.json`, weights in any precision.
        template: Its chat template.
        path: The file to write.
        numbers: How matrices are written; vectors stay float32, as llama.cpp wants them.
        facts: `name` and `license`, for the file's own description.
    """
    import gguf

    family = _families()[model.config.model_type]
    writer = gguf.GGUFWriter(path, family["architecture"])
    writer.add_name(facts["name"])
    writer.add_license(facts["license"])
    writer.add_file_type(gguf.LlamaFileType[FILE_TYPES[numbers]])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_settings(writer, model.config)
    add_tokenizer(writer, template, vocabulary=model.config.vocab_size)
    wanted = gguf.GGMLQuantizationType[TYPES[numbers]]
    for name, array in _tensors(model, family):
        kind = wanted if array.ndim > 1 else gguf.GGMLQuantizationType.F32
        if kind == gguf.GGMLQuantizationType.Q8_0 and array.shape[-1] % 32:
            kind = gguf.GGMLQuantizationType.F16
        writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def convert(converter: Path, folder: Path, path: Path, *, numbers: NumberFormat) -> None:
    """Let llama.cpp's converter write a folder with a merged model.

    Raises:
        ModelError: If it fails, with its last line.
    """
    kind = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "q8_0": "q8_0"}[numbers]
    command = [
        sys.executable,
        str(converter),
        str(folder),
        "--outfile",
        str(path),
        "--outtype",
        kind,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # the user's own llama.cpp
    if done.returncode or not path.is_file():
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(
            f"{converter} failed: {last}",
            fix="install what it needs into tunesmith's environment, update llama.cpp, or choose --format merged",
        )


def _families() -> dict[str, dict[str, Any]]:
    text = files("tunesmith.train.export").joinpath("gguf_families.json").read_text("utf-8")
    families: dict[str, dict[str, Any]] = json.loads(text)
    return families


def _add_settings(writer: Any, config: Any) -> None:
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_block_count(config.num_hidden_layers)
    # llama.cpp attends to everything in these families: within the window of a sliding one that is the same.
    window = getattr(config, "sliding_window", None) or config.max_position_embeddings
    writer.add_context_length(min(config.max_position_embeddings, window))
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    kind = config.rope_parameters.get("rope_type", "default")
    if kind == "linear":
        import gguf

        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(config.rope_parameters["factor"]))
    elif kind not in {"default", "llama3"}:
        raise ModelError(
            f"positions are scaled by {kind!r}, which is not written to GGUF here",
            fix=f"put llama.cpp's {CONVERTER} on the PATH, or choose --format merged",
        )


def _tensors(model: Any, family: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and float32 arrays as llama.cpp wants them; tied weights once."""
    import gguf

    config = model.config
    architecture = next(
        key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == family["architecture"]
    )
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    if config.rope_parameters.get("rope_type") == "llama3":
        yield "rope_freqs.weight", _rotary_factors(model)
    for name, parameter in model.named_parameters():
        array = parameter.detach().float().cpu().numpy()
        if family["interleaves_rotary"] and (found := re.search(r"\.([qk])_proj\.", name)):
            is_query = found.group(1) == "q"
            array = _interleaved(
                array, config.num_attention_heads if is_query else config.num_key_value_heads
            )
        written = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if written is None:
            raise ModelError(
                f"GGUF has no name for {name}",
                fix=f"put llama.cpp's {CONVERTER} on the PATH, or choose --format merged",
            )
        yield written, array


def _interleaved(array: Any, heads: int) -> Any:
    # transformers rotates the first half of a head against the second, llama.cpp neighbours.
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape).copy()


def _rotary_factors(model: Any) -> Any:
    # llama.cpp divides the plain frequencies by these; the model's own are the plain ones after scaling.
    import torch

    scaled = model.get_decoder().rotary_emb.inv_freq.float().cpu()
    exponents = torch.arange(len(scaled), dtype=torch.float32) / len(scaled)
    plain = model.config.rope_parameters["rope_theta"] ** -exponents
    return (plain / scaled).numpy()
