"""Masks are exact: what is trained is every answer with its end token, and nothing else."""

from itertools import groupby

import pytest

from conftest import CHATML, FOLDED, make_tokenizer
from tunesmith.core.conversation import Message
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_template
from tunesmith.models.reference import resolve
from tunesmith.models.template import ChatTemplate, Encoded


def turns(*pairs: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=content) for role, content in pairs)  # type: ignore[arg-type]


def shown(template: ChatTemplate, encoded: Encoded) -> str:
    """The tokens as text, between ⟦ and ⟧ where they are trained."""
    text = ""
    for is_trained, run in groupby(zip(*encoded, strict=True), key=lambda pair: pair[1]):
        piece = template.tokenizer.decode([token for token, _ in run])
        text += f"⟦{piece}⟧" if is_trained else piece
    return text


def marked(template: ChatTemplate, messages: tuple[Message, ...]) -> str:
    """The conversation as text with trained tokens between ⟦ and ⟧."""
    return shown(template, template.encode_example(messages))


def test_only_the_answer_and_its_end_token_are_trained():
    template = ChatTemplate(make_tokenizer(CHATML))

    shown = marked(template, turns(("system", "S"), ("user", "hi"), ("assistant", "yo")))

    assert shown == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\n⟦yo<|im_end|>⟧"
    )


@pytest.mark.slow
def test_the_bundled_model_is_taught_the_answer_and_its_end_behind_its_own_system_turn(tmp_path):
    config = ModelConfig()
    template = load_template(resolve(config, tmp_path), config)

    shown = marked(template, turns(("user", "hi"), ("assistant", "yo")))

    head, _, rest = shown.partition("<|im_start|>user\n")
    assert head.startswith("<|im_start|>system\n")
    assert rest == "hi<|im_end|>\n<|im_start|>assistant\n⟦yo<|im_end|>⟧"
    assert template.pad_id() not in template.end_ids


def test_a_system_turn_folded_into_the_user_turn_is_not_trained():
    template = ChatTemplate(make_tokenizer(FOLDED, end="</s>"))

    shown = marked(template, turns(("system", "S"), ("user", "hi"), ("assistant", "yo")))

    assert shown == "<s>[INST] S\n\nhi [/INST]⟦ yo</s>⟧"


def test_every_assistant_turn_of_a_long_conversation_is_trained():
    template = ChatTemplate(make_tokenizer(CHATML))

    shown = marked(
        template, turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    )

    assert shown == (
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n⟦b<|im_end|>⟧\n"
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n⟦d<|im_end|>⟧"
    )


def test_an_example_begins_with_the_very_tokens_that_serving_sends():
    template = ChatTemplate(make_tokenizer(CHATML))
    messages = turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "\n d"))

    sent = template.encode_prompt(messages[:-1])

    assert template.encode_example(messages).ids[: len(sent)] == sent


def test_a_template_without_end_token_still_teaches_the_model_to_stop():
    endless = CHATML.replace("<|im_end|>", "")
    template = ChatTemplate(make_tokenizer(endless))

    encoded = template.encode_example(turns(("user", "hi"), ("assistant", "yo")))

    assert encoded.ids[-1] in template.end_ids
    assert encoded.is_trained[-1]


def test_where_pad_arrives_as_the_end_token_another_is_chosen():
    template = ChatTemplate(make_tokenizer(CHATML))

    assert template.tokenizer.pad_token_id in template.end_ids
    assert template.pad_id() not in template.end_ids
