"""Where a base model comes from and under which license it stands, as far as its own files say."""

import re
from pathlib import Path

from tunesmith.artifacts.adapter import BaseModelId
from tunesmith.core import fingerprint
from tunesmith.models.config import BUNDLED_NAME
from tunesmith.models.reference import HUB_NAME

UNKNOWN = "unknown"
BUNDLED_LICENSE = "apache-2.0"
BUNDLED_REPOSITORY = "HuggingFaceTB/SmolLM2-135M-Instruct"
WORDS = {
    "Apache License": "apache-2.0",
    "MIT License": "mit",
    "LLAMA 3": "llama3",
    "Gemma Terms of Use": "gemma",
}
"""What the texts of licenses begin with, and the hub's names for them."""


def license_of(reference: str, folder: Path) -> str:
    """The hub's name of the license: from the model card's front matter, else from the LICENSE file, else `unknown`."""
    if reference == BUNDLED_NAME:
        return BUNDLED_LICENSE
    card = folder / "README.md"
    if card.is_file():
        front = card.read_text(encoding="utf-8").split("---")[1:2]
        found = re.search(r"^license(?:_name)?:\s*(\S+)\s*$", "".join(front), re.MULTILINE)
        if found:
            return found.group(1)
    for path in sorted(folder.glob("LICENSE*")):
        beginning = path.read_text(encoding="utf-8", errors="replace")[:2000]
        for words, name in WORDS.items():
            if words in beginning:
                return name
    return UNKNOWN


def repository_of(base: BaseModelId) -> str | None:
    """The hub repository that a base model comes from; None for files of this machine."""
    if base.reference == BUNDLED_NAME:
        return BUNDLED_REPOSITORY
    name = base.reference.partition("@")[0]
    # A folder may be called as a repository is, but its revision is a hash of its weights, shorter than a commit.
    is_local = len(base.revision) == fingerprint.ID_LENGTH
    return name if HUB_NAME.fullmatch(name) and not is_local else None


def as_published(base: BaseModelId) -> BaseModelId:
    """The base model as others may know it: of files of this machine the last part of the path, and their hash."""
    if base.reference == BUNDLED_NAME or repository_of(base):
        return base
    return base.model_copy(update={"reference": Path(base.reference).name})
