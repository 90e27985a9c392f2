"""GGUF files read back by transformers: the same logits, tokens and prompts, whatever the family."""

import json

import gguf
import pytest
import torch
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from conftest import CHATML
from train.families import make_family
from tunesmith.core.conversation import Message
from tunesmith.errors import ModelError
from tunesmith.models.config import ModelConfig
from tunesmith.models.gguf import read_gguf
from tunesmith.models.loading import load_model
from tunesmith.models.pretokenizers import name_of, restore
from tunesmith.models.reference import resolve
from tunesmith.models.template import ChatTemplate
from tunesmith.train.export.gguf_file import find_converter, write_gguf

FACTS = {"name": "tiny", "license": "apache-2.0"}
IDS = torch.arange(3, 19)[None]  # within the tiny Mistral's window of 16
TEXT = (
    "It's 2026: the 12345 naïve\n\n  Schüler won't pay $3,50 — they'll say so. hello hello the the"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)


def opened(folder):
    config = ModelConfig(base=str(folder))
    return load_model(resolve(config, folder), config, quantization="none", precision="float32")


@pytest.mark.parametrize(
    ("name", "numbers", "tolerance"),
    [
        ("llama", "float32", 1e-5),
        ("llama", "bfloat16", 0.02),
        ("llama", "q8_0", 0.02),
        ("mistral", "float16", 0.002),
        ("qwen2", "float32", 1e-5),
        ("qwen3", "float32", 1e-5),
    ],
)
def test_the_file_has_the_logits_of_the_model(name, numbers, tolerance, tmp_path):
    base = opened(make_family(name, tmp_path / "model"))
    for (
        parameter
    ) in base.model.parameters():  # norms of one and biases of zero would hide a lost one
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.manual_seed(3))

    write_gguf(base.model, base.template, tmp_path / "it.gguf", numbers=numbers, facts=FACTS)

    read = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="it.gguf", dtype=torch.float32)
    with torch.no_grad():
        found, expected = read.eval()(IDS).logits, base.model(IDS).logits
    torch.testing.assert_close(
        found, expected, rtol=0, atol=tolerance * expected.abs().max().item()
    )


def test_scaled_positions_are_written_as_factors_that_undo_the_scaling(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    base = opened(make_family("llama", tmp_path / "model"))
    rope = {"rope_theta": 10000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}
    rope |= {"high_freq_factor": 4.0, "original_max_position_embeddings": 64}
    settings = LlamaConfig.from_pretrained(tmp_path / "model", rope_parameters=rope)
    scaled = LlamaForCausalLM(settings)

    write_gguf(scaled, base.template, tmp_path / "it.gguf", numbers="float32", facts=FACTS)

    tensors = {t.name: t.data for t in gguf.GGUFReader(tmp_path / "it.gguf").tensors}
    factors = torch.tensor(tensors["rope_freqs.weight"])
    assert factors.min().item() == pytest.approx(1.0)  # high frequencies stay
    assert factors.max().item() == pytest.approx(8.0)  # low ones are slowed by the whole factor


def byte_level(cutting) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = cutting
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator([TEXT] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>")


def sentencepiece() -> PreTrainedTokenizerFast:
    """In the manner of Llama 2: pieces with a visible space, bytes for what has no piece."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=200, show_progress=False)
    trained.train_from_iterator([TEXT] * 3, trainer)
    learnt = trained.get_vocab()
    tokens = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    tokens += [token for token, _ in sorted(learnt.items(), key=lambda item: item[1])]
    merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
    backend = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=merges,
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    backend.add_special_tokens([AddedToken(t, normalized=False) for t in tokens[:3]])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


CUTTINGS = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    ),
    "llama-bpe": lambda: pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    ),
}


def written(tokenizer, tmp_path):
    base = opened(make_family("llama", tmp_path / "model"))
    base.model.resize_token_embeddings(len(tokenizer))
    base.model.config.vocab_size = len(tokenizer)
    template = ChatTemplate(tokenizer)
    write_gguf(base.model, template, tmp_path / "it.gguf", numbers="float16", facts=FACTS)
    return read_gguf(tmp_path / "it.gguf")[1]


@pytest.mark.parametrize("name", CUTTINGS)
def test_a_byte_level_tokenizer_cuts_text_as_before(name, tmp_path):
    tokenizer = byte_level(CUTTINGS[name]())
    tokenizer.chat_template = CHATML
    assert name_of(tokenizer) == name

    read = written(tokenizer, tmp_path)

    assert read.encode(TEXT) == tokenizer.encode(TEXT)
    assert read.chat_template == CHATML
    assert read.eos_token_id == tokenizer.eos_token_id


def test_a_sentencepiece_tokenizer_merges_as_before(tmp_path):
    tokenizer = sentencepiece()
    tokenizer.chat_template = CHATML.replace("<|im_end|>", "</s>")

    read = written(tokenizer, tmp_path)

    assert len(tokenizer.tokenize(TEXT)) < len(TEXT)
    assert read.encode(TEXT, add_special_tokens=False) == tokenizer.encode(TEXT)
    # llama.cpp takes the highest score first, transformers the lowest id: the earliest merge must have both.
    fields = gguf.GGUFReader(tmp_path / "it.gguf").fields
    scores = fields["tokenizer.ggml.scores"].contents()
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    merged = [scores[tokenizer.get_vocab()["".join(pair)]] for pair in merges]
    assert merged == sorted(merged, reverse=True)
    assert len(set(merged)) == len(set(map("".join, merges)))


def test_the_bundled_models_digits_are_read_one_by_one(tmp_path):
    tokenizer = byte_level(CUTTINGS["gpt-2"]())

    restore(tokenizer, "smollm")
    restore(tokenizer, "a name that nobody knows")

    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("in 2026")
    assert [piece for piece, _ in pieces] == ["in", "Ġ", "2", "0", "2", "6"]


def test_a_family_that_is_not_written_here_needs_llama_cpps_converter(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="the model is phi3"):
        find_converter("phi3")

    script = tmp_path / "convert_hf_to_gguf.py"
    script.write_text("#!/usr/bin/env python\n")
    script.chmod(0o755)
    assert find_converter("phi3") == script
    assert find_converter("llama") is None


def test_a_file_whose_weights_are_not_all_found_is_refused_rather_than_filled_at_random(tmp_path):
    base = opened(make_family("llama", tmp_path / "model"))
    base.model.model.layers[1].mlp.down_proj = torch.nn.Identity()

    write_gguf(base.model, base.template, tmp_path / "it.gguf", numbers="float16", facts=FACTS)

    with pytest.raises(ModelError, match=r"does not find 1 weights .*down_proj"):
        read_gguf(tmp_path / "it.gguf")


def test_prompts_of_a_written_file_are_the_prompts_of_training(tmp_path):
    base = opened(make_family("llama", tmp_path / "model"))
    talk = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="how  much is 12?"),
        Message(role="assistant", content="a dozen"),
        Message(role="user", content="and\n144?"),
    )

    write_gguf(base.model, base.template, tmp_path / "it.gguf", numbers="q8_0", facts=FACTS)

    _, tokenizer = read_gguf(tmp_path / "it.gguf")
    plain = AutoTokenizer.from_pretrained(tmp_path / "model")
    sent = ChatTemplate(tokenizer).encode_prompt(talk)
    assert sent == plain.apply_chat_template(talk_of(talk), add_generation_prompt=True)["input_ids"]


def talk_of(messages):
    return [{"role": turn.role, "content": turn.content} for turn in messages]
