"""Ollama's Modelfile: the model's chat template as Go text that renders the very same prompts.

Ollama fills a template with `.System`, `.Prompt` and `.Response` turn by turn, and cuts it off before `.Response` where
the model is to answer. The pieces are found by rendering, and proven on conversations before they are used.
"""

from itertools import chain
from typing import NamedTuple

from tunesmith.core.conversation import Message, Prompt
from tunesmith.errors import ModelError
from tunesmith.models.template import ChatTemplate

SYSTEM, QUESTION, ANSWER, NEXT = "Sys-tem.", "Ques-tion?", "Ans-wer.", "Nex-t?"


class Pieces(NamedTuple):
    """A chat template as what stands around the texts of a turn."""

    default_system: str | None
    """What the template says where a conversation brings no system turn."""
    with_system: tuple[str, str] | None
    """Before the system text, and between it and the question; None if the template knows no system turn."""
    question: str
    """Before the question of a turn without system text."""
    answer: str
    """Between question and answer, where the model takes over."""
    lead: str
    """What the model itself writes before the text of an answer, as Mistral's space; part of its response."""
    end: str
    """After the answer."""
    retold: str | None
    """Instead of `answer` in earlier turns; None where it is the same."""

    def go_template(self) -> str:
        """As Ollama's TEMPLATE takes it."""
        if self.retold is not None:
            return self._over_messages()
        before = self.question
        if self.with_system:
            opening, closing = self.with_system
            told = f"{{{{ if .System }}}}{opening}{{{{ .System }}}}"
            if closing.endswith(self.question):
                before = f"{told}{closing.removesuffix(self.question)}{{{{ end }}}}{self.question}"
            else:
                before = f"{told}{closing}{{{{ else }}}}{self.question}{{{{ end }}}}"
        return f"{before}{{{{ .Prompt }}}}{self.answer}{{{{ .Response }}}}{self.end}"

    def _over_messages(self) -> str:
        opening, closing = self.with_system or ("", "")
        told = f"{opening}{{{{ .Content }}}}{closing.removesuffix(self.question)}"
        return (
            f'{{{{ range .Messages }}}}{{{{ if eq .Role "system" }}}}{told}'
            f'{{{{ else if eq .Role "user" }}}}{self.question}{{{{ .Content }}}}'
            f"{{{{ else }}}}{self.retold}{{{{ .Content }}}}{self.end}{{{{ end }}}}{{{{ end }}}}{self.answer}"
        )

    def rendered(self, messages: Prompt) -> str:
        """The prompt as Ollama would send it, for a conversation that ends with a question."""
        system = next((turn.content for turn in messages if turn.role == "system"), None)
        system = self.default_system if system is None else system
        text = ""
        for turn in messages:
            if turn.role == "user":
                opening, closing = self.with_system or ("", "")
                text += f"{opening}{system}{closing}" if system else self.question
                text += turn.content
                system = None
            elif turn.role == "assistant":
                before = self.answer if self.retold is None else self.retold
                text += before + self.lead + turn.content + self.end
        return text + self.answer


def read_pieces(template: ChatTemplate) -> Pieces | None:
    """The template in pieces, its first token left out; None where it is not of this form.

    Ollama and llama.cpp put the first token in front themselves.
    """
    try:
        plain = _without_bos(template, _turns(QUESTION))
        longer = _without_bos(template, _turns(QUESTION, ANSWER, NEXT))
    except ModelError:
        return None
    question, _, answer = plain.partition(QUESTION)
    told, _, rest = longer.removeprefix(question + QUESTION).partition(ANSWER)
    is_same = told.startswith(answer)
    lead, retold = (told.removeprefix(answer), None) if is_same else ("", told)
    split = _split(template, question, rest.partition(NEXT)[0])
    if split is None or (retold is not None and not split.is_apart):
        return None
    pieces = Pieces(
        split.default, split.with_system, split.question, answer, lead, split.end, retold
    )
    return pieces if _is_exact(pieces, template) else None


def modelfile(
    template: ChatTemplate, weights_name: str, *, context_tokens: int, license_name: str
) -> str:
    """A Modelfile for Ollama; without TEMPLATE where the template is not of Ollama's form.

    Answers are greedy, as they were when the model was evaluated.
    """
    lines = [f"FROM ./{weights_name}"]
    pieces = read_pieces(template)
    if pieces:
        lines.append(f'TEMPLATE """{pieces.go_template()}"""')
        if pieces.default_system:
            lines.append(f'SYSTEM """{pieces.default_system}"""')
    ends = template.tokenizer.convert_ids_to_tokens(sorted(template.end_ids))
    lines += [f'PARAMETER stop "{token}"' for token in ends]
    lines += ["PARAMETER temperature 0", f"PARAMETER num_ctx {context_tokens}"]
    lines.append(f'LICENSE """{license_name}"""')
    return "\n".join(lines) + "\n"


def written_bos(template: ChatTemplate) -> str:
    """The tokenizer's first token where the template writes it once, before everything; else nothing.

    Some tokenizers name a token that opens every turn: that one is part of the turns.
    """
    bos = template.tokenizer.bos_token or ""
    text = template.render(_turns(QUESTION, ANSWER, NEXT), is_prompt=True)
    return bos if bos and text.startswith(bos) and text.count(bos) == 1 else ""


class _Split(NamedTuple):
    """What the turns around a question are cut into."""

    default: str | None
    with_system: tuple[str, str] | None
    question: str
    end: str

    @property
    def is_apart(self) -> bool:
        """Whether a system text has a turn of its own, rather than a place within the question's."""
        return self.with_system is None or self.with_system[1].endswith(self.question)


def _split(template: ChatTemplate, question: str, between: str) -> _Split | None:
    try:
        told = _without_bos(template, (Message(role="system", content=SYSTEM), *_turns(QUESTION)))
    except ModelError:
        told = ""
    opening, found, rest = told.partition(SYSTEM)
    closing = rest.partition(QUESTION)[0]
    with_system = (opening, closing) if found else None
    if between.endswith(question):
        return _Split(None, with_system, question, between.removesuffix(question))
    # A first turn that begins otherwise than a later one carries a system text of the template's own.
    if not (found and question.startswith(opening) and question.endswith(closing)):
        return None
    default = question[len(opening) : len(question) - len(closing)]
    common = next(i for i in range(len(closing) + 1) if between.endswith(closing[i:]))
    later = _after_end(template, closing[common:])
    return _Split(default, with_system, later, between.removesuffix(later))


def _after_end(template: ChatTemplate, text: str) -> str:
    for token in template.tokenizer.convert_ids_to_tokens(sorted(template.end_ids)):
        text = text.rpartition(token)[2]
    return text.removeprefix("\n")


def _is_exact(pieces: Pieces, template: ChatTemplate) -> bool:
    systems = [(), (Message(role="system", content="Be\nbrief."),)] if pieces.with_system else [()]
    talks = (
        _turns("a  b?"),
        _turns("a", "b", "c"),
        _turns("1\n2", "{x}", "<y>", "z.", "last"),
    )
    return all(
        pieces.rendered((*system, *talk)) == _without_bos(template, (*system, *talk))
        for system in systems
        for talk in talks
    )


def _without_bos(template: ChatTemplate, messages: Prompt) -> str:
    text = template.render(messages, is_prompt=True)
    return text.removeprefix(written_bos(template))


def _turns(*texts: str) -> Prompt:
    roles = chain.from_iterable([("user", "assistant")] * len(texts))
    return tuple(
        Message.model_validate({"role": role, "content": text})
        for role, text in zip(roles, texts, strict=False)
    )
