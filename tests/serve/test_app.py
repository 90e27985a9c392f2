"""The endpoint speaks OpenAI's protocol: whole, streamed, and when it refuses."""

import asyncio
import json

import httpx2
import openai
import pytest

from serving import answering
from tunesmith.engines.scripted import ScriptedEndpoint
from tunesmith.errors import RequestTooLargeError
from tunesmith.serve.app import make_app
from tunesmith.serve.config import ServeConfig


def script(request) -> str:
    asked = request.messages[-1].content if request.messages else request.text
    if asked == "long":
        raise RequestTooLargeError("prompt", size=9, limit=8, unit="tokens")
    return f"{request.model} heard {asked}"


@pytest.fixture(scope="module")
def url():
    endpoint = ScriptedEndpoint(script, ["base", "owner/tuned"])
    config = ServeConfig(max_body_bytes=2000, max_tokens=50)
    with answering(make_app(endpoint, config)) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as opened:
        yield opened


def ask(client, model: str = "owner/tuned", content: str = "hi", **options):
    messages = [{"role": "user", "content": content}]
    return client.chat.completions.create(model=model, messages=messages, **options)


def test_the_official_client_lists_models_and_gets_chat_and_text_answers(client):
    assert [model.id for model in client.models.list()] == ["base", "owner/tuned"]
    assert client.models.retrieve("owner/tuned").id == "owner/tuned"

    answer = ask(client, content=[{"type": "text", "text": "hi"}])
    assert answer.choices[0].message.content == "owner/tuned heard hi"
    assert (answer.choices[0].finish_reason, answer.usage.total_tokens) == ("stop", 4)
    assert ask(client, max_tokens=2).choices[0].finish_reason == "length"

    text = client.completions.create(model="base", prompt="raw")
    assert text.choices[0].text == "base heard raw"


def test_streams_join_to_the_whole_answer_and_end_with_usage_when_asked(client):
    events = list(ask(client, stream=True, stream_options={"include_usage": True}))

    said = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert said == "owner/tuned heard hi"
    assert events[0].choices[0].delta.role == "assistant"
    assert events[-2].choices[0].finish_reason == "stop"
    assert events[-1].usage.completion_tokens == 3

    pieces = client.completions.create(model="base", prompt="raw", stream=True)
    assert "".join(event.choices[0].text for event in pieces) == "base heard raw"


@pytest.mark.parametrize(
    ("request_of", "error", "words"),
    [
        (lambda c: ask(c, model="owner/tund"), openai.NotFoundError, "did you mean 'owner/tuned'?"),
        (
            lambda c: ask(c, stream=True, model="no"),
            openai.NotFoundError,
            "no model is called 'no'",
        ),
        (lambda c: ask(c, n=2), openai.BadRequestError, "n is not supported"),
        (lambda c: ask(c, temperature=-1), openai.BadRequestError, "temperature: "),
        (lambda c: ask(c, max_tokens=51), openai.APIStatusError, "the limit is 50"),
        (lambda c: ask(c, content="long"), openai.APIStatusError, "the limit is 8"),
        (lambda c: ask(c, content="x" * 3000), openai.APIStatusError, "the limit is 2000"),
        (lambda c: ask(c, content=[{"type": "image_url"}]), openai.BadRequestError, "type text"),
    ],
)
def test_refusals_have_openais_shape_and_say_the_fix(client, request_of, error, words):
    with pytest.raises(error) as caught:
        request_of(client)

    assert words in caught.value.body["message"]
    assert set(caught.value.body) == {"message", "type", "param", "code"}


def test_unknown_routes_broken_json_and_foreign_hosts_are_refused(url):
    assert httpx2.get(f"{url}/v2").json()["error"]["type"] == "invalid_request_error"
    broken = httpx2.post(
        f"{url}/v1/completions", content="{", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 400
    assert httpx2.get(f"{url}/health", headers={"host": "evil.example"}).status_code == 400
    assert httpx2.get(f"{url}/health").json() == {"status": "ok", "models": 2}


class _SlowEndpoint(ScriptedEndpoint):
    async def complete(self, request):
        await asyncio.sleep(0.5)
        return await super().complete(request)


def test_more_requests_than_places_are_refused_at_once_and_the_places_come_back():
    endpoint = _SlowEndpoint(script, ["base"])
    body = {"model": "base", "prompt": "x"}

    async def at_once(url: str) -> list[int]:
        async with httpx2.AsyncClient() as opened:
            sent = [opened.post(f"{url}/v1/completions", json=body) for _ in range(5)]
            return sorted(answer.status_code for answer in await asyncio.gather(*sent))

    with answering(make_app(endpoint, ServeConfig(max_waiting=2))) as url:
        assert asyncio.run(at_once(url)) == [200, 200, 429, 429, 429]
        assert asyncio.run(at_once(url))[0] == 200
        refused = httpx2.post(f"{url}/v1/completions", json={**body, "model": "none"})
    assert json.loads(refused.text)["error"]["code"] == "model_not_found"
