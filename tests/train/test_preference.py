"""Preference tuning: the right tokens, the loss of the papers, the base as reference, and a model that prefers."""

import pytest
import torch
from peft import PeftModel
from torch.nn.functional import logsigmoid

from train.apart import started_apart, verdicts_in
from tunesmith.core.conversation import Message, Pair, Thumb
from tunesmith.errors import DataError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train import stage
from tunesmith.train.adapters import make_trainable
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import TrainInputs
from tunesmith.train.preference import preference_trainer
from tunesmith.train.verdict_rows import encode_verdicts, is_learnt, require_rows

OBJECTIVES = ["dpo", "orpo", "kto"]
BETA = 0.3


def pair(question: str, chosen: str, rejected: str) -> Pair:
    turns = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hello"),
        Message(role="assistant", content="Hi."),
        Message(role="user", content=question),
        Message(role="assistant", content=chosen),
    )
    return Pair(messages=turns, rejected=rejected)


PAIRS = [pair("one", "yes, one", "no"), pair("two", "yes", "no, not two"), pair("3", "yes", "no")]


@pytest.fixture
def base(tiny_model, tmp_path):
    config = ModelConfig(base=str(tiny_model))
    return load_model(resolve(config, tmp_path), config, quantization="none", precision="float32")


def trainer_of(base, objective: str, folder):
    """A trainer whose first batch holds all pairs; for `kto` every answer is a thumb."""
    size = len(PAIRS) * (2 if objective == "kto" else 1)
    config = TrainConfig(method="lora", objective=objective, beta=BETA, batch_size=size, rank=4)
    verdicts = encode_verdicts(config, base.template, PAIRS)
    return preference_trainer(
        config,
        make_trainable(base.model, config),
        (verdicts, verdicts),
        token_budget=2048,
        arguments={"output_dir": str(folder), "report_to": "none", "use_cpu": True}
        | {"remove_unused_columns": False, "disable_tqdm": True},
        processing_class=base.template.tokenizer,
    )


def disturb(model) -> None:
    """Let the adapter do something: B is zero at the start."""
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)


def log_probabilities(model, sequences) -> torch.Tensor:
    """Of each answer, from plain logits, one row at a time."""
    found = []
    for ids, is_trained in sequences:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
        tokens = logits.log_softmax(-1)[range(len(ids) - 1), ids[1:]]
        found.append(tokens[torch.tensor(is_trained[1:])].sum())
    return torch.stack(found)


def held_bytes(model) -> int:
    """Memory behind a model's parameters, what several share counted once."""
    storages = [parameter.untyped_storage() for parameter in model.parameters()]
    return sum({each.data_ptr(): each.nbytes() for each in storages}.values())


def answers(template):
    """Chosen answers, then rejected ones, each after its prompt."""
    return [
        template.encode_answers([(*each.prompt, Message(role="assistant", content=text))])[0]
        for texts in ([p.answer for p in PAIRS], [p.rejected for p in PAIRS])
        for each, text in zip(PAIRS, texts, strict=True)
    ]


def fed(batch, objective: str) -> list[tuple[list[int], list[bool]]]:
    """What TRL's collator gives the model: tokens and which of them are judged, without padding."""
    sides = {"": "completion_mask"}
    if objective == "orpo":
        sides = {"chosen_": "chosen_labels", "rejected_": "rejected_labels"}
    rows = []
    for prefix, judged in sides.items():
        columns = (batch[f"{prefix}{name}"] for name in ("input_ids", "attention_mask"))
        for ids, mask, flags in zip(*columns, batch[judged], strict=True):
            is_judged = flags != -100 if objective == "orpo" else flags == 1
            rows.append((ids[mask == 1].tolist(), is_judged[mask == 1].tolist()))
    return rows


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_model_is_fed_what_serving_sends_and_is_taught_to_end(base, tmp_path, objective):
    trainer = trainer_of(base, objective, tmp_path)

    (batch,) = trainer.get_train_dataloader()

    expected = answers(base.template)
    for each, encoded in zip([*PAIRS, *PAIRS], expected, strict=True):
        prompt = base.template.encode_prompt(each.prompt)
        assert encoded.ids[: len(prompt)] == prompt
        assert encoded.is_trained.index(True) == len(prompt)
        assert encoded.ids[-1] in base.template.end_ids
    assert sorted(fed(batch, objective)) == sorted(map(tuple, expected))


