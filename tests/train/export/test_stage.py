"""An export is the model that was measured: same predictions, same tokens, whole lineage, nothing overwritten."""

import shutil
from functools import cache
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from conftest import save_dataset
from release.lineages import report_of
from tunesmith.artifacts.adapter import BaseModelId
from tunesmith.artifacts.export import Export
from tunesmith.core.conversation import Message
from tunesmith.core.workspace import Workspace
from tunesmith.errors import DoesNotFitError, ModelError, RecipeError
from tunesmith.models.config import ModelConfig
from tunesmith.models.gguf import read_gguf
from tunesmith.models.loading import load_model
from tunesmith.models.provenance import as_published, repository_of
from tunesmith.models.reference import resolve
from tunesmith.models.template import ChatTemplate
from tunesmith.train import stage as training
from tunesmith.train.config import TrainConfig
from tunesmith.train.export import stage
from tunesmith.train.export.card import Lineage
from tunesmith.train.export.config import ExportConfig, read_options

PAIRS = [(letter, letter.upper() * 2) for letter in "abcdefgh"]
QUICK = {"rank": 4, "epochs": 2, "batch_size": 4, "learning_rate": 1e-2, "evaluations": 0}
IDS = torch.arange(3, 60)[None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_model):
    """Trains in some way, once for all tests, and gives what an export starts from."""
    root = tmp_path_factory.mktemp("exports")
    (root / "tunesmith.yaml").write_text("name: tiny\n")
    workspace = Workspace(root)
    dataset = save_dataset(workspace, PAIRS, PAIRS[:3])
    model = ModelConfig(base=str(tiny_model))

    @cache
    def train(method, variant="lora"):
        inputs = training.TrainInputs(dataset, model, "tiny")
        config = TrainConfig(method=method, variant=variant, **QUICK)
        adapter = training.run(config, workspace, inputs, is_quiet=True)
        return workspace, stage.ExportInputs(Lineage(adapter, dataset, None), model)

    return train


def exported(given, folder, **options):
    workspace, inputs = given
    config = ExportConfig.model_validate(options)
    return stage.run(config, workspace, inputs._replace(output=folder), is_quiet=True)


def logits_of(model):
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits.float()


def adapter_on_base(given, quantization):
    """What is served: the adapter in plain peft over the base held in this way, in float32."""
    workspace, inputs = given
    resolved = resolve(inputs.model, workspace.root)
    base = load_model(resolved, inputs.model, quantization=quantization, precision="float32")
    return PeftModel.from_pretrained(base.model, inputs.lineage.adapter.weights_folder(workspace))


@pytest.mark.parametrize(
    ("way", "numbers", "tolerance"),
    [
        (("qlora",), "float32", 1e-5),
        (("qlora",), "bfloat16", 0.02),
        (("lora", "dora"), "float32", 1e-5),
    ],
)
def test_a_merged_model_has_the_logits_of_the_adapter_on_its_base(
    way, numbers, tolerance, trained, tmp_path
):
    given = trained(*way)

    made = exported(given, tmp_path / "out", format="merged", numbers=numbers)

    merged = AutoModelForCausalLM.from_pretrained(made.folder, dtype=torch.float32)
    expected = logits_of(adapter_on_base(given, made.export.base.quantization))
    torch.testing.assert_close(logits_of(merged), expected, rtol=0, atol=tolerance)
    assert made.export.fidelity.largest_difference <= tolerance
    is_rounded = made.export.fidelity.mean_divergence >= 1e-3
    assert is_rounded == any("rounds away" in note for note in made.export.notes)
    assert made.export.fidelity.same_choice == 1
    with safe_open(made.folder / "model.safetensors", framework="pt") as tensors:
        assert tensors.get_tensor("model.norm.weight").dtype == getattr(torch, numbers)
    ends = merged.generation_config.eos_token_id
    assert ChatTemplate(AutoTokenizer.from_pretrained(made.folder)).end_ids == set(ends)


def test_where_nf4_rounding_changes_predictions_it_is_measured_and_said(trained, tmp_path):
    given = trained("qlora")

    made = exported(given, tmp_path / "one", numbers="float32")
    plain = exported(given, tmp_path / "other", numbers="float32", into_plain_base=True)

    expected = logits_of(adapter_on_base(given, "none"))
    merged = AutoModelForCausalLM.from_pretrained(plain.folder)
    torch.testing.assert_close(logits_of(merged), expected, rtol=0, atol=1e-5)
    measured = made.export.over_plain_base.largest_difference
    assert measured > 1e-3
    assert measured == pytest.approx(plain.export.fidelity.largest_difference, rel=1e-3)
    assert "nf4 values that training used" in made.export.notes[0]
    assert made.export.notes[0] in (made.folder / "README.md").read_text()


def test_a_gguf_file_answers_with_the_tokens_and_logits_of_the_trained_model(trained, tmp_path):
    given = trained("qlora")

    made = exported(given, tmp_path / "out", format="gguf")

    name = "tiny.q8_0.gguf"
    model, tokenizer = read_gguf(made.folder / name, precision="float32")
    divergence = torch.nn.functional.kl_div(
        logits_of(model).log_softmax(-1),
        logits_of(adapter_on_base(given, "nf4")).log_softmax(-1),
        log_target=True,
        reduction="batchmean",
    )
    assert divergence / IDS.shape[1] < 0.02
    question = (Message(role="user", content="what's 12?"),)
    plain = AutoTokenizer.from_pretrained(given[1].model.base)
    assert ChatTemplate(tokenizer).encode_prompt(question) == ChatTemplate(plain).encode_prompt(
        question
    )
    lines = (made.folder / "Modelfile").read_text().splitlines()
    assert lines[0] == f"FROM ./{name}"
    assert 'PARAMETER stop "<|im_end|>"' in lines


