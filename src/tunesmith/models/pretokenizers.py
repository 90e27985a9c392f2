"""How text is cut before byte pairs are merged: the name that GGUF gives it, and the tokenizer that does it.

Read wrongly, every number and contraction may get tokens that the model has never seen there.
"""

import json
from importlib.resources import files
from typing import Any

TABLE = "pretokenizers.json"


def restore(tokenizer: Any, name: str) -> None:
    """Make a tokenizer cut text as the GGUF name says; names that are not known change nothing.

    transformers reads every GGUF tokenizer as GPT-2's, which keeps the digits of a number together.
    """
    from tokenizers import pre_tokenizers

    steps = next((row["steps"] for row in _rows() if row["name"] == name), None)
    if steps is None:
        return
    cutting = [_made(step) for step in steps]
    tokenizer.backend_tokenizer.pre_tokenizer = (
        cutting[0] if len(cutting) == 1 else pre_tokenizers.Sequence(cutting)
    )


def name_of(tokenizer: Any) -> str | None:
    """The GGUF name for how this byte-level tokenizer cuts text; None where it is not known."""
    described = json.loads(tokenizer.backend_tokenizer.to_str())["pre_tokenizer"] or {}
    parts = described["pretokenizers"] if described.get("type") == "Sequence" else [described]
    steps = [_plain(part) for part in parts]
    return next((str(row["name"]) for row in _rows() if row["steps"] == steps), None)


def _made(step: dict[str, Any]) -> Any:
    from tokenizers import Regex, pre_tokenizers

    if step["type"] == "ByteLevel":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=step["use_regex"])
    if step["type"] == "Digits":
        return pre_tokenizers.Digits(individual_digits=step["individual_digits"])
    return pre_tokenizers.Split(Regex(step["pattern"]), "isolated")


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "Split":
        return {"type": "Split", "pattern": part["pattern"].get("Regex")}
    kept = ("type", "use_regex", "individual_digits")
    return {name: part[name] for name in kept if name in part}


def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        files("tunesmith.models").joinpath(TABLE).read_text(encoding="utf-8")
    )
    return rows
