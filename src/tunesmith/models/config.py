"""The `model:` section of a recipe."""

from tunesmith.core.section import Section

BUNDLED_NAME = "smollm2-135m-instruct"


class ModelConfig(Section):
    """Which base model. How its weights are held follows from `train.method`, in serving as in training."""

    base: str = BUNDLED_NAME
    """`owner/name@revision` of a hub, a folder, a .gguf file, or the bundled `smollm2-135m-instruct`."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. Off: such models are refused."""
