"""Where a base model comes from and under which license it stands, as far as its own files say."""

import re
from pathlib import Path

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


def repository_of(reference: str) -> str | None:
    """The hub repository that a reference names; None for files of this machine, whose path is nobody's business."""
    if reference == BUNDLED_NAME:
        return BUNDLED_REPOSITORY
    name = reference.partition("@")[0]
    return name if HUB_NAME.fullmatch(name) and not Path(name).exists() else None
