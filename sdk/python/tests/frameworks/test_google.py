"""Google GenAI's own library, watched."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell

import aisentry

genai: Any = pytest.importorskip("google.genai")


def client(provider: Provider) -> Any:
    options = genai.types.HttpOptions(base_url=provider.url)
    return genai.Client(api_key="key-0123456789", http_options=options)


def test_generate(provider: Provider, told: Tell) -> None:
    provider.will_answer("google_text")
    config = genai.types.GenerateContentConfig(system_instruction="Be kind", temperature=0.5)
    made = client(provider)
    answer = made.models.generate_content(model="gemini-1.5-flash", contents="Hello", config=config)
    (event,) = told()
    assert event["response"] == answer.text and event["provider"] == "google"
    assert event["prompt"] == [{"parts": [{"text": "Hello"}], "role": "user"}]
    assert event["system_prompt"]["parts"] == [{"text": "Be kind"}]
    assert event["model_parameters"] == {"temperature": 0.5}
    assert event["tokens_output"] == 11 and event["finish_reason"] == "STOP"


def test_stream(provider: Provider, told: Tell) -> None:
    provider.will_answer("google_stream")
    made = client(provider)
    models = made.models
    read = [piece.text for piece in models.generate_content_stream(model="gemini-x", contents="Hi")]
    for _ in models.generate_content_stream(model="gemini-x", contents="Hi"):
        break
    first, second = told()
    assert first["response"] == "".join(read) and first["tokens_output"] == 8
    assert second["response"] == read[0]
    assert second["attributes"] == {"stream": "not read to its end"}


def test_tools_that_the_library_calls(provider: Provider, told: Tell) -> None:
    def generate_topic() -> str:
        """Makes up a topic."""
        with aisentry.span("inside", kind="tool"):
            return "sheep"

    logging.getLogger("google_genai.models").setLevel(logging.ERROR)
    provider.will_answer("google_tools", "google_text")
    config = genai.types.GenerateContentConfig(tools=[generate_topic])
    with aisentry.span("work"):
        made = client(provider)
        made.models.generate_content(model="gemini-x", contents="Hi", config=config)
    events = told()
    kinds = [event["event_type"] for event in events]
    assert kinds.count("prompt_call") == 2 and kinds.count("tool_call") == 3
    assert len({event["run_id"] for event in events}) == 1


def test_async(provider: Provider, told: Tell) -> None:
    async def main() -> str:
        made = client(provider)
        models = made.aio.models
        provider.will_answer("google_text")
        answer = await models.generate_content(model="gemini-x", contents="Hi")
        provider.will_answer("google_stream")
        async for _ in await models.generate_content_stream(model="gemini-x", contents="Hi"):
            pass
        return str(answer.text)

    text = asyncio.run(main())
    assert [event["response"] for event in told()] == [text, "The capital of France is Paris.\n"]


def test_error(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    made = client(provider)
    with pytest.raises(genai.errors.ClientError):
        made.models.generate_content(model="gemini-x", contents="Hi")
    (event,) = told()
    assert event["status"] == "error" and event["model"] == "gemini-x"


def test_one_client_is_wrapped(provider: Provider, told: Tell) -> None:
    aisentry.uninstrument()
    provider.will_answer("google_text")
    wrapped = aisentry.wrap(client(provider))
    for made in (client(provider), wrapped):
        made.models.generate_content(model="gemini-x", contents="Hi")
    assert len(told()) == 1