def assert_each_has_its_neighbours_answer(swapped, matched) -> None:
    for number, (ids, is_answer) in enumerate(swapped):
        before, is_before = matched[number - 1]
        assert ids[: is_answer.index(True)] == matched[number][0][: is_answer.index(True)]
        assert ids[is_answer.index(True) :] == before[is_before.index(True) :]


def by_hand(objective: str, now: torch.Tensor, before: torch.Tensor, lengths: torch.Tensor, kl):
    """The loss of the paper from log-probabilities of chosen, then rejected answers."""
    chosen, rejected = (now - before).chunk(2)
    if objective == "dpo":  # Rafailov et al. (2023), equation 7
        return -logsigmoid(BETA * (chosen - rejected)).mean()
    if (
        objective == "kto"
    ):  # Ethayarajh et al. (2024), equations 7 and 8, both sides weighing the same
        value = [torch.sigmoid(BETA * (chosen - kl)), torch.sigmoid(BETA * (kl - rejected))]
        return (1 - torch.cat(value)).mean()
    # Hong, Lee and Thorne (2024), equations 3 to 7
    mean = now / lengths
    odds = mean - torch.log1p(-mean.exp())
    better, worse = odds.chunk(2)
    half = len(PAIRS)
    imitation = -now[:half].sum() / lengths[:half].sum()
    return imitation - BETA * logsigmoid(better - worse).mean()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_loss_of_a_batch_is_the_papers_from_plain_log_probabilities(base, tmp_path, objective):
    sequences = answers(base.template)
    before = log_probabilities(base.model, sequences)
    trainer = trainer_of(base, objective, tmp_path)
    disturb(trainer.model)
    (batch,) = trainer.get_train_dataloader()
    kl = 0.0
    if objective == "kto":
        swapped = fed({k.removeprefix("KL_"): v for k, v in batch.items() if "KL_" in k}, "kto")
        assert_each_has_its_neighbours_answer(swapped, fed(batch, "kto"))
        with trainer.model.disable_adapter():
            unmoved = log_probabilities(trainer.model, swapped)
        kl = max((log_probabilities(trainer.model, swapped) - unmoved).mean().item(), 0.0)

    loss = trainer.compute_loss(trainer.model, batch).item()

    now = log_probabilities(trainer.model, sequences)
    lengths = torch.tensor([sum(encoded.is_trained) for encoded in sequences])
    assert loss == pytest.approx(by_hand(objective, now, before, lengths, kl).item(), rel=1e-5)
    assert (
        now - before
    ).abs().min() > 0.05  # the adapter does something, or the check says nothing
    assert kl > 0 or objective != "kto"


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_the_reference_is_the_base_and_no_copy_of_model_or_adapter_is_kept(
    base, tmp_path, objective
):
    expected = sorted(log_probabilities(base.model, answers(base.template)).tolist())
    before = held_bytes(base.model)

    trainer = trainer_of(base, objective, tmp_path)

    adapter = [each for each in trainer.model.parameters() if each.requires_grad]
    assert trainer.ref_model is None
    assert list(trainer.model.peft_config) == ["default"]
    assert held_bytes(trainer.model) == before + sum(each.nbytes for each in adapter)
    columns = ["ref_logps"] if objective == "kto" else ["ref_chosen_logps", "ref_rejected_logps"]
    measured = [number for name in columns for number in trainer.train_dataset[name]]
    assert sorted(measured) == pytest.approx(expected, rel=1e-5)


