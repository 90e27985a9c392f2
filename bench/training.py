"""Training speed: TRL in three ways and tunesmith, on the same examples in one run.

    python bench/training.py [--data FOLDER] [--epochs 3] [--sides tunesmith,trl-tutorial]

- trl-tutorial: the recipe of the tutorials, with TRL's defaults
- trl-same: that recipe, but it learns what tunesmith learns: answers only, in the same order, without dropout, its
  adapters in float32 (TRL rounds them to bfloat16); so the loss should be tunesmith's
- trl-best: TRL at its fastest: answers only, no gradient checkpointing, rows grouped by length

Without --data (the SNIPS files, see bench/snips/rows.py) the alert rules of `examples/` are used. Every side has a
process of its own and trains the same number of optimizer steps of 8 examples, r=16 on q, k, v and o, over the NF4
weights of the same base. They take turns epoch by epoch, so that a slow minute of the machine meets all of them, and
only their own time counts. The first epoch is warm-up; of the others the fastest counts, because whatever else the
machine does only adds to it. Processor time is told beside wall time: on a machine that
other work shares, with `--threads 1`, it is what can be compared. Needs `pip install trl==1.16.*`.
Prints and writes bench/results/training.json and .png.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from training_sides import ceiling, examples
from training_sides.drawing import draw

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SIDES = HERE / "training_sides"
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj"]
COMMANDS = {
    "trl-tutorial": ["trl_side.py", "tutorial"],
    "trl-same": ["trl_side.py", "same"],
    "trl-best": ["trl_side.py", "best"],
    "tunesmith": ["tunesmith_side.py"],
}
LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes")


class Running(NamedTuple):
    """A side that waits at a border, and how to talk to it."""

    process: subprocess.Popen[bytes]
    call: Any
    told: Any

    def wait(self) -> str:
        """Its next word: `border`, or its report in JSON.

        Raises:
            RuntimeError: If it ended without a report.
        """
        line = str(self.told.readline()).strip()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}; see its log")
        return line


def main() -> None:
    """Prepare, take turns, measure the losses, print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--examples", type=int, default=160)
    parser.add_argument("--validation", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--sides", default=",".join(COMMANDS))
    parser.add_argument("--name", default="training", help="of the files in bench/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = prepare(options, Path(folder))
        sides = take_turns(run, options.sides.split(","))
        losses = yardstick(run, [side["adapter"] for side in sides.values()])
    result = summary(run, sides, losses)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{options.name}.json").write_text(json.dumps(result, indent=2) + "\n")
    draw(result, RESULTS / f"{options.name}.png")
    print(table(result))


def prepare(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Write the rows in each side's format and curate tunesmith's dataset; none of it is timed."""
    from tunesmith.core.conversation import Message
    from tunesmith.models.config import ModelConfig
    from tunesmith.models.loading import load_template
    from tunesmith.models.reference import resolve
    from tunesmith.train.batches import schedule

    chosen = examples.choose(options.data, train=options.examples, validation=options.validation)
    config = ModelConfig()
    resolved = resolve(config, folder)
    template = load_template(resolved, config)

    def turns(row: dict[str, str]) -> list[dict[str, str]]:
        pairs = (
            ("system", chosen.system),
            ("user", row["prompt"]),
            ("assistant", row["completion"]),
        )
        return [{"role": role, "content": content} for role, content in pairs]

    def encode(row: dict[str, str]) -> dict[str, Any]:
        encoded = template.encode_example([Message.model_validate(turn) for turn in turns(row)])
        return {"ids": encoded.ids, "is_trained": encoded.is_trained}

    encoded = [encode(row) for row in chosen.train]
    run = {
        "data": chosen.name,
        "base": str(resolved.folder),
        "workspace": str(folder / "workspace"),
        "trl_output": str(folder / "trl"),
        "message_rows": str(folder / "messages.jsonl"),
        "prompt_completion_rows": str(folder / "prompt_completion.jsonl"),
        "validation_rows": str(folder / "validation.json"),
        "examples": len(chosen.train),
        "tokens": sum(len(row["ids"]) for row in encoded),
        "trained_tokens": sum(sum(row["is_trained"]) for row in encoded),
        "batch_size": 8,
        "epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "warmup_steps": max(1, options.epochs * len(chosen.train) // 8 // 20),
        "rank": 16,
        "alpha": 32,
        "targets": TARGETS,
        "seed": 0,
        "threads": options.threads,
    }
    steps = schedule(
        len(chosen.train), batch_size=run["batch_size"], epochs=run["epochs"], seed=run["seed"]
    )
    run["order"] = [place for step in steps for place in step]
    write_lines(run["message_rows"], [{"messages": turns(row)} for row in chosen.train])
    write_lines(
        run["prompt_completion_rows"],
        [{"prompt": turns(row)[:2], "completion": turns(row)[2:]} for row in chosen.train],
    )
    Path(run["validation_rows"]).write_text(json.dumps([encode(row) for row in chosen.validation]))
    curate(run, chosen)
    (folder / "run.json").write_text(json.dumps(run))
    return run | {"path": str(folder / "run.json")}


def curate(run: dict[str, Any], chosen: examples.Examples) -> None:
    """Make tunesmith's dataset of exactly the training rows."""
    workspace = Path(run["workspace"])
    workspace.mkdir()
    write_lines(workspace / "train.jsonl", chosen.train)
    write_lines(workspace / "golden.jsonl", chosen.validation)
    share = run["warmup_steps"] / (run["epochs"] * run["examples"] / run["batch_size"])
    recipe = {
        "name": "bench",
        "curate": {
            "sources": ["train.jsonl"],
            "golden": "golden.jsonl",
            "validation_share": 0,
            "system": chosen.system,
        },
        "train": {
            "epochs": run["epochs"],
            "batch_size": run["batch_size"],
            "learning_rate": run["learning_rate"],
            "rank": run["rank"],
            "alpha": run["alpha"],
            "targets": run["targets"],
            "warmup_share": share,
            "evaluations": 0,
            "seed": run["seed"],
        },
    }
    (workspace / "tunesmith.yaml").write_text(json.dumps(recipe))
    code = (
        f"from tunesmith.cli.main import app; app(['curate', '-C', {str(workspace)!r}, '--json'])"
    )
    made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    kept = json.loads(next(workspace.glob(".tunesmith/datasets/*/manifest.json")).read_text())
    if kept["train_count"] != run["examples"]:
        raise RuntimeError(f"{kept['train_count']} of {run['examples']} rows kept: {made.stdout}")


def take_turns(run: dict[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    """Start the sides one after the other, then call them in turn for one epoch each; their reports by name."""
    running = {}
    for name in names:
        print(f"starting {name}", flush=True)
        running[name] = start(name, run)
        running[name].wait()
    reports: dict[str, dict[str, Any]] = {}
    for epoch in range(run["epochs"]):
        for name, side in running.items():
            began = time.monotonic()
            print("go", file=side.call, flush=True)
            word = side.wait()
            print(f"epoch {epoch + 1} {name}: {time.monotonic() - began:.1f} s", flush=True)
            if word != "border":
                reports[name] = json.loads(word)
                side.process.wait()
    return reports


def start(name: str, run: dict[str, Any]) -> Running:
    """A process of this side, its output in a log beside the rows."""
    script, *words = COMMANDS[name]
    called, call = os.pipe()
    told, tells = os.pipe()
    environment = {
        "PACE_CALLED": str(called),
        "PACE_TELLS": str(tells),
        "PACE_STARTED": str(time.time()),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(run["threads"]),
    }
    log = Path(tempfile.gettempdir()) / f"bench-training-{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, SIDES / script, *words, run["path"]],
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(called, tells),
            env=os.environ | environment,
        )
    os.close(called)
    os.close(tells)
    return Running(process, os.fdopen(call, "w"), os.fdopen(told))


def yardstick(run: dict[str, Any], adapters: list[str]) -> dict[str, float]:
    """Loss of the base and of every adapter, by folder."""
    command = [sys.executable, SIDES / "yardstick.py", run["path"], *adapters]
    environment = os.environ | {"OMP_NUM_THREADS": str(run["threads"])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def summary(
    run: dict[str, Any], sides: dict[str, dict[str, Any]], losses: dict[str, float]
) -> dict[str, Any]:
    """All numbers, and each side's ratio to the tutorial recipe.

    Real tokens are those of TRL's own tokenization, which also counts the newline after an answer, for all sides.
    """
    step_tokens = run["tokens"] * run["batch_size"] // run["examples"]
    limit = ceiling.measure(run["base"], step_tokens, threads=run["threads"])
    real = max(side["tokens"] for side in sides.values())
    least = limit.seconds(run["tokens"], run["trained_tokens"])
    rows = {}
    for name, side in sides.items():
        seconds, processor = (
            min(times[1:] or times)
            for times in (side["epoch_seconds"], side["epoch_processor_seconds"])
        )
        rows[name] = {
            "epoch_seconds": seconds,
            "tokens_per_second": real / seconds,
            "epoch_processor_seconds": processor,
            "tokens_per_processor_second": real / processor,
            "processor_seconds": side["processor_seconds"],
            "first_step_seconds": side["first_step_seconds"],
            "end_to_end_seconds": side["end_to_end_seconds"],
            "peak_gib": side["peak_bytes"] / 2**30,
            "eval_loss": losses[side["adapter"]],
            "share_of_ceiling": least / (processor if run["threads"] == 1 else seconds),
            "steps": side["steps"],
            "all_epoch_seconds": side["epoch_seconds"],
            "all_epoch_processor_seconds": side["epoch_processor_seconds"],
        }
    if tutorial := rows.get("trl-tutorial"):
        for row in rows.values():
            row["speed_ratio"] = tutorial["epoch_seconds"] / row["epoch_seconds"]
            row["processor_ratio"] = (
                tutorial["epoch_processor_seconds"] / row["epoch_processor_seconds"]
            )
            row["end_to_end_processor_ratio"] = (
                tutorial["processor_seconds"] / row["processor_seconds"]
            )
            row["end_to_end_ratio"] = tutorial["end_to_end_seconds"] / row["end_to_end_seconds"]
            row["loss_ratio"] = row["eval_loss"] / tutorial["eval_loss"]
    settings = (
        "data",
        "examples",
        "tokens",
        "trained_tokens",
        "batch_size",
        "epochs",
        "learning_rate",
        "threads",
    )
    return {
        "sides": rows,
        "base_loss": losses["base"],
        "real_tokens": real,
        **{key: run[key] for key in settings},
        "gemm_gflops": limit.operations_per_second / 1e9,
        "cpus": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


COLUMNS = {
    "s/epoch": ("epoch_seconds", ".1f"),
    "tokens/s": ("tokens_per_second", ".0f"),
    "ratio": ("speed_ratio", ".2f"),
    "tokens/processor-s": ("tokens_per_processor_second", ".0f"),
    "ratio ": ("processor_ratio", ".2f"),
    "first step, s": ("first_step_seconds", ".1f"),
    "end to end, s": ("end_to_end_seconds", ".1f"),
    "ratio  ": ("end_to_end_ratio", ".2f"),
    "processor-s": ("processor_seconds", ".0f"),
    "ratio   ": ("end_to_end_processor_ratio", ".2f"),
    "peak GiB": ("peak_gib", ".2f"),
    "loss": ("eval_loss", ".4f"),
    "of ceiling": ("share_of_ceiling", ".0%"),
}


def table(result: dict[str, Any]) -> str:
    """The numbers as a Markdown table."""
    lines = [" | ".join(["side", *COLUMNS]), " | ".join("---" for _ in range(len(COLUMNS) + 1))]
    lines += [
        " | ".join([name, *(format(row.get(key, 1.0), form) for key, form in COLUMNS.values())])
        for name, row in result["sides"].items()
    ]
    lines.append(f"bf16 products at the model's shapes: {result['gemm_gflops']:.0f} GFLOP/s")
    return "\n".join(lines)


def write_lines(path: str | Path, rows: list[Any]) -> None:
    """JSON Lines."""
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


if __name__ == "__main__":
    main()
