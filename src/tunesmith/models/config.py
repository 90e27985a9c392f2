"""The `model:` section of a recipe."""

from tunesmith.artifacts.adapter import Quantization
from tunesmith.core.section import Section

BUNDLED_NAME = "smollm2-135m-instruct"


class ModelConfig(Section):
    """Which base model, and how its weights are held: the same in training, evaluation and serving."""

    base: str = BUNDLED_NAME
    """`owner/name@revision` of a hub, a folder, a .gguf file, or the bundled `smollm2-135m-instruct`."""
    quantization: Quantization = "nf4"
    """`nf4` is 4-bit NormalFloat with double quantization (QLoRA); `none` keeps the weights as they are."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. Off: such models are refused."""
