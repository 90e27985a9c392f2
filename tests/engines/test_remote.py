"""Models behind HTTP: both protocols against a strict server, with every way in which a server misbehaves."""

import asyncio
import json
import time

import pytest
from pydantic import ValidationError

from teacher_server import KEY, Fault, TeacherServer, served
from tunesmith.core.conversation import Message
from tunesmith.engines.endpoint import Generation
from tunesmith.engines.in_process import InProcessEngine
from tunesmith.engines.rate_limits import BURST_SECONDS, RateLimiter
from tunesmith.engines.remote_config import RemoteConfig
from tunesmith.engines.teachers import open_teacher
from tunesmith.errors import (
    EndpointError,
    EndpointRefusedError,
    NotMadeYetError,
    RecipeError,
    RequestError,
    UnknownNameError,
)
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.recipe import load
from tunesmith.serve.app import make_app
from tunesmith.serve.config import ServeConfig

PROTOCOLS = ("openai", "anthropic")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", KEY)


def teacher(url: str, protocol: str = "openai", tmp_path=None, **more):
    config = RemoteConfig.model_validate(
        {"protocol": protocol, "model": "m", "url": url, "key_variable": "TEACHER_KEY", **more}
    )
    return open_teacher(config, ModelConfig(), tmp_path)


def ask(question: str = "hi there", **more) -> Generation:
    turns = (Message(role="system", content="Be brief."), Message(role="user", content=question))
    return Generation.model_validate({"model": "m", "messages": turns, **more})


def complete(endpoint, *requests: Generation):
    async def run():
        try:
            return await asyncio.gather(*(endpoint.complete(request) for request in requests))
        finally:
            await endpoint.close()

    return asyncio.run(run())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_answers_carry_what_they_cost_and_streams_join_to_the_same(protocol):
    server = TeacherServer(lambda question, body: f"heard {question}")
    options = {"temperature": 0.5, "top_p": 0.9, "stop": ("END",), "max_tokens": 9}

    async def pieces(url):
        endpoint = teacher(url, protocol)
        try:
            return [delta async for delta in endpoint.stream(ask(**options))]
        finally:
            await endpoint.close()

    with served(server.app) as url:
        (answer,) = complete(teacher(url, protocol), ask(**options))
        deltas = asyncio.run(pieces(url))

    assert (answer.text, answer.finish_reason) == ("heard hi there", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (4, 3)
    assert "".join(delta.text for delta in deltas) == "heardhithere"
    assert deltas[-1].finish_reason == "stop"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_schema_is_sent_in_the_protocols_own_way(protocol):
    server = TeacherServer(lambda question, body: '{"n": 3}')

    with served(server.app) as url:
        (answer,) = complete(teacher(url, protocol), ask(json_schema=SCHEMA))

    assert json.loads(answer.text) == {"n": 3}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"retry-after": "0.3"}),
        Fault(500),
        Fault(529),
        Fault(200, {}, b"<html>not json"),
        Fault(200, {}, b'{"choices": []}'),
        Fault(200, {}, b'{"id": 3}', delay_seconds=2.0),
    ],
    ids=["429", "500", "overloaded", "garbage", "empty", "slow"],
)
def test_what_passes_is_tried_again(fault):
    faults = [fault]
    server = TeacherServer(lambda question, body: faults.pop() if faults else "at last")

    with served(server.app) as url:
        started = time.monotonic()
        (answer,) = complete(teacher(url, timeout_seconds=1.0), ask())

    assert answer.text == "at last"
    assert time.monotonic() - started >= (0.3 if fault.status == 429 else 0.0)
    assert len(server.log) == 2


def test_a_retry_after_makes_the_other_requests_wait_too():
    times: list[float] = []

    def script(question, body):
        times.append(time.monotonic())
        return Fault(429, {"retry-after": "0.5"}) if len(times) == 1 else "ok"

    async def one_then_others(url: str) -> None:
        endpoint = teacher(url)
        first = asyncio.create_task(endpoint.complete(ask("first")))
        while not times:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await asyncio.gather(first, *(endpoint.complete(ask(str(n))) for n in range(2)))
        await endpoint.close()

    with served(TeacherServer(script).app) as url:
        asyncio.run(one_then_others(url))

    assert times[1] - times[0] >= 0.5
    assert len(times) == 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_key_is_refused_at_once_and_never_shown(protocol, monkeypatch):
    server = TeacherServer(lambda question, body: "ok")
    monkeypatch.setenv("TEACHER_KEY", "sk-very-secret")

    with served(server.app) as url, pytest.raises(EndpointRefusedError) as caught:
        complete(teacher(url, protocol), ask())

    assert "401" in str(caught.value)
    assert "TEACHER_KEY" in caught.value.fix
    assert "sk-very-secret" not in f"{caught.value} {caught.value.fix}"

    monkeypatch.delenv("TEACHER_KEY")
    with pytest.raises(NotMadeYetError, match="TEACHER_KEY"):
        complete(teacher("http://127.0.0.1:1/v1"), ask())


