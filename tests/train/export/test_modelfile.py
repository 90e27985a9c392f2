"""Ollama's template renders, text for text, the prompts that training saw."""

import pytest

from models.test_template import turns
from train.families import FAMILIES, make_family_tokenizer
from tunesmith.models.template import ChatTemplate
from tunesmith.train.export.modelfile import modelfile, read_pieces, written_bos

GO = {
    "llama": "{{ if .System }}<|start_header_id|>system<|end_header_id|>\n\n{{ .System }}<|eot_id|>{{ end }}"
    "<|start_header_id|>user<|end_header_id|>\n\n{{ .Prompt }}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{{ .Response }}<|eot_id|>",
    "gemma3": "{{ if .System }}<start_of_turn>user\n{{ .System }}\n\n{{ else }}<start_of_turn>user\n{{ end }}"
    "{{ .Prompt }}<end_of_turn>\n<start_of_turn>model\n{{ .Response }}<end_of_turn>\n",
    "qwen3": '{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n'
    '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}'
    "{{ else }}<|im_end|>\n<|im_start|>assistant\n{{ .Content }}<|im_end|>\n{{ end }}{{ end }}"
    "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "qwen2": "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}<|im_start|>user\n"
    "{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n{{ .Response }}<|im_end|>\n",
}
TALK = (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e"))


def template_of(name):
    tokenizer = make_family_tokenizer(name)
    ends = tokenizer.convert_tokens_to_ids(FAMILIES[name].ends)
    return ChatTemplate(tokenizer, ends)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "mixtral"])
def test_every_family_has_a_template_that_renders_its_own_prompts(name):
    template = template_of(name)

    pieces = read_pieces(template)

    systems = [(), (("system", "Be brief."),)] if pieces.with_system else [()]
    for system in systems:
        for count in (1, 3, 5):
            talk = turns(*system, *TALK[:count])
            expected = template.render(talk, is_prompt=True)
            assert written_bos(template) + pieces.rendered(talk) == expected
    assert (pieces.with_system is None) == (name == "gemma2")
    assert pieces.go_template() == GO.get(name, pieces.go_template())
    assert pieces.default_system == ("You are a helpful assistant." if name == "qwen2" else None)


def test_a_modelfile_stops_where_the_model_was_taught_to_stop():
    template = template_of("gemma3")

    text = modelfile(template, "it.gguf", context_tokens=512, license_name="gemma")

    assert text.startswith('FROM ./it.gguf\nTEMPLATE """{{ if .System }}<start_of_turn>user')
    assert 'PARAMETER stop "<end_of_turn>"\n' in text
    assert "PARAMETER temperature 0\nPARAMETER num_ctx 512\n" in text


def test_a_template_that_cannot_be_expressed_is_left_out_rather_than_approximated():
    template = template_of("mistral")
    template.tokenizer.chat_template += "{{ messages | length }}"

    assert read_pieces(template) is None
    assert "TEMPLATE" not in modelfile(template, "x", context_tokens=1, license_name="mit")
