"""Pydantic AI, watched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell, tree

pydantic_ai: Any = pytest.importorskip("pydantic_ai")
models: Any = pytest.importorskip("pydantic_ai.models.openai")
OpenAIProvider: Any = pytest.importorskip("pydantic_ai.providers.openai").OpenAIProvider


def agent(provider: Provider) -> Any:
    kind = getattr(models, "OpenAIChatModel", None) or models.OpenAIModel
    model = kind("gpt-x", provider=OpenAIProvider(base_url=f"{provider.url}/v1", api_key="k" * 20))
    made = pydantic_ai.Agent(model, name="clerk", system_prompt="Be brief")

    @made.tool_plain
    def get_weather(city: str) -> str:
        return f"sunny in {city}"

    return made


def test_run(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_tools")
    result = agent(provider).run_sync("What is the weather in Paris?")
    events = told()
    (root,) = [event for event in events if event["event_type"] == "agent_step"]
    assert root["name"] == "clerk" and root["output_data"] == (
        result.output if hasattr(result, "output") else result.data
    )
    calls = [event for event in events if event["event_type"] == "prompt_call"]
    assert [call["tokens_input"] for call in calls] == [167, 214]
    assert calls[0]["prompt"][0] == {"role": "system", "content": "Be brief"}
    (used,) = [event for event in events if event["event_type"] == "tool_call"]
    assert used["tool_name"] == "get_weather" and used["input"] == {"city": "Paris"}
    assert len({event["run_id"] for event in events}) == 1
    # Around the tools stands a span in some versions.
    assert tree(events)[0][:2] == ["agent_step", "clerk"]


def test_stream(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")

    async def main() -> None:
        async with agent(provider).run_stream("Count") as stream:
            async for _ in stream.stream_text():
                pass

    asyncio.run(main())
    (call,) = [event for event in told() if event["event_type"] == "prompt_call"]
    assert call["response"] == "1, 2, 3, 4, 5" and call["tokens_output"] == 14


def test_failure(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(Exception, match="effort level"):
        agent(provider).run_sync("Hi")
    statuses = {event["event_type"]: event.get("status") for event in told()}
    assert statuses == {"agent_step": "error", "prompt_call": "error"}
