"""LangChain and LangGraph, watched: chains, nodes, tools, retrievers, and model calls once each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell, tree

import aisentry

pytest.importorskip("langchain_core")
ChatOpenAI: Any = pytest.importorskip("langchain_openai").ChatOpenAI

from langchain_core.prompts import ChatPromptTemplate  # noqa: E402
from langchain_core.retrievers import BaseRetriever  # noqa: E402
from langchain_core.runnables import RunnableLambda  # noqa: E402
from langchain_core.tools import tool  # noqa: E402

CHAIN = ["span", "RunnableSequence", ["span", "ChatPromptTemplate"], ["prompt_call", "ChatOpenAI"]]


def model(provider: Provider) -> Any:
    return ChatOpenAI(model="gpt-x", base_url=f"{provider.url}/v1", api_key="k" * 20, max_retries=0)


def chain(provider: Provider) -> Any:
    return ChatPromptTemplate.from_messages([("user", "{question}")]) | model(provider)


def test_chain(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")
    answer = chain(provider).invoke({"question": "What is 2 + 2?"})
    assert answer.content == "2 + 2 = 4."
    events = told()
    assert tree(events) == [CHAIN] and len(provider.asked) == 1
    call = events[-1]
    assert call["prompt"] == [{"content": "What is 2 + 2?", "role": "user"}]
    assert call["response"] == "2 + 2 = 4." and call["tokens_input"] == 43
    assert events[0]["input"] == {"question": "What is 2 + 2?"}
    assert events[0]["output"]["content"] == "2 + 2 = 4."
    assert aisentry.current_span() is None


def test_streams(provider: Provider, told: Tell) -> None:
    async def read() -> str:
        pieces = [piece.content async for piece in chain(provider).astream({"question": "x"})]
        return "".join(pieces)

    provider.will_answer("openai_stream")
    assert "".join(piece.content for piece in model(provider).stream("Count")) == "1, 2, 3, 4, 5"
    assert asyncio.run(read()) == "1, 2, 3, 4, 5"
    events = told()
    assert tree(events) == [["prompt_call", "ChatOpenAI"], CHAIN]
    for event in events:
        if event["event_type"] == "prompt_call":
            assert event["response"] == "1, 2, 3, 4, 5" and event["time_to_first_token_ms"] > 0


def test_parallel(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")
    with aisentry.span("work"):
        chain(provider).batch([{"question": "a"}, {"question": "b"}])
    assert tree(told()) == [["span", "work", CHAIN, CHAIN]]


def test_failures(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(Exception, match="effort level"):
        chain(provider).invoke({"question": "x"})
    statuses = {event["name"]: event.get("status") for event in told()}
    assert statuses["ChatOpenAI"] == "error" == statuses["RunnableSequence"]


def test_retrievers(told: Tell) -> None:
    class Fixed(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            from langchain_core.documents import Document

            return [Document(page_content=f"about {query}")]

    def broken(value: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(ValueError):
        (Fixed() | RunnableLambda(broken)).invoke("Paris")
    events = {event["name"]: event for event in told()}
    assert events["Fixed"]["input"] == "Paris" and "about Paris" in str(events["Fixed"]["output"])
    assert events["Fixed"]["attributes"] == {"kind": "retrieval"}
    assert events["broken"]["status"] == "error"


def test_graph(provider: Provider, told: Tell) -> None:
    graph: Any = pytest.importorskip("langgraph.graph")
    prebuilt: Any = pytest.importorskip("langgraph.prebuilt")

    @tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    asked = model(provider).bind_tools([get_weather])
    builder = graph.StateGraph(graph.MessagesState)
    builder.add_node("agent", lambda state: {"messages": [asked.invoke(state["messages"])]})
    builder.add_node("tools", prebuilt.ToolNode([get_weather]))
    builder.add_edge(graph.START, "agent")
    builder.add_conditional_edges("agent", prebuilt.tools_condition)
    builder.add_edge("tools", "agent")
    provider.will_answer("openai_tools")
    builder.compile().invoke(
        {"messages": [("user", "What is the weather in Paris?")]},
        {"configurable": {"thread_id": "thread-1"}},
    )
    events = told()
    (root,) = tree(events)
    assert [branch[:2] for branch in root[2:]] == [
        ["agent_step", "agent"],
        ["agent_step", "tools"],
        ["agent_step", "agent"],
    ]
    calls = [event for event in events if event["event_type"] == "prompt_call"]
    assert len(calls) == 2 == len(provider.asked)
    (used,) = [event for event in events if event["event_type"] == "tool_call"]
    assert used["tool_name"] == "get_weather" and used["output"] == "sunny in Paris"
    assert used["input"] == {"city": "Paris"} or used["input"] == "{'city': 'Paris'}"
