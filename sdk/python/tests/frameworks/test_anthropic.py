"""Anthropic's own library, watched."""

from __future__ import annotations

import asyncio
from typing import Any, Dict

import pytest
from stand_in import Provider
from tree import Tell

import aisentry

anthropic = pytest.importorskip("anthropic")
VERSION = tuple(int(part) for part in anthropic.__version__.split(".")[:2])
# Older ones stumble over the recording's block of thinking, watched or not.
knows_thinking = VERSION >= (0, 50)

ASKED: Dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 100,
    "system": "Be kind",
    "messages": [{"role": "user", "content": "Hi"}],
}


def client(provider: Provider, kind: str = "Anthropic") -> Any:
    return getattr(anthropic, kind)(base_url=provider.url, api_key="key-01234", max_retries=0)


def test_messages(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_tools")
    answer = client(provider).messages.create(**ASKED)
    assert isinstance(answer, anthropic.types.Message)
    (event,) = told()
    assert event["system_prompt"] == "Be kind" and event["prompt"] == ASKED["messages"]
    names = [call["arguments"]["name"] for call in event["tool_calls"]]
    assert names == ["Alice", "Bob", "Charlie", "Daisy"]
    assert event["response"].startswith("I'll help you") and event["finish_reason"] == "tool_use"


def test_what_was_cached_is_input(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_cache")
    client(provider).messages.create(**ASKED)
    (event,) = told()
    assert event["tokens_input"] == 1532
    assert event["tokens_cache_read"] == 1111 and event["tokens_cache_write"] == 418


def test_stream(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_stream")
    for _ in client(provider).messages.create(**ASKED, stream=True):
        pass
    (event,) = told()
    assert event["response"].startswith("I notice") and event["tokens_output"] == 189
    assert event["time_to_first_token_ms"] <= event["latency_ms"]


@pytest.mark.skipif(not knows_thinking, reason="the library cannot read the recording")
def test_stream_helper(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_stream")
    with client(provider).messages.stream(**ASKED) as stream:
        text = "".join(stream.text_stream)
        assert stream.get_final_message().usage.output_tokens == 189

    async def main() -> str:
        made = client(provider, "AsyncAnthropic")
        async with made.messages.stream(**ASKED) as stream:
            parts = [part async for part in stream.text_stream]
        await made.close()
        return "".join(parts)

    assert asyncio.run(main()) == text
    assert [event["response"] for event in told()] == [text, text]


def test_error(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(anthropic.BadRequestError):
        client(provider).messages.create(**ASKED)
    (event,) = told()
    assert event["status"] == "error" and "effort level" in event["error"]["message"]


def test_raw(provider: Provider, told: Tell) -> None:
    messages = client(provider).messages
    if not hasattr(messages, "with_raw_response"):
        pytest.skip(f"anthropic {anthropic.__version__} has no raw responses")
    provider.will_answer("anthropic_cache")
    assert messages.with_raw_response.create(**ASKED).parse().usage.output_tokens == 33
    assert [event["tokens_output"] for event in told()] == [33]


def test_one_client_is_wrapped(provider: Provider, told: Tell) -> None:
    aisentry.uninstrument()
    provider.will_answer("anthropic_cache")
    wrapped = aisentry.wrap(client(provider))
    client(provider).messages.create(**ASKED)
    wrapped.messages.create(**ASKED)
    assert len(told()) == 1
