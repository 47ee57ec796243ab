"""LiteLLM, watched: calls of several providers, each recorded once, where the program made it."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Dict, List

import pytest
from stand_in import Provider
from tree import Tell

import aisentry

# Otherwise it asks the network for prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
litellm: Any = pytest.importorskip("litellm")
litellm.suppress_debug_info = True
DEADLINE_S = 20.0

HI = [{"role": "user", "content": "Hi"}]


def options(provider: Provider, name: str = "openai") -> Dict[str, Any]:
    base = f"{provider.url}/v1" if name == "openai" else provider.url
    return {
        "model": f"{name}/model-x",
        "messages": HI,
        "api_base": base,
        "api_key": "k" * 20,
        "max_retries": 0,
    }


def calls(told: Tell, count: int) -> List[Dict[str, Any]]:
    """It tells of the end in a thread of its own."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = [event for event in told() if event["event_type"] == "prompt_call"]
        if len(found) >= count:
            break
        time.sleep(0.02)
    assert len(found) == count
    return found


def test_calls(provider: Provider, told: Tell) -> None:
    with aisentry.span("work") as work:
        provider.will_answer("openai_chat")
        litellm.completion(**options(provider), temperature=0.5)
        assert aisentry.current_span() is work
        provider.will_answer("anthropic_cache")
        litellm.completion(**options(provider, "anthropic"))
        provider.will_answer("openai_stream")
        for _ in litellm.completion(**options(provider), stream=True):
            pass
    first, second, third = calls(told, 3)
    assert first["response"] == "2 + 2 = 4." and first["provider"] == "openai"
    assert first["model_parameters"]["temperature"] == 0.5
    assert second["provider"] == "anthropic" and second["tokens_output"] == 33
    assert third["response"] == "1, 2, 3, 4, 5"
    for call in (first, second, third):
        assert call["parent_span_id"] == work.span_id and call["model_requested"] == "model-x"
        assert call["latency_ms"] > 0


def test_async_calls(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")

    async def main() -> None:
        async def one(name: str) -> None:
            async with aisentry.span(name):
                await litellm.acompletion(**options(provider))

        await asyncio.gather(one("a"), one("b"))
        # Its own queue is emptied by a task of this loop.
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if sum(event["event_type"] == "prompt_call" for event in told()) == 2:
                break
            await asyncio.sleep(0.02)

    asyncio.run(main())
    calls(told, 2)
    spans = {event["span_id"] for event in told() if event["event_type"] == "span"}
    assert {call["parent_span_id"] for call in calls(told, 2)} == spans


def test_failure(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(litellm.exceptions.BadRequestError):
        litellm.completion(**options(provider, "anthropic"))
    (call,) = calls(told, 1)
    assert call["status"] == "error" and "effort level" in call["error"]["message"]


def test_a_call_of_the_programs_own_is_its_own(provider: Provider, told: Tell) -> None:
    import openai

    provider.will_answer("anthropic_cache")
    litellm.completion(**options(provider, "anthropic"))
    provider.will_answer("openai_chat")
    client = openai.OpenAI(base_url=f"{provider.url}/v1", api_key="k" * 20)
    client.chat.completions.create(model="other", messages=HI)
    names = sorted(call["name"] for call in calls(told, 2))
    assert names == ["litellm.completion", "openai.chat.completions"]
