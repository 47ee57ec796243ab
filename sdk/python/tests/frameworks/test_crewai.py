"""CrewAI, watched: a crew, its agent, and the model calls that it makes by another library."""

from __future__ import annotations

import os
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell, tree

for name in ("CREWAI_DISABLE_TELEMETRY", "OTEL_SDK_DISABLED", "LITELLM_LOCAL_MODEL_COST_MAP"):
    os.environ[name] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
crewai: Any = pytest.importorskip("crewai")


def test_crew(provider: Provider, told: Tell) -> None:
    provider.will_answer("crew_answer")
    model = crewai.LLM(model="openai/gpt-4o", base_url=f"{provider.url}/v1", api_key="k" * 20)
    clerk = crewai.Agent(role="Clerk", goal="Answer", backstory="Knows sums", llm=model)
    task = crewai.Task(description="Add 2 and 2", expected_output="A number", agent=clerk)
    result = crewai.Crew(agents=[clerk], tasks=[task]).kickoff(inputs={"a": 2})
    events = told()
    (root,) = [branch for branch in tree(events) if branch[1] == "crew"]
    step = root[2]
    assert root[0] == "span" and step[:2] == ["agent_step", "Clerk"]
    (call,) = [event for event in events if event["event_type"] == "prompt_call"]
    assert call["tokens_input"] == 43 and "4" in call["response"]
    by_name = {event["name"]: event for event in events}
    assert by_name["Clerk"]["input_data"].startswith("Add 2 and 2")
    assert by_name["crew"]["output"] == result.raw == by_name["Clerk"]["output_data"]


def test_tools(told: Tell) -> None:
    class Adder(crewai.tools.BaseTool):  # type: ignore[misc]
        name: str = "adder"
        description: str = "Adds."

        def _run(self, a: int, b: int) -> int:
            return a + b

    assert Adder().run(a=1, b=2) == 3
    (event,) = told()
    assert event["tool_name"] == "adder" and event["input"] == {"a": 1, "b": 2}
    assert event["output"] == 3
