"""The weights of an export, written and then compared with the trained model's predictions."""

import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.artifacts.adapter import Adapter, Quantization
from tunesmith.artifacts.export import Fidelity, NumberFormat
from tunesmith.core.conversation import Prompt
from tunesmith.core.progress import Progress
from tunesmith.engines.opening import serving_precision
from tunesmith.errors import ModelError
from tunesmith.models.config import ModelConfig
from tunesmith.models.gguf import read_gguf
from tunesmith.models.loading import LoadedModel, load_model
from tunesmith.models.merging import add_adapter
from tunesmith.models.provenance import as_published
from tunesmith.models.reference import ResolvedModel
from tunesmith.models.template import ChatTemplate
from tunesmith.train.export.config import ExportConfig
from tunesmith.train.export.fidelity import compare, predictions
from tunesmith.train.export.gguf_file import convert, find_converter, write_gguf
from tunesmith.train.export.modelfile import modelfile, read_pieces
from tunesmith.train.saving import name_base

TOLERANCE: dict[NumberFormat, float] = {
    "float32": 1e-6,
    "float16": 1e-3,
    "bfloat16": 1e-2,
    "q8_0": 2e-2,
}
"""Mean divergence per token, in nats, that a number format may cost; more means that the files are wrong."""
LONGEST_CONTEXT = 8192
"""Tokens that Ollama is told to keep room for, at most: it allocates them all."""
NO_TEMPLATE = (
    "The chat template is not of a form that Ollama's templates can express exactly, so the Modelfile holds none:"
    " use llama.cpp with --jinja, which reads the model's own."
)

ROUNDED = 1e-3
"""Nats per token from which a user should hear what the number format cost."""
NOT_READ_BACK = (
    "llama.cpp's converter wrote the file and nothing here reads this family from GGUF, so it was not compared with the"
    " trained model: measure it where it is served."
)


class Tuned(NamedTuple):
    """A trained model on disk."""

    adapter: Adapter
    weights: Path
    base: ResolvedModel
    config: ModelConfig

    def load(self, quantization: Quantization) -> LoadedModel:
        """The adapter over the base held in this way, its weights at their values; a fully trained model as it is."""
        precision = serving_precision()
        if self.adapter.method == "full":
            whole = ResolvedModel(self.adapter.id, self.base.revision, self.weights)
            return load_model(whole, self.config, quantization="none", precision=precision)
        base = load_model(
            self.base,
            self.config,
            quantization=quantization,
            precision=precision,
            holding="unpacked",
        )
        return base._replace(model=add_adapter(base, self.weights).eval())


class Written(NamedTuple):
    """What was written and how exact it is."""

    fidelity: Fidelity | None
    over_plain_base: Fidelity | None
    notes: tuple[str, ...]


def write_weights(
    config: ExportConfig,
    tuned: Tuned,
    conversations: Sequence[Prompt],
    folder: Path,
    facts: dict[str, str],
    progress: Progress,
) -> Written:
    """Write the files that hold the model.

    Args:
        config: What to write.
        tuned: The trained model.
        conversations: The user's own, on whose answers predictions are compared.
        folder: An empty folder.
        facts: `name` and `license`.
        progress: Told three steps: loaded, written, compared.

    Raises:
        ModelError: If the files predict otherwise than the trained model, or tokenize otherwise.
    """
    held = tuned.adapter.base.quantization
    trained = tuned.load(held)
    expected = predictions(trained.model, trained.template, conversations)
    progress.advance(1, "trained model loaded")
    plain = _over_plain(tuned, conversations, expected) if held != "none" else None
    if config.format == "adapter":
        shutil.copytree(tuned.weights, folder, dirs_exist_ok=True)
        name_base(folder, as_published(tuned.adapter.base))
        progress.advance(2, "adapter copied")
        return Written(None, plain, ())
    if config.into_plain_base:
        del trained
        trained = tuned.load("none")
    merged = trained.model
    if tuned.adapter.method != "full":
        merged = merged.merge_and_unload(safe_merge=True)
    merged.generation_config.eos_token_id = sorted(trained.template.end_ids)
    merged.generation_config.pad_token_id = trained.template.pad_id()
    loaded = trained._replace(model=merged)
    notes: tuple[str, ...] = ()
    if config.format == "merged":
        found = _write_merged(config, tuned, loaded, conversations, folder)
    else:
        found, notes = _write_gguf(config, loaded, conversations, folder, facts)
    progress.advance(1, "weights written")
    fidelity = compare(expected, found) if found is not None else None
    if fidelity and not config.into_plain_base:
        _require_same(fidelity, config.number_format)
        notes = (*notes, *_on_rounding(fidelity, config.number_format))
    progress.advance(1, "predictions compared")
    return Written(fidelity, plain, notes)


