"""One base, many adapters: each request gets its own model's answer, whoever shares its batch."""

import asyncio

import pytest

from conftest import save_dataset
from tunesmith.core.conversation import Message
from tunesmith.core.workspace import Workspace
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.in_process import InProcessEngine
from tunesmith.errors import ModelError, RequestTooLargeError, UnknownNameError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.train import stage
from tunesmith.train.config import TrainConfig

QUESTIONS = ["a", "bcd " * 9, "what is this?", "zz"]
BEHAVIOUR = {"A": "yes", "B": "no!"}


@pytest.fixture(scope="module")
def loaded(tiny_model, tmp_path_factory):
    config = ModelConfig(base=str(tiny_model))
    resolved = resolve(config, tmp_path_factory.mktemp("root"))

    def load():
        return load_model(resolved, config, quantization="none", precision="float32")

    return load


@pytest.fixture(scope="module")
def adapters(tiny_model, tmp_path_factory):
    """Two adapters trained on different behaviours: A agrees to everything, B refuses."""
    folders = {}
    config = TrainConfig(method="lora", epochs=20, batch_size=4, learning_rate=1e-2, rank=8)
    for name, answer in BEHAVIOUR.items():
        root = tmp_path_factory.mktemp(name)
        (root / "tunesmith.yaml").write_text(f"name: {name.lower()}\n")
        dataset = save_dataset(Workspace(root), [(question, answer) for question in QUESTIONS * 2])
        inputs = stage.TrainInputs(dataset, ModelConfig(base=str(tiny_model)), name.lower())
        made = stage.run(config, Workspace(root), inputs, is_quiet=True)
        folders[name] = made.weights_folder(Workspace(root))
    return folders


@pytest.fixture(scope="module")
def engine(loaded, adapters):
    made = InProcessEngine(loaded(), "base", adapters, max_batch=8)
    yield made
    asyncio.run(made.close())


def ask(model: str, question: str, **options: object) -> Generation:
    messages = (Message(role="user", content=question),)
    return Generation.model_validate(
        {"model": model, "messages": messages, "max_tokens": 24, **options}
    )


def test_32_requests_at_once_are_answered_as_each_would_be_alone(engine):
    requests = [ask(("base", "A", "B")[i % 3], QUESTIONS[i % 4] + str(i)) for i in range(32)]

    async def together():
        return await asyncio.gather(*(engine.complete(request) for request in requests))

    async def alone():
        return [await engine.complete(request) for request in requests]

    assert [a.text for a in asyncio.run(together())] == [a.text for a in asyncio.run(alone())]
    learnt = {name: asyncio.run(engine.complete(ask(name, QUESTIONS[0]))).text for name in "AB"}
    assert learnt == BEHAVIOUR


def test_each_answer_is_the_one_of_a_model_that_was_loaded_alone(engine, loaded, adapters):
    single = InProcessEngine(loaded(), "base", {"B": adapters["B"]})

    for name in ("base", "B"):
        expected = asyncio.run(single.complete(ask(name, "hello there"))).text
        assert asyncio.run(engine.complete(ask(name, "hello there"))).text == expected
    asyncio.run(single.close())


def test_all_adapters_share_one_base_in_memory(engine, loaded):
    held = sum(p.numel() for name, p in engine.model.named_parameters() if "lora_" not in name)

    assert held == sum(p.numel() for p in loaded().model.parameters())


def test_streamed_pieces_joined_are_the_answer(engine):
    async def pieces():
        return [delta async for delta in engine.stream(ask("A", "stream"))]

    deltas = asyncio.run(pieces())

    whole = asyncio.run(engine.complete(ask("A", "stream")))
    assert "".join(delta.text for delta in deltas) == whole.text
    assert [delta.finish_reason for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
    assert deltas[-1].completion_tokens == whole.completion_tokens


def test_an_answer_ends_before_a_stop_string_even_when_it_spans_tokens(engine):
    whole = asyncio.run(engine.complete(ask("base", "stop"))).text
    stop = whole[5:8]

    cut = asyncio.run(engine.complete(ask("base", "stop", stop=(stop,))))

    assert (cut.text, cut.finish_reason) == (whole[: whole.index(stop)], "stop")


def test_a_seeded_draw_repeats_and_differs_from_another_seed(engine):
    draws = [
        asyncio.run(engine.complete(ask("base", "draw", temperature=1.5, seed=seed))).text
        for seed in (1, 1, 2)
    ]

    assert draws[0] == draws[1] != draws[2]


def test_requests_that_cannot_be_answered_are_refused_and_the_engine_goes_on(engine):
    with pytest.raises(UnknownNameError):
        asyncio.run(engine.complete(ask("C", "hi")))
    with pytest.raises(RequestTooLargeError):
        asyncio.run(engine.complete(ask("A", "x" * 600)))

    assert asyncio.run(engine.complete(ask("A", "hi"))).completion_tokens > 0


def test_an_adapter_without_safetensors_is_refused(loaded, tmp_path):
    (tmp_path / "adapter_model.bin").write_bytes(b"a pickle")

    with pytest.raises(ModelError, match="safetensors"):
        InProcessEngine(loaded(), "base", {"A": tmp_path})
