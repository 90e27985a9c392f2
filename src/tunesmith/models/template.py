"""A model's chat template: prompts exactly as serving sends them, examples with exactly the answers trained."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tunesmith.core import fingerprint
from tunesmith.core.conversation import Message, Prompt
from tunesmith.errors import ModelError

PROBE = (
    Message(role="user", content="a question"),
    Message(role="assistant", content="an answer"),
    Message(role="user", content="another"),
)
WITHOUT_THINKING = "{%- set enable_thinking = false %}"
"""Before a template that can have the model reason first; a specialist is taught answers, so it answers at once."""


class Encoded(NamedTuple):
    """One conversation in tokens."""

    ids: list[int]
    is_trained: list[bool]
    """One flag a token: whether the model is taught to produce it."""

    @property
    def trained_tokens(self) -> int:
        """How many tokens carry loss."""
        return sum(self.is_trained)


class Answer(NamedTuple):
    """Where an answer stands in a rendered conversation, in characters."""

    start: int
    stop: int
    """After its end token and what the template always puts behind it."""
    content: str


class ChatTemplate:
    """Renders and tokenizes conversations; what training sees before an answer is what serving sends."""

    def __init__(
        self, tokenizer: Any, end_ids: Sequence[int] = (), *, is_thinking: bool = False
    ) -> None:
        """Take a tokenizer's template, which is changed in place where it could ask for reasoning.

        Args:
            tokenizer: Of transformers, with a chat template.
            end_ids: Tokens that end an answer besides the tokenizer's own.
            is_thinking: Leave the decision whether to reason first to a template that offers it.
        """
        if not tokenizer.chat_template:
            raise ModelError(
                "the base model has no chat template",
                fix="use an instruct model, or put a chat_template.jinja into the model's folder",
            )
        offers_thinking = "enable_thinking" in tokenizer.chat_template
        if offers_thinking and not (
            is_thinking or tokenizer.chat_template.startswith(WITHOUT_THINKING)
        ):
            tokenizer.chat_template = WITHOUT_THINKING + tokenizer.chat_template
        self.tokenizer = tokenizer
        self.end_ids = frozenset([tokenizer.eos_token_id, *end_ids]) - {None}
        """Tokens that end an answer."""
        if not self.end_ids:
            raise ModelError(
                "the base model's tokenizer has no end token",
                fix="set `eos_token` in its tokenizer",
            )

    def render(self, messages: Prompt, *, is_prompt: bool) -> str:
        """The conversation as text; a prompt ends where the answer is to begin.

        Raises:
            ModelError: If the template refuses this conversation, with the template's own reason.
        """
        from jinja2 import TemplateError

        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=is_prompt
                )
            )
        except TemplateError as error:
            roles = ", ".join(turn.role for turn in messages)
            raise ModelError(
                f"the chat template refuses a conversation of {roles}: {error}",
                fix="leave out the system turn if the model knows none, and let user and assistant alternate",
            ) from error

    def encode_text(self, text: str) -> list[int]:
        """Tokens of rendered text; the template has already put the special tokens in."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_prompt(self, messages: Prompt) -> list[int]:
        """The tokens a server sends to the model for this conversation."""
        return self.encode_text(self.render(messages, is_prompt=True))

    def encode_example(self, messages: Prompt) -> Encoded:
        """The conversation with every assistant turn trained, its end token included, and nothing else.

        Pieces are tokenized apart at the borders of answers, so that a prompt has the tokens it will have in
        serving. Where a template rewrites earlier turns (some drop old reasoning), only the last answer is
        trained, after the prompt as it will be sent.
        """
        turns = [index for index, turn in enumerate(messages) if turn.role == "assistant"]
        return self._encode(self._answers(messages, turns) or self._answers(messages, turns[-1:]))

    def encode_answer(self, messages: Prompt) -> Encoded:
        """The conversation with its last answer trained, the end token included, after the prompt as it is sent.

        Raises:
            ModelError: If the template renders an answer differently from its prompt.
        """
        return self._encode(self._answers(messages, [len(messages) - 1]))

    def fingerprint(self) -> str:
        """Hash of the template and of the tokens it gives a fixed conversation."""
        return fingerprint.of_json([self.tokenizer.chat_template, self.encode_prompt(PROBE)])[:16]

    def pad_id(self) -> int:
        """A token to pad with that never ends an answer, so that no mask by token id can hide an end token."""
        candidates = [
            self.tokenizer.pad_token_id,
            self.tokenizer.unk_token_id,
            self.tokenizer.bos_token_id,
        ]
        usable = [token for token in candidates if token is not None and token not in self.end_ids]
        return usable[0] if usable else min(set(range(len(self.end_ids) + 1)) - self.end_ids)

    def _encode(self, found: tuple[str, list[Answer]] | None) -> Encoded:
        if found is None:
            raise ModelError(
                "the chat template renders an answer differently from its prompt, so it cannot be trained exactly",
                fix="use a template whose rendering of an answered conversation begins with its prompt",
            )
        text, answers = found
        ids: list[int] = []
        is_trained: list[bool] = []
        end = 0
        for answer in answers:
            prompt_ids = self.encode_text(text[end : answer.start])
            answer_ids, count = self._ended(
                self.encode_text(text[answer.start : answer.stop]), answer.content
            )
            ids += prompt_ids + answer_ids
            is_trained += (
                [False] * len(prompt_ids) + [True] * count + [False] * (len(answer_ids) - count)
            )
            end = answer.stop
        last = max(index for index, flag in enumerate(is_trained) if flag) + 1
        return Encoded(ids[:last], is_trained[:last])

    def _answers(self, messages: Prompt, turns: list[int]) -> tuple[str, list[Answer]] | None:
        """The whole text and every answer's place in it; None where a template rewrites earlier turns."""
        starts, texts = [], []
        for index in turns:
            prompt = self.render(messages[:index], is_prompt=True)
            texts.append(self.render(messages[: index + 1], is_prompt=False))
            starts.append(len(prompt))
            if not texts[-1].startswith(prompt):
                return None
        # What follows an answer may differ once the conversation goes on: some templates close it with a last token.
        stops = [self._common_length(*pair) for pair in pairwise(texts)] + [len(texts[-1])]
        answers = []
        for index, start, stop, text in zip(turns, starts, stops, texts, strict=True):
            is_whole = stop == len(text)
            if not is_whole and self._first_end(text[start:]) != self._first_end(text[start:stop]):
                return None
            answers.append(Answer(start, stop, messages[index].content))
        return texts[-1], answers

    def _common_length(self, one: str, other: str) -> int:
        """Length of the common beginning, a special token that the two do not share not counted in part."""
        pairs = enumerate(zip(one, other, strict=False))
        length = next(
            (at for at, (left, right) in pairs if left != right), len(min(one, other, key=len))
        )
        special = "|".join(map(re.escape, self.tokenizer.get_added_vocab()))
        for found in re.finditer(special, one) if special else ():
            if found.start() < length < found.end():
                return found.start()
        return length

    def _first_end(self, text: str) -> int | None:
        ids = self.encode_text(text)
        return next((index for index, token in enumerate(ids) if token in self.end_ids), None)

    def _ended(self, ids: list[int], content: str) -> tuple[list[int], int]:
        ends = [index for index, token in enumerate(ids) if token in self.end_ids]
        if len(ends) > 1:
            # An answer may quote an end token; the first one behind it is the end.
            quoted = sum(token in self.end_ids for token in self.encode_text(content))
            ends = ends[min(quoted, len(ends) - 1) :]
        if ends:
            return ids, ends[0] + 1
        # A template that never ends a turn would teach the model never to stop.
        ids = [*ids, self.tokenizer.eos_token_id]
        return ids, len(ids)