def parameter_count(folder: Path) -> int:
    """Numbers in the folder's safetensors, from their headers alone."""
    from safetensors import safe_open

    total = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as tensors:
            total += sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    return total


def _over_plain(tuned: Tuned, conversations: Sequence[Prompt], expected: Any) -> Fidelity:
    plain = tuned.load("none")
    return compare(expected, predictions(plain.model, plain.template, conversations))


def _save(loaded: LoadedModel, folder: Path, numbers: NumberFormat) -> None:
    import torch

    # Weights alone: buffers such as the rotary frequencies are not written, and would only lose precision.
    for parameter in loaded.model.parameters():
        parameter.data = parameter.data.to(getattr(torch, numbers))
    loaded.model.save_pretrained(folder, safe_serialization=True)
    loaded.template.tokenizer.save_pretrained(folder)


def _write_merged(
    config: ExportConfig,
    tuned: Tuned,
    loaded: LoadedModel,
    conversations: Sequence[Prompt],
    folder: Path,
) -> Any:
    _save(loaded, folder, config.number_format or "bfloat16")
    whole = ResolvedModel(tuned.adapter.id, tuned.base.revision, folder)
    written = load_model(whole, tuned.config, quantization="none", precision=serving_precision())
    return predictions(written.model, written.template, conversations)


def _write_gguf(
    config: ExportConfig,
    loaded: LoadedModel,
    conversations: Sequence[Prompt],
    folder: Path,
    facts: dict[str, str],
) -> tuple[Any, tuple[str, ...]]:
    numbers = config.number_format or "q8_0"
    template, settings = loaded.template, loaded.model.config
    path = folder / f"{facts['name']}.{numbers}.gguf"
    converter = find_converter(settings.model_type)
    if converter is None:
        write_gguf(loaded.model, template, path, numbers=numbers, facts=facts)
    else:
        with tempfile.TemporaryDirectory(dir=folder.parent) as whole:
            _save(loaded, Path(whole), "bfloat16" if numbers == "q8_0" else numbers)
            convert(converter, Path(whole), path, numbers=numbers)
    context = min(settings.max_position_embeddings, LONGEST_CONTEXT)
    text = modelfile(template, path.name, context_tokens=context, license_name=facts["license"])
    (folder / "Modelfile").write_text(text, encoding="utf-8", newline="\n")
    notes = [] if read_pieces(template) else [NO_TEMPLATE]
    try:
        model, tokenizer = read_gguf(path, precision="float32")
    except ModelError:
        if converter is None:
            raise
        return None, (*notes, NOT_READ_BACK)
    _require_same_tokens(path, tokenizer, template, conversations)
    return predictions(model.eval(), template, conversations), tuple(notes)


def _on_rounding(fidelity: Fidelity, numbers: NumberFormat | None) -> list[str]:
    if numbers != "bfloat16" or fidelity.mean_divergence < ROUNDED:
        return []
    return [
        f"bfloat16 rounds away the adapter's smallest changes ({fidelity.mean_divergence:.2g} nats per token);"
        " where a server computes in float16 or float32, --numbers float16 or float32 keeps them."
    ]


def _require_same_tokens(
    path: Path, tokenizer: Any, template: ChatTemplate, conversations: Sequence[Prompt]
) -> None:
    read = ChatTemplate(tokenizer, sorted(template.end_ids), is_thinking=True)
    for messages in conversations:
        if read.encode_example(messages) != template.encode_example(messages):
            raise ModelError(
                f"{path.name} gives other tokens than training saw",
                fix="choose --format merged, and report the model's tokenizer",
            )


def _require_same(fidelity: Fidelity, numbers: NumberFormat | None) -> None:
    tolerance = TOLERANCE[numbers or "float32"]
    if fidelity.mean_divergence > tolerance:
        raise ModelError(
            f"the files predict otherwise than the trained model: mean divergence"
            f" {fidelity.mean_divergence:.3g} nats per token, {numbers} may cost {tolerance:g}",
            fix="choose --numbers float32; if that fails too, report the model's family",
        )
