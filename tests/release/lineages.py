"""Makes adapters with real safetensors files, and reports with numbers as a test wants them."""

import json

import numpy
from safetensors.numpy import save_file

from tunesmith.artifacts.adapter import Adapter, BaseModelId, TrainMetrics
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.eval_report import Change, EvalReport, Generated, GraderResult, Rate
from tunesmith.artifacts.golden_set import GoldenSet

BASE = BaseModelId(
    reference="owner/small", revision="0123abcd", quantization="nf4", template_fingerprint="f00d"
)
HISTORY = [
    {"loss": 2.0, "learning_rate": 1e-3, "epoch": 0.5, "step": 1},
    {"eval_loss": 1.5, "eval_runtime": 0.1, "epoch": 0.5, "step": 1},
    {"loss": 1.0, "learning_rate": 5e-4, "epoch": 1.0, "step": 2},
    {"eval_loss": 0.75, "epoch": 1.0, "step": 2},
    {"train_runtime": 3.0, "epoch": 1.0, "step": 2},
]


def adapter_of(workspace, dataset, *, seed: int = 0) -> Adapter:
    adapter = Adapter(
        id=f"ad_{seed:012d}",
        parents=(dataset.id,),
        name="support-bot",
        method="qlora",
        base=BASE,
        dataset_id=dataset.id,
        settings={"rank": 8, "learning_rate": 1e-3, "targets": ["q_proj", "v_proj"], "seed": seed},
        libraries={"torch": "2.13.0"},
        metrics=TrainMetrics(
            train_loss=1.0,
            validation_loss=0.75,
            best_step=2,
            steps=2,
            epochs=1.0,
            trained_tokens=10,
            seen_tokens=40,
            seconds=3.0,
            tokens_per_second=13.3,
        ),
    )
    weights = adapter.weights_folder(workspace)
    weights.mkdir(parents=True, exist_ok=True)
    matrix = numpy.random.default_rng(seed).normal(size=(8, 4)).astype(numpy.float32)
    save_file({"lora_A.weight": matrix}, weights / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "owner/small"}
    (weights / "adapter_config.json").write_text(json.dumps(settings))
    (weights / "chat_templates").mkdir(exist_ok=True)
    (weights / "chat_templates" / "default.jinja").write_text("{{ messages }}")
    write_lines(adapter.history_path(workspace), HISTORY)
    adapter.plot_path(workspace).write_bytes(b"\x89PNG\r\n\x1a\n")
    return adapter.save(workspace)


def golden_set_of(workspace) -> GoldenSet:
    return GoldenSet(id="gold_0123456789ab", count=20, origin="golden.jsonl").save(workspace)


def report_of(workspace, adapter: Adapter, *, tuned: int = 18, low: float = 0.2) -> EvalReport:
    """Of 20 cases the base passes 10 and the tuned model `tuned`; the gain is at least `low`."""
    gain = (tuned - 10) / 20
    report = EvalReport(
        id=f"eval_{adapter.id[3:11]}{tuned:02d}",
        parents=(adapter.id,),
        adapter_id=adapter.id,
        dataset_id=adapter.dataset_id,
        golden_set_id="gold_0123456789ab",
        base_name=adapter.base.name,
        tuned_name=adapter.name,
        results=(
            GraderResult(
                grader="exact",
                is_secondary=False,
                base=Rate(passed=10, graded=20, ungraded=0, mean=0.5, low=0.299, high=0.701),
                tuned=Rate(
                    passed=tuned, graded=20, ungraded=0, mean=tuned / 20, low=0.699, high=0.972
                ),
                change=Change(
                    mean=gain, low=low, high=0.6, only_base=0, only_tuned=tuned - 10, p_value=0.008
                ),
            ),
        ),
        base_cost=Generated(seconds=1.0, prompt_tokens=100, completion_tokens=50),
        tuned_cost=Generated(seconds=1.0, prompt_tokens=100, completion_tokens=40),
    )
    page = report.html_path(workspace)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("<!doctype html><title>report</title>")
    return report.save(workspace)
