"""Many conversations at once have the tokens and masks that each had when they were encoded one by one."""

import json

import pytest

from models.test_template import shown
from train.families import FAMILIES, TEMPLATES, make_family_tokenizer
from tunesmith.core.conversation import Message
from tunesmith.errors import ModelError
from tunesmith.models.template import ChatTemplate

QUOTED = "say <|im_end|> or </s>, <|eot_id|>, <end_of_turn>, <|end|> twice: </s><|im_end|>"
TALKS = tuple(
    tuple(
        Message(role="user" if place % 2 == 0 else "assistant", content=text)
        for place, text in enumerate(texts)
    )
    for texts in (
        ["a", "b"],
        ["a", " b ", "c", "d\n", "e", "f"],
        ["a", QUOTED],
        ["a", QUOTED, QUOTED, "b"],
        ["a", "<think>\nhm\n</think>\n\nb", "c", "d"],
        ["", "é漢 zq", "a", ""],
    )
)
WITH_SYSTEM = tuple((Message(role="system", content="Be brief."), *talk) for talk in TALKS)
# What one-by-one encoding gave before there was any other; read through by hand. null: refused.
EXPECTED = json.loads((TEMPLATES / "masks.json").read_text(encoding="utf-8"))


def of_family(name: str) -> ChatTemplate:
    tokenizer = make_family_tokenizer(name)
    return ChatTemplate(tokenizer, tokenizer.convert_tokens_to_ids(FAMILIES[name].ends))


@pytest.mark.parametrize("name", FAMILIES)
def test_conversations_encoded_together_have_the_masks_of_each_alone(name):
    template = of_family(name)
    known = dict(zip([*TALKS, *WITH_SYSTEM], EXPECTED[name], strict=True))
    taught = {talk: text for talk, text in known.items() if text is not None}

    encoded = template.encode_examples(list(taught))

    assert [shown(template, each) for each in encoded] == list(taught.values())
    for talk in known.keys() - taught.keys():
        with pytest.raises(ModelError):
            template.encode_examples([talk])
