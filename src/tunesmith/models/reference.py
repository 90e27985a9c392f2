"""From what the recipe calls the base model to a folder of safetensors with a known revision."""

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

from tunesmith.core import fingerprint
from tunesmith.errors import ModelError, UnsafeWeightsError
from tunesmith.models import gguf
from tunesmith.models.bundled import bundled_gguf
from tunesmith.models.config import BUNDLED_NAME, ModelConfig

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
SAFE_FILES = [
    "*.safetensors",
    "*.safetensors.index.json",
    "*.json",
    "*.jinja",
    "tokenizer*",
    "*.model",
    "*.txt",
    "README.md",
    "LICENSE*",
]
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class ResolvedModel(NamedTuple):
    """A base model that lies on this disk."""

    reference: str
    """As the recipe writes it."""
    revision: str
    """Commit of the hub, or the first twelve hex digits of the weights' SHA-256."""
    folder: Path


def resolve(config: ModelConfig, root: Path, *, needs_weights: bool = True) -> ResolvedModel:
    """The base model's folder, fetched or converted on first use.

    Args:
        config: The recipe's `model:` section.
        root: The folder that relative paths start from.
        needs_weights: Whether a hub's weights are fetched, or only tokenizer and settings.

    Raises:
        ModelError: If nothing is found under the reference.
        UnsafeWeightsError: If it holds only pickled weights, or code of its own that was not allowed.
        ChecksumError: If the bundled model's bytes are not the published ones.
    """
    if config.base == BUNDLED_NAME:
        folder = gguf.as_safetensors(bundled_gguf())
        return ResolvedModel(config.base, weights_revision(folder), folder)
    path = (root / config.base).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        folder = gguf.as_safetensors(path)
        return ResolvedModel(config.base, weights_revision(folder), folder)
    if path.is_dir():
        refuse_unsafe(config, path)
        return ResolvedModel(config.base, weights_revision(path), path)
    name, _, revision = config.base.partition("@")
    if not HUB_NAME.fullmatch(name):
        raise ModelError(
            f"{config.base!r} is neither a folder, a .gguf file nor a hub name",
            fix=f"write `owner/name@revision`, a path from {root}, or `{BUNDLED_NAME}`",
        )
    folder, commit = _from_hub(name, revision or "main", needs_weights=needs_weights)
    if needs_weights:
        refuse_unsafe(config, folder)
    return ResolvedModel(config.base, commit, folder)


def refuse_unsafe(config: ModelConfig, folder: Path) -> None:
    """Raise unless the folder holds safetensors and no code that the recipe has not allowed."""
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
        if pickled:
            raise UnsafeWeightsError(config.base, f"pickled weights ({pickled[0]})")
        raise ModelError(
            f"{folder} holds no .safetensors weights", fix="name a folder that holds a whole model"
        )
    description = folder / "config.json"
    if not description.is_file():
        raise ModelError(
            f"{folder} holds no config.json", fix="name a folder that holds a whole model"
        )
    asks_for_code = "auto_map" in json.loads(description.read_text(encoding="utf-8"))
    if asks_for_code and not config.trust_remote_code:
        raise UnsafeWeightsError(config.base, "a model that brings its own Python code")


def weights_revision(folder: Path) -> str:
    """A revision for weights that have no commit: a hash over the hashes of all weight files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(fingerprint.of_file(path).encode())
    return digest.hexdigest()[: fingerprint.ID_LENGTH]


def _from_hub(name: str, revision: str, *, needs_weights: bool) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = (
        SAFE_FILES if needs_weights else [name for name in SAFE_FILES if "safetensors" not in name]
    )
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"{name}@{revision} is not in the local cache and the hub cannot be reached",
            fix="connect once, or copy the model to a folder and name that folder; HF_HUB_OFFLINE=1 forbids fetching",
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise ModelError(
            f"the hub does not give {name}@{revision}: {type(error).__name__}",
            fix="check name and revision, and for gated models log in with `hf auth login`",
        ) from error
    return folder, folder.name
