"""Each shortcut gives the loss and the gradients of plain transformers and peft, in every family of chat models."""

import pytest
import torch
from peft import PeftModel

from train.families import FAMILIES, make_family
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.models.template import Encoded
from tunesmith.train import attention, lora, loss, packing
from tunesmith.train.adapters import make_trainable
from tunesmith.train.config import TrainConfig
from tunesmith.train.initialisation import save_adapter
from tunesmith.train.step import loss_sum

LORA = TrainConfig(method="lora", rank=4, alpha=8)
PADDED = {"gemma2"}
"""Families whose attention caps its scores: their rows are padded."""
EXACT, ROUNDED = 1e-5, 0.03
"""Relative difference of all gradients together: in float32, and in bfloat16, whose steps are 0.4 %."""


def rows_of(vocabulary):
    """Five rows behind one beginning, two behind another and one alone; longer than the families' windows of 16."""
    tokens = torch.randint(vocabulary, (400,), generator=torch.Generator().manual_seed(3)).tolist()
    first, second, rest = tokens[:20], tokens[20:34], tokens[34:]
    own = [9, 1, 17, 4, 9, 12, 5, 30]
    rows = []
    for number, length in enumerate(own):
        start = sum(own[:number])
        beginning = first if number < 5 else second if number < 7 else []
        ids = beginning + rest[start : start + length]
        # A row that is trained from its very first own token is predicted by the shared beginning.
        untrained = len(beginning) + (number % 3 if length > 3 else 0)
        rows.append(Encoded(ids, [place >= untrained for place in range(len(ids))]))
    # Two rows go on alike behind their beginning, where one of them is trained already.
    rows[6].ids[14] = rows[5].ids[14]
    return rows


def opened(folder, precision):
    config = ModelConfig(base=str(folder))
    return load_model(resolve(config, folder), config, quantization="none", precision=precision)


def adapted(folder, precision):
    """A model on every shortcut it can take, its adapter not zero."""
    return with_adapter(opened(folder, precision).model)


def with_adapter(base, config=LORA):
    base.set_attn_implementation("eager")
    model = make_trainable(base, config)
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model.train()


def plain_gradients(model, folder, precision, rows, tmp_path):
    """Loss and gradients of the same adapter in peft over transformers, row by row, with nothing of tunesmith's."""
    save_adapter(model, tmp_path)
    base = opened(folder, precision).model
    base.set_attn_implementation("eager")
    plain = PeftModel.from_pretrained(base, tmp_path, is_trainable=True)
    total = 0.0
    for ids, is_trained in rows:
        labels = [token if flag else -100 for token, flag in zip(ids, is_trained, strict=True)]
        out = plain(input_ids=torch.tensor([ids]), labels=torch.tensor([labels]))
        row_loss = out.loss * sum(flag for flag in is_trained[1:])
        row_loss.backward()
        total += row_loss.item()
    return total, gradients(plain)


