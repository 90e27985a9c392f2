"""A model's chat template: prompts exactly as serving sends them, examples with exactly the answers trained."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, Message, Prompt
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
    """One answer in a rendered conversation, and what stands before it."""

    before: str
    """Everything since the answer before."""
    text: str
    """With its end token and what the template always puts behind it."""
    alone: str
    """As `text`, where the conversation ends with it."""
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
        return self.encode_texts([text])[0]

    def encode_texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of each text, as `encode_text` gives them; on all cores where the tokenizer can."""
        if not texts:
            return []
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def encode_prompt(self, messages: Prompt) -> list[int]:
        """The tokens a server sends to the model for this conversation."""
        return self.encode_text(self.render(messages, is_prompt=True))

    def encode_example(self, messages: Prompt) -> Encoded:
        """The conversation with every assistant turn trained, its end token included, and nothing else.

        Pieces are tokenized apart at the borders of answers, so that a prompt has the tokens it will have in
        serving. Where a template rewrites earlier turns (some drop old reasoning), only the last answer is
        trained, after the prompt as it will be sent.
        """
        return self.encode_examples([messages])[0]

    def encode_examples(self, conversations: Sequence[Prompt]) -> list[Encoded]:
        """Each conversation as `encode_example` gives it, in their order; the tokenizer runs on all cores."""
        turns = [
            [index for index, turn in enumerate(messages) if turn.role == "assistant"]
            for messages in conversations
        ]
        encoded = self._encode(list(zip(conversations, turns, strict=True)))
        rewritten = [
            (messages, places[-1:])
            for messages, places, found in zip(conversations, turns, encoded, strict=True)
            if found is None
        ]
        last = iter(_exact(self._encode(rewritten)))
        return [found or next(last) for found in encoded]

    def token_counts(self, examples: Sequence[Example]) -> list[int]:
        """How many tokens `encode_examples` makes of each."""
        return [
            len(encoded.ids)
            for encoded in self.encode_examples([example.messages for example in examples])
        ]

    def encode_answers(self, conversations: Sequence[Prompt]) -> list[Encoded]:
        """Each conversation with its last answer trained, the end token included, after the prompt as it is sent.

        Raises:
            ModelError: If the template renders an answer differently from its prompt.
        """
        return _exact(self._encode([(messages, [len(messages) - 1]) for messages in conversations]))

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

    def _encode(self, asked: Sequence[tuple[Prompt, list[int]]]) -> list[Encoded | None]:
        """Each conversation with these turns trained; None where the template rewrites one of them later."""
        found = [self._answers(messages, turns) for messages, turns in asked]
        pieces = dict.fromkeys(
            piece for answers in found for answer in answers or () for piece in answer[:3]
        )
        ids = dict(zip(pieces, self.encode_texts(list(pieces)), strict=True))
        return [self._joined(answers, ids) if answers else None for answers in found]

    def _joined(self, answers: Sequence[Answer], tokens: Mapping[str, list[int]]) -> Encoded | None:
        ids: list[int] = []
        is_trained: list[bool] = []
        behind = 0
        for answer in answers:
            if self._first_end(tokens[answer.alone]) != self._first_end(tokens[answer.text]):
                return None
            prompt_ids = tokens[answer.before]
            answer_ids, count = self._ended(tokens[answer.text], answer.content)
            behind = len(answer_ids) - count
            ids += prompt_ids + answer_ids
            is_trained += [False] * len(prompt_ids) + [True] * count + [False] * behind
        last = len(ids) - behind
        return Encoded(ids[:last], is_trained[:last])

    def _answers(self, messages: Prompt, turns: list[int]) -> list[Answer] | None:
        """What the conversation is made of up to the last of these turns; None where an answer changes its prompt."""
        starts, texts = [], []
        for index in turns:
            prompt = self.render(messages[:index], is_prompt=True)
            texts.append(self.render(messages[: index + 1], is_prompt=False))
            starts.append(len(prompt))
            if not texts[-1].startswith(prompt):
                return None
        # What follows an answer may differ once the conversation goes on: some templates close it with a last token.
        stops = [self._common_length(*pair) for pair in pairwise(texts)] + [len(texts[-1])]
        whole = texts[-1]
        return [
            Answer(whole[end:start], whole[start:stop], text[start:], messages[index].content)
            for end, start, stop, text, index in zip(
                [0, *stops], starts, stops, texts, turns, strict=False
            )
        ]

    def _common_length(self, one: str, other: str) -> int:
        """Length of the common beginning, a special token that the two do not share not counted in part."""
        if other.startswith(one):
            return len(one)
        pairs = enumerate(zip(one, other, strict=False))
        length = next(
            (at for at, (left, right) in pairs if left != right), len(min(one, other, key=len))
        )
        special = "|".join(map(re.escape, self.tokenizer.get_added_vocab()))
        for found in re.finditer(special, one) if special else ():
            if found.start() < length < found.end():
                return found.start()
        return length

    def _first_end(self, ids: list[int]) -> int | None:
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


def _exact(encoded: Sequence[Encoded | None]) -> list[Encoded]:
    exact = [each for each in encoded if each is not None]
    if len(exact) < len(encoded):
        raise ModelError(
            "the chat template renders an answer differently from its prompt, so it cannot be trained exactly",
            fix="use a template whose rendering of an answered conversation begins with its prompt",
        )
    return exact
