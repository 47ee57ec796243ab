"""A watched client beside a bare one: the same answers, types, errors and streams."""

from __future__ import annotations

import asyncio
import copy
import itertools
from typing import Any, Callable, Dict, List

import pytest
from stand_in import Provider
from tree import Tell

import aisentry

openai = pytest.importorskip("openai")

ASKED: Dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hi"}]}
ANSWERS = ["openai_chat", "openai_tools", "openai_stream", "anthropic_error", "google_text"]


def shown(value: Any) -> Any:
    """A value as far as a program can tell it from another one."""
    if hasattr(value, "model_dump"):
        return type(value), value.model_dump()
    return type(value), str(value)


def take(count: int) -> Callable[[Any], Any]:
    def taking(stream: Any) -> List[Any]:
        seen = [shown(next(stream)) for _ in range(count)]
        getattr(stream, "close", lambda: None)()
        return seen

    return taking


def within(stream: Any) -> List[Any]:
    with stream as entered:
        assert entered is stream
        return [shown(piece) for piece in entered]


def twice(stream: Any) -> List[Any]:
    return [[shown(piece) for piece in stream], [shown(piece) for piece in stream]]


def broken_off(stream: Any) -> Any:
    for piece in stream:
        raise ValueError(piece.id)


READS: Dict[str, Callable[[Any], Any]] = {
    "to its end": lambda stream: [shown(piece) for piece in stream],
    "twice": twice,
    "some": take(3),
    "one more than there are": take(99),
    "within": within,
    "broken off": broken_off,
    "not at all": lambda stream: type(stream),
}


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BaseException as error:
        return type(error), str(error), error.__cause__ is None, getattr(error, "body", None)


def made(provider: Provider, kind: str, is_watched: bool) -> Any:
    client = getattr(openai, kind)(
        base_url=f"{provider.url}/v1", api_key="key-0123456789", max_retries=0, timeout=5
    )
    return aisentry.wrap(client) if is_watched else client


@pytest.fixture
def alone(told: Tell) -> Tell:
    """Only what is wrapped is watched."""
    aisentry.uninstrument()
    return told


CASES = [
    *[(answer, streams, "to its end") for answer in ANSWERS for streams in (False, True)],
    *[("openai_stream", True, read) for read in READS if read != "to its end"],
]


@pytest.mark.parametrize("answer,streams,read", CASES)
def test_sync(answer: str, streams: bool, read: str, provider: Provider, alone: Tell) -> None:
    def work(is_watched: bool) -> Any:
        provider.will_answer(answer)
        client = made(provider, "OpenAI", is_watched)
        asked = copy.deepcopy(ASKED)
        options = {"stream": True} if streams else {}
        result = client.chat.completions.create(**asked, **options)
        assert asked == ASKED
        return READS[read](result) if streams else shown(result)

    bare = outcome(lambda: work(False))
    assert outcome(lambda: work(True)) == bare
    assert len(alone()) <= 1


@pytest.mark.parametrize("answer,streams", itertools.product(ANSWERS, [False, True]))
def test_async(answer: str, streams: bool, provider: Provider, alone: Tell) -> None:
    async def work(is_watched: bool) -> Any:
        provider.will_answer(answer)
        client = made(provider, "AsyncOpenAI", is_watched)
        try:
            if not streams:
                return shown(await client.chat.completions.create(**ASKED))
            stream = await client.chat.completions.create(**ASKED, stream=True)
            return [shown(piece) async for piece in stream]
        finally:
            await client.close()

    bare = outcome(lambda: asyncio.run(work(False)))
    assert outcome(lambda: asyncio.run(work(True))) == bare
    assert len(alone()) == 1


def test_a_hook_that_fails_changes_nothing(
    provider: Provider, alone: Tell, monkeypatch: pytest.MonkeyPatch, warnings: List[str]
) -> None:
    from aisentry.integrations import stainless

    def fails(*_: Any) -> Any:
        raise RuntimeError("a bug")

    for name in ("answered", "_piece", "_end", "failed"):
        monkeypatch.setattr(stainless.Watch, name, fails)
    client = made(provider, "OpenAI", True)
    for _ in range(2):
        provider.will_answer("openai_chat")
        assert client.chat.completions.create(**ASKED).choices[0].message.content == "2 + 2 = 4."
        provider.will_answer("openai_stream")
        assert len(list(client.chat.completions.create(**ASKED, stream=True))) > 5
        provider.will_answer("anthropic_error")
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(**ASKED)
    assert len(warnings) == 1