def gradients(model):
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def difference(left, right):
    """Relative difference over all gradients together; both must have the same ones."""
    assert left.keys() == right.keys()
    squares = sum((left[name] - right[name]).square().sum().item() for name in left)
    return (squares / sum(value.square().sum().item() for value in right.values())) ** 0.5


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request, tmp_path_factory):
    """Name and folder of a tiny model of each family."""
    return request.param, make_family(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize(("precision", "most"), [("float32", EXACT), ("bfloat16", ROUNDED)])
def test_all_shortcuts_together_have_the_gradients_of_plain_peft(family, precision, most, tmp_path):
    name, folder = family
    model = adapted(folder, precision)
    rows = rows_of(model.config.vocab_size)
    is_packing = model.get_base_model().config._attn_implementation == attention.NAME
    assert is_packing == (name not in PADDED)
    expected, plain = plain_gradients(model, folder, precision, rows, tmp_path)

    measured = loss_sum(model, rows, pad_id=0)
    measured.backward()

    assert measured.item() == pytest.approx(expected, rel=EXACT if precision == "float32" else 2e-3)
    assert difference(gradients(model), plain) < most


def test_weights_held_in_4_bits_have_the_gradients_of_the_values_they_stand_for(tiny_model):
    config = ModelConfig(base=str(tiny_model))
    resolved = resolve(config, tiny_model)
    seen = {}
    for holding in ("packed", "unpacked"):
        loaded = load_model(
            resolved, config, quantization="nf4", precision="bfloat16", holding=holding
        )
        model = with_adapter(loaded.model)
        linear = model.get_base_model().model.layers[0].mlp.down_proj
        assert lora.is_packed(linear.base_layer) == (holding == "packed")
        assert linear.forward.__qualname__.startswith("Joined")
        measured = loss_sum(model, rows_of(model.config.vocab_size), pad_id=0)
        measured.backward()
        seen[holding] = measured.item(), gradients(model)

    assert seen["packed"][0] == seen["unpacked"][0]
    assert difference(seen["packed"][1], seen["unpacked"][1]) == 0


def test_layers_that_are_not_joined_have_the_gradients_of_plain_peft(tiny_model, tmp_path):
    # Under a sharded base, layers that read the same input stay apart.
    config = LORA.model_copy(update={"workers": 2, "sharding": "fsdp"})
    model = with_adapter(opened(tiny_model, "float32").model, config)
    rows = rows_of(model.config.vocab_size)
    expected, plain = plain_gradients(model, tiny_model, "float32", rows, tmp_path)

    measured = loss_sum(model, rows, pad_id=0)
    measured.backward()

    assert measured.item() == pytest.approx(expected, rel=EXACT)
    assert difference(gradients(model), plain) < EXACT


def test_one_step_of_eight_has_the_gradients_of_eight_of_one(family):
    _, folder = family
    model = adapted(folder, "float32")
    rows = rows_of(model.config.vocab_size)
    loss_sum(model, rows, pad_id=0).backward()
    together = gradients(model)
    model.zero_grad()

    for row in rows:
        loss_sum(model, [row], pad_id=0).backward()

    assert difference(gradients(model), together) < EXACT


def test_rows_share_the_beginning_that_saves_most_and_never_a_trained_token():
    common = list(range(100, 120))
    rows = [
        Encoded([*common, 1, 2, 3], [False] * 21 + [True] * 2),
        Encoded([*common, 1, 2, 4], [False] * 21 + [True] * 2),
        Encoded([*common, 5], [False] * 15 + [True] * 6),
        Encoded([7, 8, 9], [False, True, True]),
    ]

    groups = packing.alike(rows)

    # Of the three, two would share 21 tokens, which saves 21; all three share the 15 untrained ones, which saves 30.
    assert [(shared, len(members)) for shared, members in groups] == [(15, 3), (0, 1)]
    packed = packing.Packed(rows)
    assert len(packed.ids) - packed.unused == 15 + 8 + 8 + 6 + 3
    assert len(packed.ids) % packing.ROUND_TO == 0


def test_a_model_that_mixes_packed_rows_keeps_padded_ones(tiny_model, tmp_path):
    base = opened(tiny_model, "float32").model
    base.set_attn_implementation("eager")
    # Positions that are counted along the row instead of taken from the caller, as some custom models do.
    rotary = base.model.rotary_emb.forward
    base.model.rotary_emb.forward = lambda x, position_ids: rotary(
        x, torch.arange(position_ids.shape[1])[None]
    )

    model = make_trainable(base, LORA)

    assert model.get_base_model().config._attn_implementation == "eager"
    assert torch.isfinite(loss_sum(model, rows_of(base.config.vocab_size), pad_id=0))


def test_long_rows_go_through_attention_that_keeps_no_weights(family, monkeypatch):
    name, folder = family
    model = adapted(folder, "float32")
    rows = rows_of(model.config.vocab_size)
    loss_sum(model, rows, pad_id=0).backward()
    short = gradients(model)
    model.zero_grad()
    if name not in PADDED:
        monkeypatch.setattr(attention.OpenAttention, "apply", None)
    monkeypatch.setattr(attention, "OPEN_BYTES", 0)

    # One at a time they share nothing, and attention may take its own causal path.
    for batch in (rows[:3], rows[3:7], rows[7:]):
        loss_sum(model, batch, pad_id=0).backward()

    assert difference(gradients(model), short) < EXACT


def test_rows_that_are_not_packed_are_masked_as_ever(tiny_model):
    model = adapted(tiny_model, "float32").eval()
    ids = torch.arange(24).view(2, 12)
    mask = torch.ones_like(ids)
    mask[1, :5] = 0  # padded on the left, as for generation
    with torch.no_grad():
        ours = model(input_ids=ids, attention_mask=mask).logits
        model.get_base_model().set_attn_implementation("eager")
        plain = model(input_ids=ids, attention_mask=mask).logits

    torch.testing.assert_close(ours[mask > 0], plain[mask > 0], rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_same_in_pieces(tiny_model, monkeypatch):
    model = adapted(tiny_model, "float32")
    rows = rows_of(model.config.vocab_size)
    whole = loss_sum(model, rows, pad_id=0)
    whole.backward()
    expected = gradients(model)
    model.zero_grad()
    # Eleven rows of logits at a time.
    monkeypatch.setattr(loss, "PIECE_BYTES", 11 * 4 * model.config.vocab_size)

    pieces = loss_sum(model, rows, pad_id=0)
    pieces.backward()

    assert pieces.item() == pytest.approx(whole.item(), rel=1e-6)
    assert difference(gradients(model), expected) < EXACT


def test_logits_in_bfloat16_are_softmaxed_in_float32(tiny_model):
    model = opened(tiny_model, "bfloat16").model
    hidden = torch.randn(40, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    targets = torch.arange(40)

    measured = loss.head_loss(model, hidden, targets)

    logits = torch.nn.functional.linear(hidden, model.lm_head.weight).float()
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
    assert measured.item() == pytest.approx(expected.item(), rel=1e-6)
