"""Fixtures that several folders of tests share: a tiny real model, workspaces, datasets."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tunesmith.artifacts.dataset import Dataset, LengthStatistics
from tunesmith.core.conversation import Example, Message
from tunesmith.core.workspace import Workspace

os.environ["HF_HUB_OFFLINE"] = "1"

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
FOLDED = (
    "<s>{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m['role'] == 'system' %}{% set ns.system = m['content'] + '\n\n' %}"
    "{% elif m['role'] == 'user' %}{{ '[INST] ' + ns.system + m['content'] + ' [/INST]' }}"
    "{% set ns.system = '' %}{% else %}{{ ' ' + m['content'] + '</s>' }}{% endif %}{% endfor %}"
)
SPECIAL = ["<unk>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]"]


def make_tokenizer(
    template: str = CHATML, end: str = "<|im_end|>", special: Sequence[str] = SPECIAL, **named: str
) -> Any:
    """A byte-level tokenizer whose pad token is its end token, as many arrive; `special[0]` stands for the unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*special, *letters, "zq"])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[("z", "q")], unk_token=special[0]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(special))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token=end, pad_token=end, unk_token=special[0], **named
    )
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A folder with a randomly initialised Llama of 2 layers, made with seed 0."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-llama")
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "tunesmith.yaml").write_text("name: test\n")
    return Workspace(tmp_path)


def example(question: str, answer: str) -> Example:
    return Example(
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        )
    )


def save_dataset(
    workspace: Workspace,
    train: Sequence[tuple[str, str]],
    validation: Sequence[tuple[str, str]] = (),
) -> Dataset:
    """A dataset of (question, answer) pairs, kept in the workspace."""
    splits = [[example(*pair) for pair in pairs] for pairs in (train, validation)]
    dataset = Dataset(
        id=Dataset.id_of(*splits),
        train_count=len(train),
        validation_count=len(validation),
        sources=(),
        characters=LengthStatistics(total=0, median=0, longest=0),
    )
    dataset.write_examples(workspace, "train", splits[0])
    dataset.write_examples(workspace, "validation", splits[1])
    return dataset.save(workspace)


@pytest.fixture
def dataset_of(workspace) -> Callable[..., Dataset]:
    """Makes and saves a dataset of (question, answer) pairs."""
    return partial(save_dataset, workspace)
