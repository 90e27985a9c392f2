"""QLoRA of a 7B model on one GPU: TRL's tutorial recipe against tunesmith, and Unsloth where it is installed.

    python bench/gpu_training.py [--lengths 1024,4096] [--steps 6] [--tiny]

Nothing is downloaded: a Mistral-7B architecture with random weights is written to a temporary folder (15 GB) first.
Rows are random tokens of exactly the given length, the second half of each an answer; r=16 on all linear layers, 8 rows
an optimizer step. Every side has a process of its own. Prints and writes bench/results/gpu_training.json: tokens/s over
the steps after the first, peak memory, and the share of this GPU's measured bf16 matrix products.
`--tiny` runs a model of 2 small layers, on a CPU as well; it tests this script, and its numbers mean nothing.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
HOLDINGS = {"tunesmith": "packed", "tunesmith-unpacked": "unpacked"}
SIDES = ("trl", *HOLDINGS, "unsloth")
ROWS_A_STEP, RANK = 8, 16
TEMPLATE = (
    "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<unk>"}


def main() -> None:
    """Make the model, run each side at each length, print ratios; `--side` is the child's own call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", default="1024,4096")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.side:
        length = int(options.lengths)
        print(json.dumps(measure(options.side, options.folder, length, options.steps)))
        return
    with tempfile.TemporaryDirectory() as name:
        make_model(Path(name), is_tiny=options.tiny)
        result = compare(Path(name), options)
    print(json.dumps(result, indent=2))
    if not options.tiny:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "gpu_training.json").write_text(json.dumps(result, indent=2) + "\n")


def make_model(folder: Path, *, is_tiny: bool) -> None:
    """Write random weights in bfloat16 and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, MistralConfig, PreTrainedTokenizerFast

    small = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 512,
    }
    config = MistralConfig(**(small if is_tiny else {}), dtype="bfloat16", sliding_window=None)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = {token: number for number, token in enumerate(["<unk>", "<s>", "</s>", *letters])}
    backend = Tokenizer(models.BPE(vocab=tokens, merges=[], unk_token=SPECIAL["unk_token"]))
    backend.add_special_tokens(sorted(set(SPECIAL.values())))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **SPECIAL)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


def compare(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every installed side at every length, each in a process of its own, one after the other."""
    result: dict[str, Any] = {"ceiling_flops": ceiling(), "lengths": {}}
    sides = [side for side in SIDES if side in HOLDINGS or find_spec(side)]
    for length in options.lengths.split(","):
        rows = {}
        for side in sides:
            command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
            command += ["--lengths", length, "--steps", str(options.steps)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            rows[side] = json.loads(done.stdout.splitlines()[-1])
            work = rows[side].pop("flop_per_token") * rows[side]["tokens_per_second"]
            rows[side]["share_of_ceiling"] = work / result["ceiling_flops"]
        if "trl" in rows:
            for row in rows.values():
                row["speed_ratio"] = row["tokens_per_second"] / rows["trl"]["tokens_per_second"]
        result["lengths"][length] = rows
    return result


def measure(side: str, folder: Path, length: int, steps: int) -> dict[str, float]:
    """Tokens/s and peak memory of one side; the first step is warm-up."""
    generator = random.Random(0)
    rows = [
        [generator.randrange(3, 250) for _ in range(length)] for _ in range(ROWS_A_STEP * steps)
    ]
    seconds = (
        tunesmith_seconds(folder, rows, HOLDINGS[side])
        if side in HOLDINGS
        else trl_seconds(side, folder, rows)
    )
    return {
        "tokens_per_second": length * ROWS_A_STEP * (steps - 1) / seconds,
        "peak_gib": peak_bytes() / 2**30,
        "flop_per_token": flop_per_token(folder),
    }


def trl_seconds(side: str, folder: Path, rows: list[list[int]]) -> float:
    """The tutorial recipe: NF4 with double quantization, batch 4 accumulated twice, TRL's defaults."""
    from datasets import Dataset

    model, options = unsloth_model(folder, len(rows[0])) if side == "unsloth" else trl_model(folder)
    import torch
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    ended: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            synchronize()
            ended.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as output:
        SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=output,
                per_device_train_batch_size=ROWS_A_STEP // 2,
                gradient_accumulation_steps=2,
                max_length=len(rows[0]),
                learning_rate=2e-4,
                num_train_epochs=1,
                optim="paged_adamw_32bit" if torch.cuda.is_available() else "adamw_torch",
                save_strategy="no",
                report_to="none",
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=Dataset.from_dict({"input_ids": rows}),
            processing_class=AutoTokenizer.from_pretrained(folder),
            callbacks=[Clock()],
            **options,
        ).train()
    return ended[-1] - ended[0]


def trl_model(folder: Path) -> tuple[Any, dict[str, Any]]:
    """The base in 4 bits, and the adapter's settings for the trainer."""
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        ),
    )
    adapter = LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    return model, {"peft_config": adapter}


def unsloth_model(folder: Path, length: int) -> tuple[Any, dict[str, Any]]:
    """Unsloth's own model, as its notebooks open it; not run here, for lack of its wheels."""
    from unsloth import FastLanguageModel

    model, _ = FastLanguageModel.from_pretrained(
        str(folder), max_seq_length=length, load_in_4bit=True
    )
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    return FastLanguageModel.get_peft_model(model, r=RANK, lora_alpha=32, target_modules=names), {}


def tunesmith_seconds(folder: Path, rows: list[list[int]], holding: Any) -> float:
    """The step of `tunesmith train`, and AdamW; 4-bit weights packed, or unpacked once."""
    import torch

    from tunesmith.models.config import ModelConfig
    from tunesmith.models.loading import load_model
    from tunesmith.models.reference import resolve
    from tunesmith.models.template import Encoded
    from tunesmith.train.adapters import make_trainable
    from tunesmith.train.batches import micro_batches
    from tunesmith.train.config import TrainConfig
    from tunesmith.train.step import loss_sum

    config = ModelConfig(base=str(folder))
    base = load_model(
        resolve(config, folder),
        config,
        quantization="nf4",
        precision="bfloat16",
        holding=holding,
    )
    model = make_trainable(base.model, TrainConfig(rank=RANK)).train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-4)
    half = len(rows[0]) // 2
    encoded = [Encoded(ids, [False] * half + [True] * (len(ids) - half)) for ids in rows]
    ended = []
    for start in range(0, len(encoded), ROWS_A_STEP):
        step = encoded[start : start + ROWS_A_STEP]
        total = sum(example.trained_tokens for example in step)
        for group in micro_batches(step, token_budget=2 * len(rows[0])):
            (loss_sum(model, group, pad_id=0) / total).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        synchronize()
        ended.append(time.perf_counter())
    return ended[-1] - ended[0]


def flop_per_token(folder: Path) -> float:
    """Of the linear layers, forward and to the activations: 4 a weight; recomputation is not counted as work."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    return 4.0 * sum(layer.weight.numel() for layer in layers)


def ceiling(size: int = 8192) -> float:
    """Operations/s of bf16 matrix products here."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = size if device == "cuda" else 512
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in "ab")
    seconds = []
    for _ in range(20):
        synchronize()
        began = time.perf_counter()
        _ = left @ right
        synchronize()
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def synchronize() -> None:
    """Wait for the GPU, where there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_bytes() -> int:
    """Most memory that was allocated: the GPU's, or this process's."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
