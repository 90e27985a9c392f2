"""What is exported, and in which form."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, ValidationError, model_validator

from tunesmith.artifacts.export import ExportFormat, NumberFormat
from tunesmith.core.section import Section
from tunesmith.errors import RecipeError

DEFAULTS: dict[ExportFormat, NumberFormat] = {"merged": "bfloat16", "gguf": "q8_0"}


class ExportConfig(Section):
    """One export, as the command line asks for it."""

    format: ExportFormat = "merged"
    """`adapter`: peft's folder with a model card; `merged`: one plain model in safetensors; `gguf`: one file for
    llama.cpp and Ollama with a Modelfile."""
    numbers: NumberFormat | None = None
    """How weights are written: `float32`, `float16`, `bfloat16` (the default of `merged`) or, for gguf, `q8_0`
    (its default: 8 bits in blocks of 32)."""
    into_plain_base: bool = False
    """Merge into the base as published instead of the quantized values the adapter was trained over."""
    push: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """Hub repository to upload to, as `owner/name`; the token comes from the environment."""

    @property
    def number_format(self) -> NumberFormat | None:
        """How weights are written, the format's default filled in."""
        return self.numbers or DEFAULTS.get(self.format)

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.format == "adapter" and (self.numbers or self.into_plain_base):
            what = f"numbers: {self.numbers}" if self.numbers else "into_plain_base: true"
            raise ValueError(
                f"{what} is about merged weights, and format: adapter merges none;"
                " choose format merged or gguf, or leave it out"
            )
        if self.format == "merged" and self.numbers == "q8_0":
            raise ValueError(
                "numbers: q8_0 is a number format of gguf; choose format gguf or bfloat16"
            )
        return self


def read_options(values: Mapping[str, object]) -> ExportConfig:
    """An export as its options on the command line describe it.

    Raises:
        RecipeError: Naming every option that cannot be used.
    """
    try:
        return ExportConfig.model_validate(dict(values))
    except ValidationError as error:
        problems = [
            ": ".join([*(f"--{part}" for part in item["loc"]), item["msg"]])
            for item in error.errors()
        ]
        raise RecipeError("export", [p.replace("Value error, ", "") for p in problems]) from error
