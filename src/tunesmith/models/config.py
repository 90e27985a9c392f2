"""The `model:` section of a recipe."""

from tunesmith.core.section import Section

BUNDLED_NAME = "smollm2-135m-instruct"


class ModelConfig(Section):
    """Which base model. How its weights are held follows from `train.method`, in serving as in training."""

    base: str = BUNDLED_NAME
    """`owner/name@revision` of a hub, a folder, a .gguf file, or the bundled `smollm2-135m-instruct`."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. Off: such models are refused."""
    is_thinking: bool = False
    """Let a template that offers it (Qwen 3) have the model reason before it answers. Off: it is taught to answer
    at once; on: the training answers hold the reasoning too."""

    @property
    def served_name(self) -> str:
        """The model name that asks for the base itself: its hub name, or the last part of its path."""
        name = self.base.partition("@")[0]
        is_path = name.endswith(".gguf") or name.startswith((".", "/", "~")) or name.count("/") > 1
        return name.rpartition("/")[2].removesuffix(".gguf") if is_path else name
