"""A tokenizer as GGUF's metadata: tokens, their kinds, merges or scores, and which are put in front."""

import json
from typing import Any

from tunesmith.errors import ModelError
from tunesmith.models.pretokenizers import name_of
from tunesmith.models.template import ChatTemplate
from tunesmith.train.export.modelfile import written_bos

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Kinds of tokens in GGUF."""
UNREACHABLE = -1e9
"""Score of a piece that no merge makes."""


def add_tokenizer(writer: Any, template: ChatTemplate, *, vocabulary: int) -> None:
    """Write tokenizer and chat template into a GGUF's metadata.

    Args:
        writer: gguf.GGUFWriter.
        template: The model's.
        vocabulary: Rows of the embedding; rows beyond the tokenizer's own are filled with unused tokens.

    Raises:
        ModelError: If the tokenizer is of a kind that is not known here.
    """
    tokenizer = template.tokenizer
    described = json.loads(tokenizer.backend_tokenizer.to_str())
    model = described["model"]
    if model["type"] != "BPE":
        raise ModelError(
            f"the tokenizer is of type {model['type']}, only BPE is written here",
            fix="put llama.cpp's convert_hf_to_gguf.py on the PATH",
        )
    merges = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
    if model.get("byte_fallback"):
        _add_sentencepiece(writer, described, tokenizer, merges, vocabulary)
    else:
        _add_byte_level(writer, tokenizer, merges, vocabulary)
    for name, token in (("bos", tokenizer.bos_token_id), ("unk", tokenizer.unk_token_id)):
        if token is not None:
            getattr(writer, f"add_{name}_token_id")(token)
    writer.add_eos_token_id(end_of_answer(template))
    writer.add_pad_token_id(template.pad_id())
    writer.add_add_bos_token(bool(written_bos(template)))
    writer.add_add_eos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def end_of_answer(template: ChatTemplate) -> int:
    """The token that ends an answer under this template: GGUF has room for one."""
    from tunesmith.models.template import PROBE

    ids, is_trained = template.encode_example(PROBE[:2])
    return [token for token, flag in zip(ids, is_trained, strict=True) if flag][-1]


def _add_byte_level(writer: Any, tokenizer: Any, merges: list[list[str]], vocabulary: int) -> None:
    name = name_of(tokenizer)
    if name is None:
        raise ModelError(
            "the tokenizer cuts text in a way for which no GGUF name is known",
            fix="put llama.cpp's convert_hf_to_gguf.py on the PATH",
        )
    tokens, kinds = _tokens(tokenizer, vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(name)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in merges])


def _add_sentencepiece(
    writer: Any, described: Any, tokenizer: Any, merges: list[list[str]], vocabulary: int
) -> None:
    tokens, kinds = _tokens(tokenizer, vocabulary)
    # llama.cpp merges the pair whose result has the highest score: the earlier a merge, the higher.
    scores: dict[str, float] = {}
    for rank, pair in enumerate(merges):
        scores.setdefault("".join(pair), -float(rank))
    kinds = [
        BYTE if len(token) == 6 and token.startswith("<0x") else kind
        for token, kind in zip(tokens, kinds, strict=True)
    ]
    if tokenizer.unk_token_id is not None:
        kinds[tokenizer.unk_token_id] = UNKNOWN
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_scores([scores.get(token, UNREACHABLE) for token in tokens])
    writer.add_add_space_prefix(_puts_space_first(described))


def _tokens(tokenizer: Any, vocabulary: int) -> tuple[list[str], list[int]]:
    added = tokenizer.added_tokens_decoder
    names = {index: token for token, index in tokenizer.get_vocab().items()}
    tokens, kinds = [], []
    for index in range(max(vocabulary, len(names))):
        tokens.append(names.get(index, f"[PAD{index}]"))
        if index in added:
            kinds.append(CONTROL if added[index].special else USER_DEFINED)
        else:
            kinds.append(NORMAL if index in names else UNUSED)
    return tokens, kinds


def _puts_space_first(described: Any) -> bool:
    text = json.dumps([described.get("normalizer"), described.get("pre_tokenizer")])
    return (
        '"Prepend"' in text
        or '"prepend_scheme": "always"' in text
        or '"prepend_scheme": "first"' in text
    )