def test_requests_that_would_fail_again_are_not_repeated_and_dead_endpoints_are_given_up():
    content = b'{"error": {"message": "too long"}}'
    replies = {"long": Fault(400, {}, content), "filtered": _filtered()}
    server = TeacherServer(lambda question, body: replies[question])

    with served(server.app) as url:
        for question, words in (("long", "400: too long"), ("filtered", "declines")):
            with pytest.raises(RequestError, match=words):
                complete(teacher(url), ask(question))
        with pytest.raises(UnknownNameError):
            complete(teacher(url), ask(model="other"))
    assert len(server.log) == 2
    with pytest.raises(EndpointError, match="gave no answer in 2 attempt"):
        complete(teacher("http://127.0.0.1:1/v1", attempts=2), ask())


def _filtered() -> Fault:
    choice = {"index": 0, "message": {"content": None}, "finish_reason": "content_filter"}
    return Fault(200, {}, json.dumps({"choices": [choice]}).encode())


def test_any_minute_sees_at_most_the_limits_and_a_pause_holds_for_all():
    now, sent = [0.0], []

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async def run() -> None:
        limiter = RateLimiter(30, 6_000, clock=lambda: now[0], sleep=sleep)
        for number in range(200):
            await limiter.acquire(300 if number < 60 else 10)
            sent.append((now[0], 300 if number < 60 else 10))
            if number < 60:
                limiter.settle(300, 250)
            if number == 100:
                limiter.pause(45)

    asyncio.run(run())

    for start, _ in sent:
        inside = [tokens for at, tokens in sent if start <= at < start + 60]
        assert len(inside) <= 30 * (1 + BURST_SECONDS / 60) + 1
    first_minute = sum(tokens for at, tokens in sent if at < 60)
    assert 5_000 < first_minute * 250 / 300 <= 6_000 * (1 + BURST_SECONDS / 60) + 300
    assert sent[101][0] - sent[100][0] >= 45


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("url: http://example.com/v1", "only https"),
        ("url: https://me:pw@example.com/v1", "no user or password"),
        ("url: ftp://example.com", "not an address"),
        ("key_variable: sk-live-123", "never a key"),
    ],
)
def test_unsafe_addresses_and_keys_in_the_recipe_are_refused_unrepeated(tmp_path, bad, words):
    text = f"name: a\ncurate:\n  synthesize:\n    teacher:\n      protocol: openai\n      model: m\n      {bad}\n"
    (tmp_path / "tunesmith.yaml").write_text(text)

    with pytest.raises(RecipeError) as caught:
        load(tmp_path / "tunesmith.yaml")

    assert words in str(caught.value)
    assert "sk-live-123" not in str(caught.value)
    assert "me:pw" not in str(caught.value)


def test_https_is_wanted_of_all_addresses_but_this_machines():
    for url in (
        "http://localhost:11434/v1",
        "http://127.0.0.1/v1",
        "http://[::1]:8/v1",
        "https://h/v1",
    ):
        assert RemoteConfig(protocol="openai", model="m", url=url).address == url
    with pytest.raises(ValidationError):
        RemoteConfig(protocol="openai", model="m", url="http://127.0.0.1.example.com/v1")


def test_our_own_server_answers_as_its_engine_does_and_takes_no_schemas(tiny_model, tmp_path):
    config = ModelConfig(base=str(tiny_model))
    resolved = resolve(config, tmp_path)
    loaded = load_model(resolved, config, quantization="none", precision="float32")
    engine = InProcessEngine(loaded, "m")
    request = ask("tell me", max_tokens=12)

    with served(make_app(engine, ServeConfig())) as url:
        remote = teacher(url)
        constrained = request.model_copy(update={"json_schema": SCHEMA})
        answers = complete(remote, request, constrained)
        expected = asyncio.run(engine.complete(request))
    asyncio.run(engine.close())

    for answer in answers:
        assert answer[:4] == expected[:4]


def test_the_base_model_of_the_recipe_teaches_in_this_process(tiny_model, tmp_path):
    local = open_teacher(
        RemoteConfig(protocol="local"), ModelConfig(base=str(tiny_model)), tmp_path
    )

    (answer,) = complete(local, ask(model=local.models()[0], max_tokens=5))

    assert answer.completion_tokens == 5
