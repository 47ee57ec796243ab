"""The OpenAI Agents SDK, watched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell, tree

agents: Any = pytest.importorskip("agents")
openai: Any = pytest.importorskip("openai")


@agents.function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@agents.function_tool
def get_temperature(city: str) -> str:
    """The temperature of a city."""
    return "20"


def agent(provider: Provider, kind: str, tool: Any) -> Any:
    client = openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="k" * 20, max_retries=0)
    model = getattr(agents, kind)("gpt-x", client)
    return agents.Agent(name="Clerk", instructions="Be brief", tools=[tool], model=model)


def test_chat(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_tools")
    clerk = agent(provider, "OpenAIChatCompletionsModel", get_weather)
    result = asyncio.run(agents.Runner.run(clerk, "What is the weather in Paris?"))
    assert "sunny" in result.final_output
    events = told()
    step = [
        "agent_step",
        "Clerk",
        ["prompt_call", "agents.generation"],
        ["tool_call", "get_weather"],
        ["prompt_call", "agents.generation"],
    ]
    assert tree(events) == [["span", "Agent workflow", step]]
    (used,) = [event for event in events if event["event_type"] == "tool_call"]
    assert used["input"] == {"city": "Paris"} and used["output"] == "sunny in Paris"
    calls = [event for event in events if event["event_type"] == "prompt_call"]
    assert calls[0]["tool_calls"][0]["name"] == "get_weather"
    assert [call["tokens_input"] for call in calls] == [167, 214]


def test_streamed_responses(provider: Provider, told: Tell) -> None:
    provider.will_answer("responses_tools_stream")
    clerk = agent(provider, "OpenAIResponsesModel", get_temperature)

    async def main() -> str:
        result = agents.Runner.run_streamed(clerk, "What is the temperature in Tokyo?")
        async for _ in result.stream_events():
            pass
        return str(result.final_output)

    assert "Tokyo" in asyncio.run(main())
    calls = [event for event in told() if event["event_type"] == "prompt_call"]
    assert [call["name"] for call in calls] == ["agents.response"] * 2
    assert calls[0]["tool_calls"][0]["arguments"] == {"city": "Tokyo"}
    assert calls[0]["tokens_input"] == 366


def test_failure(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    clerk = agent(provider, "OpenAIChatCompletionsModel", get_weather)
    with pytest.raises(openai.BadRequestError):
        asyncio.run(agents.Runner.run(clerk, "Hi"))
    (call,) = [event for event in told() if event["event_type"] == "prompt_call"]
    assert call["status"] == "error"
