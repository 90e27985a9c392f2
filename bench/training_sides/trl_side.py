"""TRL's SFTTrainer in one of three ways; see bench/training.py.

python bench/training_sides/trl_side.py tutorial|same|best RUN_JSON
"""

import json
import sys
from pathlib import Path
from typing import Any

from pace import Pace


def main() -> None:
    """Train one adapter and report."""
    way, run = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    learns_answers, epochs = way != "tutorial", run["epochs"]
    pace = Pace()
    import torch
    from datasets import load_dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(run["base"])
    tokenizer.pad_token = tokenizer.unk_token if learns_answers else tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(
        run["base"],
        dtype=torch.bfloat16,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        ),
    )
    rows = run["prompt_completion_rows" if learns_answers else "message_rows"]
    dataset = load_dataset("json", data_files=rows, split="train")
    options: dict[str, Any] = {"completion_only_loss": True} if learns_answers else {}
    if way == "best":
        # Packing needs flash attention, which no CPU has; rows of near length need less padding instead.
        options |= {
            "gradient_checkpointing": False,
            "train_sampling_strategy": "group_by_length",
        }
    elif way == "same":
        dataset, epochs = dataset.select(run["order"]), 1
        options["train_sampling_strategy"] = "sequential"
    steps = run["examples"] // run["batch_size"]
    pace.watch(SFTTrainer, calls_a_step=2, steps_an_epoch=steps)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=run["trl_output"],
            num_train_epochs=epochs,
            per_device_train_batch_size=run["batch_size"] // 2,
            gradient_accumulation_steps=2,
            learning_rate=run["learning_rate"],
            lr_scheduler_type="linear",
            warmup_steps=run["warmup_steps"],
            weight_decay=0.0,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            seed=run["seed"],
            **options,
        ),
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=run["rank"],
            lora_alpha=run["alpha"],
            lora_dropout=0.0 if learns_answers else 0.05,
            target_modules=run["targets"],
            task_type="CAUSAL_LM",
        ),
    )
    if way == "same":
        for parameter in trainer.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    trainer.train()
    pace.finish()
    folder = Path(run["trl_output"]) / way
    trainer.save_model(str(folder))
    pace.report(
        adapter=str(folder),
        tokens=sum(map(len, trainer.train_dataset["input_ids"])) * epochs // run["epochs"],
        steps=trainer.state.global_step,
    )


if __name__ == "__main__":
    main()