def test_an_adapter_that_is_trained_on_is_its_own_reference(base, tmp_path):
    config = TrainConfig(method="lora", objective="dpo", batch_size=3, rank=4)
    model = make_trainable(base.model, config)
    disturb(model)
    expected = log_probabilities(model, answers(base.template))
    verdicts = encode_verdicts(config, base.template, PAIRS)
    none = verdicts._replace(rows=[])

    trainer = preference_trainer(
        config,
        model,
        (verdicts, none),
        token_budget=2048,
        arguments={"output_dir": str(tmp_path), "report_to": "none", "use_cpu": True},
        processing_class=base.template.tokenizer,
    )

    data = trainer.train_dataset
    measured = [*data["ref_chosen_logps"], *data["ref_rejected_logps"]]
    assert measured == pytest.approx(expected.tolist(), rel=1e-5)


def test_too_long_verdicts_are_set_aside_whole_and_missing_ones_are_named(base):
    thumb = Thumb(messages=PAIRS[0].messages, is_good=False)
    longest = pair("four", "yes", "no, never, in no way, not at all and by no means" * 3)
    config = TrainConfig(objective="kto", sequence_length=150)

    found = encode_verdicts(config, base.template, [*PAIRS, thumb, longest])

    assert [row["label"] for row in found.rows] == [True, False] * 3 + [False]
    assert found.too_long == [longest]
    assert [is_learnt(row, "dpo") for row in (thumb, longest)] == [False, True]
    with pytest.raises(DataError, match="dpo learns from pairs, and the dataset has none"):
        require_rows(found._replace(rows=[]).split(), "dpo")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_after_training_the_chosen_answer_is_preferred_where_it_was_never_shown(
    workspace, tiny_model, base, objective
):
    dataset = verdicts_in(workspace)
    sides = [
        [
            base.template.encode_answers([(*each.prompt, Message(role="assistant", content=text))])[
                0
            ]
            for each in dataset.rows(workspace, "validation")
        ]
        for text in ("yes", "no")
    ]
    before = log_probabilities(base.model, sides[0]) - log_probabilities(base.model, sides[1])
    config = TrainConfig(
        method="lora", objective=objective, epochs=4, batch_size=4, learning_rate=5e-3
    )

    adapter = stage.run(
        config,
        workspace,
        TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny"),
        is_quiet=True,
    )

    tuned = PeftModel.from_pretrained(base.model, adapter.weights_folder(workspace))
    after = log_probabilities(tuned, sides[0]) - log_probabilities(tuned, sides[1])
    assert (after - before).min() > 1  # e times as likely, against the other answer, as before
    assert adapter.metrics.reward_margin > 0
    assert adapter.metrics.reward_accuracy == (None if objective == "kto" else 1)
    assert adapter.metrics.validation_loss < 0.69 or objective == "orpo"
    assert adapter.settings["objective"] == objective
    assert adapter.libraries["trl"].startswith("1.16")
    assert adapter.dataset_id == dataset.id
    assert adapter.plot_path(workspace).read_bytes().startswith(b"\x89PNG")
    assert not list(adapter.folder(workspace).rglob("*.bin"))


def test_a_killed_run_goes_on_to_where_an_undisturbed_one_ends(workspace, tiny_model):
    dataset = verdicts_in(workspace)
    config = TrainConfig(
        method="lora", objective="dpo", epochs=12, batch_size=4, learning_rate=1e-3, evaluations=24
    )
    inputs = TrainInputs(dataset, ModelConfig(base=str(tiny_model)), "tiny")
    undisturbed = stage.run(config, workspace, inputs, is_quiet=True)
    victim = started_apart(workspace, dataset, tiny_model, config)
    victim.kill()
    victim.wait()

    resumed = stage.run(config, workspace, inputs, is_resumed=True, is_quiet=True)

    assert resumed.metrics.seen_tokens < undisturbed.metrics.seen_tokens  # it did not start anew
    assert resumed.metrics.train_loss == pytest.approx(undisturbed.metrics.train_loss, abs=1e-4)
    assert resumed.id == undisturbed.id


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"beta": 0.2}, "objective: sft has no beta"),
        ({"objective": "kto", "batch_size": 1}, "kto compares the verdicts of a step"),
    ],
)
def test_settings_that_contradict_the_objective_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        TrainConfig(**settings)
