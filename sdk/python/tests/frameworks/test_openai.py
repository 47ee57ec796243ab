"""OpenAI's own library, watched: every way of asking it, and nothing about it changed."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Dict, List

import pytest
from stand_in import Provider
from tree import Tell

import aisentry

openai = pytest.importorskip("openai")
MAJOR_MINOR = tuple(int(part) for part in openai.__version__.split(".")[:2])

ASKED: Dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "Count"}]}


def client(provider: Provider, kind: str = "OpenAI") -> Any:
    made = getattr(openai, kind)
    return made(base_url=f"{provider.url}/v1", api_key="key-0123456789", max_retries=0)


def needs(owner: Any, name: str) -> None:
    if not hasattr(owner, name):
        pytest.skip(f"openai {openai.__version__} has no {name}")


def test_chat(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_tools")
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    answer = client(provider).chat.completions.create(**ASKED, tools=tools, temperature=0.5)
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"
    (event,) = told()
    assert event["event_type"] == "prompt_call" and event["name"] == "openai.chat.completions"
    assert event["prompt"] == ASKED["messages"] and event["model_requested"] == "gpt-x"
    assert event["tool_definitions"] == tools
    assert event["model_parameters"] == {"temperature": 0.5}
    (call,) = event["tool_calls"]
    assert call["name"] == "get_weather" and call["arguments"] == {"city": "Paris"}
    assert (event["tokens_input"], event["tokens_output"]) == (167, 37)


def texts(pieces: List[Any]) -> str:
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def test_stream(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    stream = client(provider).chat.completions.create(**ASKED, stream=True)
    assert isinstance(stream, openai.Stream)
    assert texts(list(stream)) == "1, 2, 3, 4, 5"
    (event,) = told()
    assert event["response"] == "1, 2, 3, 4, 5" and event["finish_reason"] == "stop"
    assert event["time_to_first_token_ms"] <= event["latency_ms"]


def test_stream_left_early(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    stream = client(provider).chat.completions.create(**ASKED, stream=True)
    for piece in stream:
        if piece.choices and piece.choices[0].delta.content:
            break
    close = getattr(stream, "close", None) or stream.response.close
    close()
    del stream
    (event,) = told()
    assert event["response"] == "1" and event["attributes"] == {"stream": "not read to its end"}


def test_stream_that_nobody_reads_is_recorded_at_the_end(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    stream = client(provider).chat.completions.create(**ASKED, stream=True)
    assert told() == []
    aisentry._lifecycle.lifecycle.before_close()  # type: ignore[attr-defined]
    assert len(told()) == 1 and texts(list(stream)) == "1, 2, 3, 4, 5"
    assert len(told()) == 1


def test_raw_responses(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_chat")
    completions = client(provider).chat.completions
    needs(completions, "with_raw_response")
    raw = completions.with_raw_response.create(**ASKED)
    assert raw.parse().choices[0].message.content == "2 + 2 = 4." and raw.headers
    assert [event["response"] for event in told()] == ["2 + 2 = 4."]


def test_raw_streams(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    completions = client(provider).chat.completions
    needs(completions, "with_streaming_response")
    raw = completions.with_raw_response.create(**ASKED, stream=True)
    assert texts(list(raw.parse())) == "1, 2, 3, 4, 5"
    with completions.with_streaming_response.create(**ASKED, stream=True) as response:
        assert texts(list(response.parse())) == "1, 2, 3, 4, 5"
    provider.will_answer("openai_chat")
    with completions.with_streaming_response.create(**ASKED) as response:
        assert response.parse().choices[0].message.content == "2 + 2 = 4."
    answers = [event.get("response") for event in told()]
    assert answers == ["1, 2, 3, 4, 5", "1, 2, 3, 4, 5", "2 + 2 = 4."]


WAYS: Dict[str, Callable[[Any], Any]] = {
    "read": lambda response: response.read(),
    "text": lambda response: response.text(),
    "bytes": lambda response: b"".join(response.iter_bytes()),
    "small chunks": lambda response: b"".join(response.iter_bytes(7)),
    "lines": lambda response: list(response.iter_lines()),
    "text in pieces": lambda response: "".join(response.iter_text()),
    "httpx's own": lambda response: b"".join(response.http_response.iter_bytes()),
}


@pytest.mark.parametrize("way", WAYS)
def test_bodies_read_as_bytes(way: str, provider: Provider, told: Tell) -> None:
    completions = client(provider).chat.completions
    needs(completions, "with_streaming_response")
    provider.will_answer("openai_chat")
    with completions.with_streaming_response.create(**ASKED) as response:
        assert "2 + 2" in str(WAYS[way](response))
    provider.will_answer("openai_stream")
    with completions.with_streaming_response.create(**ASKED, stream=True) as response:
        assert "data: " in str(WAYS[way](response))
    first, second = told()
    assert (first["response"], second["response"]) == ("2 + 2 = 4.", "1, 2, 3, 4, 5")
    assert first["tokens_input"] > 0 and second["time_to_first_token_ms"] > 0


def test_bodies_left_early(provider: Provider, told: Tell) -> None:
    completions = client(provider).chat.completions
    needs(completions, "with_streaming_response")
    provider.will_answer("openai_stream")
    with completions.with_streaming_response.create(**ASKED, stream=True) as response:
        next(iter(response.iter_lines()))
    with completions.with_streaming_response.create(**ASKED, stream=True):
        pass
    told_of = [event["attributes"]["response"] for event in told()]
    assert told_of == ["not read to its end", "not read"]


def test_bytes_in_asyncio(provider: Provider, told: Tell) -> None:
    async def main() -> None:
        made = client(provider, "AsyncOpenAI")
        needs(made.chat.completions, "with_streaming_response")
        provider.will_answer("openai_chat")
        asked = made.chat.completions.with_streaming_response.create(**ASKED)
        async with asked as response:
            assert "2 + 2" in "".join([text async for text in response.iter_text()])
        await made.close()

    asyncio.run(main())
    assert [event["response"] for event in told()] == ["2 + 2 = 4."]


def test_stream_helper(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_stream")
    completions = client(provider).chat.completions
    needs(completions, "stream")
    with completions.stream(**ASKED) as stream:
        stream.until_done()
        assert stream.get_final_completion().choices[0].message.content == "1, 2, 3, 4, 5"
    (event,) = told()
    assert event["response"] == "1, 2, 3, 4, 5"


def test_parse_helper(provider: Provider, told: Tell) -> None:
    provider.will_answer("openai_tools")
    completions = client(provider).chat.completions
    needs(completions, "parse")
    answer = completions.parse(**ASKED)
    assert answer.choices[0].finish_reason == "tool_calls"
    (event,) = told()
    assert event["finish_reason"] == "tool_calls"


def test_responses(provider: Provider, told: Tell) -> None:
    made = client(provider)
    needs(made, "responses")
    provider.will_answer("responses_text")
    answer = made.responses.create(model="m", input="Say exactly: hello", instructions="Obey")
    stream_of = provider.will_answer("responses_tools_stream")
    assert stream_of is None and len(list(made.responses.create(model="m", input="x", stream=True)))
    first, second = told()
    assert first["response"] == answer.output_text and first["system_prompt"] == "Obey"
    assert first["prompt"] == "Say exactly: hello" and first["tokens_input"] > 0
    assert second["tool_calls"][0]["name"] == "get_temperature"
    assert second["time_to_first_token_ms"] > 0


def test_async(provider: Provider, told: Tell) -> None:
    async def main() -> None:
        made = client(provider, "AsyncOpenAI")
        provider.will_answer("openai_chat")
        answer = await made.chat.completions.create(**ASKED)
        assert answer.choices[0].message.content == "2 + 2 = 4."
        provider.will_answer("openai_stream")
        stream = await made.chat.completions.create(**ASKED, stream=True)
        assert isinstance(stream, openai.AsyncStream)
        async with aisentry.span("reading"):
            assert texts([piece async for piece in stream]) == "1, 2, 3, 4, 5"
        if hasattr(made.chat.completions, "with_streaming_response"):
            provider.will_answer("openai_chat")
            asked = made.chat.completions.with_streaming_response.create(**ASKED)
            async with asked as response:
                assert (await response.parse()).id
        await made.close()

    asyncio.run(main())
    answers = [event["response"] for event in told() if event["event_type"] == "prompt_call"]
    assert answers[:2] == ["2 + 2 = 4.", "1, 2, 3, 4, 5"]


def test_cancelled(provider: Provider, told: Tell) -> None:
    async def main() -> None:
        made = client(provider, "AsyncOpenAI")
        provider.will_hang()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(made.chat.completions.create(**ASKED), 0.2)
        provider.will_answer("openai_chat")
        await made.close()

    asyncio.run(main())
    (event,) = told()
    assert event["status"] in ("warning", "timeout") and "Cancelled" in event["error"]["type"]


def test_errors_are_the_same_objects(provider: Provider, told: Tell) -> None:
    provider.will_answer("anthropic_error")
    with pytest.raises(openai.BadRequestError) as caught:
        client(provider).chat.completions.create(**ASKED)
    (event,) = told()
    assert event["status"] == "error" and event["model"] == "gpt-x"
    assert event["error"]["message"] == str(caught.value)
    assert event["error"]["type"].endswith("BadRequestError") and "stack" in event["error"]


def test_wrong_arguments_raise_as_before(provider: Provider, told: Tell) -> None:
    with pytest.raises(TypeError):
        client(provider).chat.completions.create(mesages=[])
    assert told() == []


def test_one_client_is_wrapped(provider: Provider, told: Tell) -> None:
    aisentry.uninstrument()
    provider.will_answer("openai_chat")
    bare, wrapped = client(provider), client(provider)
    assert aisentry.wrap(wrapped) is wrapped and isinstance(wrapped, openai.OpenAI)
    assert aisentry.wrap(wrapped) is wrapped
    bare.chat.completions.create(**ASKED)
    assert told() == []
    wrapped.chat.completions.create(**ASKED)
    wrapped.with_options(timeout=5).chat.completions.create(**ASKED)
    bare.chat.completions.create(**ASKED)
    assert len(told()) == 2


def test_the_library_is_put_back() -> None:
    aisentry.uninstrument()
    request = openai._base_client.SyncAPIClient.request
    aisentry.init("http://key@127.0.0.1:1/p", instrument=["openai"])
    watched = openai._base_client.SyncAPIClient.request
    assert watched is not request and inspect.signature(watched) == inspect.signature(request)
    aisentry.uninstrument()
    assert openai._base_client.SyncAPIClient.request is request
