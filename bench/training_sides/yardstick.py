"""One measure for every side: mean loss per answer token in float32, plain transformers and peft, row by row.

    python bench/training_sides/yardstick.py RUN_JSON ADAPTER...

Prints JSON: the loss of the base (under the key `base`) and of every adapter.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Measure the base and each adapter over the same NF4-rounded weights."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from tunesmith.models.rounding import nf4_value, round_weights

    run = json.loads(Path(sys.argv[1]).read_text())
    rows = json.loads(Path(run["validation_rows"]).read_text())
    model = AutoModelForCausalLM.from_pretrained(run["base"], dtype=torch.bfloat16)
    round_weights(model, nf4_value)
    model.float().eval()
    losses = {"base": loss(model, rows)}
    for folder in sys.argv[2:]:
        adapted = PeftModel.from_pretrained(model, folder).eval()
        losses[folder] = loss(adapted, rows)
        model = adapted.unload()
    print(json.dumps(losses))


def loss(model: Any, rows: list[dict[str, list[int]]]) -> float:
    """Mean over all trained tokens of all rows, in nats."""
    import torch
    from torch.nn.functional import cross_entropy

    total, count = 0.0, 0
    with torch.inference_mode():
        for row in rows:
            ids, trained = torch.tensor(row["ids"]), torch.tensor(row["is_trained"])
            logits = model(input_ids=ids[None]).logits[0, :-1][trained[1:]]
            total += cross_entropy(logits, ids[1:][trained[1:]], reduction="sum").item()
            count += int(trained[1:].sum())
    return total / count


if __name__ == "__main__":
    main()
