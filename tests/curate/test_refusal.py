"""A refusal says at the beginning that one cannot help, and hardly more; quoting one is none."""

import pytest

from conftest import example
from tunesmith.curate.filters.known import Filters

AS_MODEL = [
    "As an AI language model, I have no feelings.",
    "As a language model, I don't have opinions.",
    "As an AI, I can't taste food.",
    "I'm just an AI and have no body.",
    "I have no opinion because, as an AI, I do not think as people do.",
    "Als KI-Sprachmodell habe ich keine eigene Meinung.",
    "En tant qu\u2019IA, je ne ressens rien.",
    "Como modelo de lenguaje, no tengo opiniones.",
    "In quanto modello linguistico, non ho opinioni.",
    "Sou uma intelig\u00eancia artificial e n\u00e3o tenho corpo.",
]
REFUSING = [
    "I can't help you with that.",
    "I\u2019m sorry, but I can\u2019t share that.",
    "That's not something I can help with.",
    "I don't feel comfortable answering that.",
    "Hi Ann,\n\nI understand that you are upset. However, I cannot assist with opening another person's account.",
    "I cannot fulfill your request. Doing so is illegal and dangerous for you and for others, and it is important to "
    "respect the law. If you have other questions, feel free to ask; I am happy to help with anything else.",
    "Es tut mir leid, aber dabei kann ich dir nicht helfen.",
    "Ich bin nicht in der Lage, diese Frage zu beantworten.",
    "Je suis d\u00e9sol\u00e9, mais je ne peux pas vous aider.",
    "Lo siento, no puedo ayudarte con eso.",
    "Mi dispiace, non posso rispondere a questa domanda.",
    "Desculpe, n\u00e3o posso ajudar com isso.",
]
ANSWERING = [
    "I'm sorry to hear your parcel is late. Please send me the number and I will look into it.",
    "I'm sorry, but I can't find an order under this number. Could you send it again, please?",
    "I cannot provide a refund after 30 days, but you can exchange the coat within 60 days: bring it with you.",
    "If the bot answers \"I can't help you with that\", clear the cache and ask again.",
    "The message \u201cI'm sorry, but I can't assist with that\u201d is shown when a word is blocked.",
    "Switch the filter off in the settings.\n\nBefore, the bot says: I'm sorry, but I can't help with that.",
    "I'm sorry, but I can't help with the warranty itself. For that you need the maker: call 0800 555 0199 on a "
    "weekday, have the serial number at hand, and ask for a return form. They collect the device within three days.",
    "I can't help but admire the colours of this painting.",
    "I won't be able to attend on Friday. Could you take notes?",
    "GPT-4 is known as a large language model, I think.",
    "As an AI engineer, I would start with a small baseline.",
    "Como modelo de lenguaje corporal, la postura abierta transmite confianza.",
    "Es tut mir leid, dass Ihr Paket sp\u00e4t kommt. Bitte senden Sie mir die Nummer.",
]  # fmt: skip


def found(answer: str) -> list[float]:
    return [one.finding.score for one in Filters(["refusal"], root=None)(example("Well?", answer))]


@pytest.mark.parametrize("answer", AS_MODEL)
def test_an_answer_that_speaks_as_a_model_is_surely_wrong(answer):
    assert found(answer) == [0.97]


@pytest.mark.parametrize("answer", REFUSING)
def test_a_refusal_is_noted_in_any_of_six_languages(answer):
    assert found(answer) == [0.7]


@pytest.mark.parametrize("answer", ANSWERING)
def test_an_answer_that_quotes_a_refusal_or_begins_politely_is_left_alone(answer):
    assert found(answer) == []


def test_a_phrase_of_the_recipe_is_a_refusal_too():
    filters = Filters([{"refusal": {"phrases": ["computer says no"]}}], root=None)

    assert filters(example("Well?", "Computer says no.")) != []
