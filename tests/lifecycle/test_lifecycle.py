"""All stages on the real 135M model: what is trained is what is measured, registered and served."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.core.workspace import Workspace
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.opening import Served, open_endpoint
from tunesmith.lifecycle import Lifecycle
from tunesmith.recipe import load

SMALL = [
    "train.epochs=12",
    "train.learning_rate=2e-3",
    "train.evaluations=1",
    "evaluate.secondary=[chrf]",
]
RECIPE = """\
name: house
curate:
  golden: golden.jsonl
  system: Translate the request into one command.
  validation_share: 0
train:
  batch_size: 8
evaluate:
  graders: [normalised]
  max_tokens: 12
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lifecycle(tmp_path_factory) -> Lifecycle:
    """A small house-control case, run through every stage once."""
    root = tmp_path_factory.mktemp("house")
    (root / "tunesmith.yaml").write_text(RECIPE)
    rooms, rows = ["kitchen", "hall", "attic", "cellar", "office", "garage"], []
    for room in rooms:
        rows += [
            (f"switch on the light in the {room}", f"light {room} on"),
            (f"no light in the {room} please", f"light {room} off"),
        ]
    golden = [("switch on the light in the bedroom", "light bedroom on"),
              ("no light in the bathroom please", "light bathroom off")]  # fmt: skip
    for name, pairs in (("data.jsonl", rows), ("golden.jsonl", golden)):
        lines = [json.dumps({"prompt": q, "completion": a}) for q, a in pairs]
        (root / name).write_text("\n".join(lines))
    overrides = [*SMALL, "curate.sources=[data.jsonl]"]
    cycle = Lifecycle(
        load(root / "tunesmith.yaml", overrides).recipe, Workspace(root), is_quiet=True
    )
    assert cycle.run() == ["curate", "train", "evaluate", "release"]
    return cycle


def test_the_tuned_model_is_measured_better_and_the_report_names_its_whole_lineage(lifecycle):
    report = lifecycle.report()

    assert report.primary.base.passed == 0
    assert report.primary.tuned.passed == 2
    assert report.parents == (lifecycle.adapter().id, lifecycle.golden_set().id)
    page = report.html_path(lifecycle.workspace).read_text()
    assert "data:image/png;base64," in page
    assert "light bedroom on" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_second_run_does_nothing_and_a_changed_setting_only_what_depends_on_it(lifecycle):
    assert lifecycle.run() == []

    recipe = lifecycle.recipe
    changed = recipe.model_copy(
        update={"evaluate": recipe.evaluate.model_copy(update={"max_tokens": 13})}
    )
    states = Lifecycle(changed, lifecycle.workspace).states()
    assert [state.freshness for state in states] == ["fresh", "fresh", "stale", "fresh"]
    assert states[2].reason == "changed: evaluate"


def test_plain_peft_generates_the_same_tokens_as_the_engine(lifecycle):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tunesmith.models.reference import resolve
    from tunesmith.models.rounding import nf4_value, round_weights

    workspace, adapter = lifecycle.workspace, lifecycle.adapter()
    folder = adapter.weights_folder(workspace)
    base_folder = resolve(lifecycle.recipe.model, workspace.root).folder
    base = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.bfloat16)
    round_weights(base, nf4_value)
    model = PeftModel.from_pretrained(base.to(torch.float32), folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    case = lifecycle.golden_set().cases(workspace)[0]
    turns = [turn.model_dump() for turn in case.messages]

    ids = tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )
    made = model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]

    endpoint = open_endpoint(
        lifecycle.recipe.model, workspace.root, [Served.of(adapter, workspace)]
    )
    request = Generation(model="house", messages=case.messages, max_tokens=12)
    answer = asyncio.run(endpoint.complete(request))
    asyncio.run(endpoint.close())
    assert tokenizer.decode(made, skip_special_tokens=True) == answer.text == case.expected
    assert len(made) == answer.completion_tokens


def test_base_champion_and_version_answer_by_name_over_http(lifecycle):
    root = lifecycle.workspace.root
    code = "from tunesmith.cli.main import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=root, text=True, **pipes) as server:
        try:
            ready = json.loads(server.stdout.readline())
            with openai.OpenAI(base_url=ready["url"], api_key="unused") as client:
                case = lifecycle.golden_set().cases(lifecycle.workspace)[0]
                turns = [turn.model_dump() for turn in case.messages]
                answers = {
                    name: client.chat.completions.create(model=name, messages=turns, max_tokens=12)
                    .choices[0]
                    .message.content
                    for name in ready["models"]
                }
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate()
    assert (server.returncode, "stopped" in said) == (0, False)
    assert list(answers) == ["smollm2-135m-instruct", "house@1", "house"]
    assert answers["house"] == answers["house@1"] == case.expected
    assert answers["smollm2-135m-instruct"] != case.expected


def test_ctrl_c_in_training_is_resumed_by_the_next_run(lifecycle, tmp_path):
    root = tmp_path / "again"
    shutil.copytree(lifecycle.workspace.root, root, ignore=shutil.ignore_patterns(".tunesmith"))
    words = [
        word for setting in [*SMALL, "curate.sources=[data.jsonl]"] for word in ("--set", setting)
    ]
    words += ["--set", "train.evaluations=24"]
    command = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]
    subprocess.run([*command, "curate", *words], cwd=root, check=True, capture_output=True)
    with subprocess.Popen(
        [*command, "train", *words],
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as training:
        _wait_for(root / ".tunesmith/training", "*/checkpoint-*/trainer_state.json")
        training.send_signal(signal.SIGINT)
        message = training.communicate()[1]
    assert training.returncode == 130
    assert "tunesmith train --resume" in message

    resumed = subprocess.run(
        [*command, "train", "--resume", "--json", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    undisturbed = lifecycle.adapter().metrics.train_loss
    assert json.loads(resumed.stdout)["metrics"]["train_loss"] == pytest.approx(
        undisturbed, abs=1e-4
    )


def test_the_registry_shows_the_four_parts_through_plain_mlflow(lifecycle):
    from mlflow import MlflowClient

    workspace, report = lifecycle.workspace, lifecycle.report()
    client = MlflowClient(f"sqlite:///{workspace.mlflow_database}")
    version = client.get_model_version_by_alias("house", "challenger")
    run = client.get_run(version.run_id)

    assert run.inputs.dataset_inputs[0].dataset.name == lifecycle.dataset().id
    assert version.tags["adapter_id"] == lifecycle.adapter().id
    assert version.tags["base"] == lifecycle.adapter().base.name
    assert any("tuned" in name for name in run.data.metrics)
    assert isinstance(report, EvalReport)


def _wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline, f"no {pattern} in {folder}"
        time.sleep(0.05)
