"""LlamaIndex, watched: queries, retrieval, embeddings, tools, and model calls once each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stand_in import Provider
from tree import Tell, tree

core: Any = pytest.importorskip("llama_index.core")
OpenAI: Any = pytest.importorskip("llama_index.llms.openai").OpenAI

from llama_index.core.llms import ChatMessage, MockLLM  # noqa: E402

HI = [ChatMessage(role="user", content="Hi")]


def model(provider: Provider) -> Any:
    return OpenAI(model="gpt-4o", api_base=f"{provider.url}/v1", api_key="k" * 20, max_retries=0)


def test_chat(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")
    model(provider).chat(HI)
    asyncio.run(model(provider).achat(HI))
    events = told()
    assert tree(events) == [["prompt_call", "OpenAI.chat"], ["prompt_call", "OpenAI.achat"]]
    for event in events:
        assert event["response"] == "2 + 2 = 4." and event["tokens_input"] == 43
        assert event["prompt"] == [{"role": "user", "content": "Hi"}]


def test_stream(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    read = "".join(piece.delta or "" for piece in model(provider).stream_chat(HI))
    assert read == "1, 2, 3, 4, 5"
    (event,) = told()
    assert event["response"] == read and event["tokens_output"] == 14


def test_models_without_a_watched_library(told: Tell) -> None:
    MockLLM(max_tokens=5).complete("one two three")
    (event,) = told()
    assert event["prompt"] == "one two three" and event["response"] == "text text text text text"


def test_query(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")
    documents = [core.Document(text="Paris is big"), core.Document(text="Rome is old")]
    index = core.VectorStoreIndex.from_documents(
        documents, embed_model=core.MockEmbedding(embed_dim=4)
    )
    before = len(told())
    reply = index.as_query_engine(llm=model(provider)).query("Which is big?")
    assert str(reply) == "2 + 2 = 4."
    events = told()[before:]
    (root,) = tree(events)
    assert root[0] == "span" and root[1].endswith("QueryEngine.query")
    kinds = {event.get("attributes", {}).get("kind"): event["name"] for event in events}
    assert kinds["retrieval"].endswith("Retriever.retrieve")
    assert kinds["embedding"].endswith("Embedding.get_query_embedding")
    assert [event["event_type"] for event in events].count("prompt_call") == 1
    assert events[0]["input"] == "Which is big?" and events[0]["output"] == "2 + 2 = 4."


def test_failure(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(Exception, match="effort level"):
        model(provider).chat(HI)
    (event,) = told()
    assert event["status"] == "error"