def test_an_adapter_export_loads_in_peft_and_its_card_tells_the_lineage(trained):
    workspace, inputs = trained("qlora")
    lineage = inputs.lineage
    report = report_of(workspace, lineage.adapter, tuned=18)
    inputs = inputs._replace(lineage=lineage._replace(report=report))

    made = exported((workspace, inputs), None, format="adapter")

    base = AutoModelForCausalLM.from_pretrained(inputs.model.base)
    assert PeftModel.from_pretrained(base, made.folder).peft_config["default"].r == 4
    card = (made.folder / "README.md").read_text()
    assert card.startswith("---\nlicense: other\nlibrary_name: peft\n")
    assert str(inputs.model.base) not in card  # a path of this machine is nobody's business
    for fact in ("90.0 %", lineage.dataset.id, "rank 4", "PeftModel", report.golden_set_id):
        assert fact in card
    manifest = Export.load(workspace, made.export.id)
    assert manifest == made.export
    assert manifest.parents == (lineage.adapter.id, report.id)
    assert set(manifest.files) == {
        str(path.relative_to(made.folder)) for path in made.folder.rglob("*") if path.is_file()
    } - {"manifest.json"}


@pytest.mark.parametrize("form", ["adapter", "merged", "gguf"])
def test_no_file_tells_where_the_base_lies_on_this_machine(form, trained, tmp_path):
    given = workspace, inputs = trained("qlora")
    base = inputs.lineage.adapter.base
    assert Path(base.reference).is_absolute()

    made = exported(given, tmp_path / "out", format=form)

    written = [path for path in made.folder.rglob("*") if path.is_file()]
    private = [str(Path(base.reference).parent).encode(), str(workspace.root).encode()]
    assert [path.name for path in written if any(p in path.read_bytes() for p in private)] == []
    assert made.export.base.name == f"{Path(base.reference).name}@{base.revision}"


def test_a_folder_that_is_called_like_a_repository_is_not_taken_for_one():
    def base(reference, revision):
        return BaseModelId(
            reference=reference, revision=revision, quantization="none", template_fingerprint=""
        )

    of_hub, of_disk = base("some/model@main", "a" * 40), base("models/mine", "a" * 12)

    assert repository_of(of_hub) == "some/model"
    assert as_published(of_hub) == of_hub
    assert repository_of(of_disk) is None
    assert as_published(of_disk).name == f"mine@{'a' * 12}"


def test_what_memory_surely_does_not_hold_is_refused_before_it_is_loaded(trained, tmp_path):
    workspace, inputs = trained("qlora")
    parameters = sum(
        weight.numel()
        for weight in AutoModelForCausalLM.from_pretrained(inputs.model.base).parameters()
    )

    planned = stage.plan(ExportConfig(), workspace, inputs._replace(output=tmp_path / "out"))

    # The trained model and the one over the plain base, both in float32 on a CPU.
    assert planned.memory_bytes == 2 * 4 * parameters
    stage.require_memory(planned)
    with pytest.raises(DoesNotFitError, match="the export needs about"):
        stage.require_memory(planned._replace(memory_bytes=10**15))


def test_nothing_is_overwritten_and_a_plan_writes_nothing(trained, tmp_path):
    workspace, inputs = trained("lora")
    inputs = inputs._replace(output=tmp_path / "out")

    planned = stage.plan(ExportConfig(), workspace, inputs)
    assert not planned.folder.exists()
    made = exported((workspace, inputs), tmp_path / "out")

    size = (made.folder / "model.safetensors").stat().st_size
    assert planned.bytes == pytest.approx(size, rel=0.1)
    with pytest.raises(RecipeError, match="exists already"):
        exported((workspace, inputs), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_fully_trained_model_is_exported_whole_and_has_no_adapter(trained, tmp_path):
    workspace, inputs = given = trained("full")

    made = exported(given, tmp_path / "out", numbers="float32")

    weights = inputs.lineage.adapter.weights_folder(workspace)
    expected = AutoModelForCausalLM.from_pretrained(weights)
    written = AutoModelForCausalLM.from_pretrained(made.folder)
    torch.testing.assert_close(logits_of(written), logits_of(expected))
    with pytest.raises(RecipeError, match="method: full"):
        exported(given, tmp_path / "other", format="adapter")


def test_an_adapter_of_another_base_is_not_merged_into_this_one(trained, tmp_path):
    workspace, inputs = trained("lora")
    other = shutil.copytree(inputs.model.base, tmp_path / "other")
    inputs = inputs._replace(model=ModelConfig(base=str(other)))

    with pytest.raises(ModelError, match="the recipe's base is"):
        exported((workspace, inputs), tmp_path / "out")


def test_a_failed_export_leaves_nothing_behind(trained, tmp_path):
    workspace, inputs = trained("lora")
    lost = inputs.lineage.adapter.weights_folder(workspace) / "adapter_model.safetensors"
    kept = lost.rename(tmp_path / "kept")

    with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
        exported((workspace, inputs), tmp_path / "made" / "out")

    kept.rename(lost)
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "ggfu"}, "--format"),
        ({"format": "merged", "numbers": "q8_0"}, "q8_0 is a number format of gguf"),
        ({"format": "adapter", "numbers": "float16"}, "numbers: float16"),
        ({"push": "no-owner"}, "--push"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, words):
    with pytest.raises(RecipeError, match=words):
        read_options(options)
