"""Generators in a run: what is done to the wrapped one gives what it gives with the bare one."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Any, AsyncGenerator, AsyncIterator, Callable, Dict, Generator, Iterator, List

import pytest
from conftest import Start
from receiver import Receiver

import aisentry


def log(model: str) -> None:
    aisentry.log_prompt_call(model=model)


def by_name(receiver: Receiver) -> Dict[str, Dict[str, Any]]:
    assert aisentry.flush(10)
    return {event.get("name") or event["model"]: event for event in receiver.taken}


def counting() -> Generator[int, Any, str]:
    received: List[Any] = []
    try:
        for number in range(3):
            try:
                received.append((yield number))
            except ValueError as error:
                received.append(f"caught {error}")
                yield -1
    finally:
        received.append("finally")
    return f"end {received}"


def failing() -> Generator[int, Any, None]:
    yield 1
    raise KeyError("inside")


def stubborn() -> Generator[int, Any, None]:
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


def delegating() -> Generator[int, Any, str]:
    result = yield from counting()
    return f"delegated {result}"


def stop_inside() -> Generator[int, Any, None]:
    yield 1
    raise StopIteration("early")


def empty() -> Generator[int, Any, int]:
    return 5
    yield


def closes_with_value() -> Generator[int, Any, str]:
    try:
        yield 1
    except GeneratorExit:
        return "closed"
    return "ended"


GENERATORS: List[Callable[[], Generator[int, Any, Any]]] = [
    counting,
    failing,
    stubborn,
    delegating,
    stop_inside,
    empty,
    closes_with_value,
]


def drive(generator: Any, seed: int) -> List[Any]:
    choice = random.Random(seed)
    log: List[Any] = []
    for _ in range(choice.randrange(1, 8)):
        action = choice.randrange(6)
        try:
            if action <= 1:
                log.append(("next", next(generator)))
            elif action == 2:
                log.append(("send", generator.send(choice.choice([None, 1, "x"]))))
            elif action == 3:
                log.append(
                    (
                        "throw",
                        generator.throw(
                            choice.choice(
                                [ValueError("v"), KeyError("k"), StopIteration(3), GeneratorExit()]
                            )
                        ),
                    )
                )
            elif action == 4:
                log.append(("close", generator.close()))
            else:
                log.append(("list", [item for item, _ in zip(generator, range(5))]))
        except BaseException as error:
            log.append(
                (
                    action,
                    type(error),
                    str(error),
                    getattr(error, "value", None),
                    type(error.__cause__),
                )
            )
    return log


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("make", GENERATORS, ids=[make.__name__ for make in GENERATORS])
def test_generators_behave_as_bare(make: Any, receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    wrapped = aisentry.run("g")(make)
    for seed in range(300):
        assert drive(wrapped(), seed) == drive(make(), seed), seed
    assert aisentry.flush(20)
    assert aisentry.stats()["dropped"] == {}


def test_a_generator_that_is_left_early_is_recorded_once(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    @aisentry.run("stream")
    def stream() -> Iterator[int]:
        for number in range(10):
            log(f"inside {number}")
            yield number

    for number in stream():
        log(f"outside {number}")
        if number == 1:
            break
    events = by_name(receiver)
    assert len(receiver.taken) == 5
    assert events["stream"].get("status") is None
    assert {events["inside 0"]["run_id"], events["inside 1"]["run_id"]} == {
        events["stream"]["run_id"]
    }
    assert "run_id" not in events["outside 0"] and "run_id" not in events["outside 1"]


def test_arguments_that_do_not_fit() -> None:
    @aisentry.run
    def one(value: int) -> Iterator[int]:
        yield value

    with pytest.raises(TypeError):
        next(one(1, 2))  # type: ignore[call-arg]


async def async_counting() -> AsyncGenerator[Any, Any]:
    received: List[Any] = []
    try:
        for number in range(3):
            await asyncio.sleep(0)
            try:
                received.append((yield number))
            except ValueError as error:
                yield f"caught {error}"
        yield received
    finally:
        await asyncio.sleep(0)


async def async_failing() -> AsyncGenerator[Any, Any]:
    yield 1
    raise KeyError("inside")


async def async_stubborn() -> AsyncGenerator[Any, Any]:
    try:
        yield 1
    except GeneratorExit:
        yield 2


async def async_empty() -> AsyncGenerator[Any, Any]:
    return
    yield


ASYNC_GENERATORS: List[Callable[[], AsyncGenerator[Any, Any]]] = [
    async_counting,
    async_failing,
    async_stubborn,
    async_empty,
]


async def drive_async(generator: Any, seed: int) -> List[Any]:
    choice = random.Random(seed)
    log: List[Any] = []
    for _ in range(choice.randrange(1, 8)):
        action = choice.randrange(5)
        try:
            if action <= 1:
                log.append(await generator.__anext__())
            elif action == 2:
                log.append(await generator.asend(choice.choice([None, 1, "x"])))
            elif action == 3:
                log.append(
                    await generator.athrow(
                        choice.choice([ValueError("v"), KeyError("k"), StopAsyncIteration(3)])
                    )
                )
            else:
                log.append(await generator.aclose())
        except BaseException as error:
            log.append((action, type(error), str(error), type(error.__cause__)))
    return log


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("make", ASYNC_GENERATORS, ids=[make.__name__ for make in ASYNC_GENERATORS])
def test_async_generators_behave_as_bare(make: Any, receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    wrapped = aisentry.run("g")(make)

    async def main() -> None:
        for seed in range(200):
            assert await drive_async(wrapped(), seed) == await drive_async(make(), seed), seed

    asyncio.run(main())
    assert aisentry.flush(20)


def test_async_generators_and_their_consumers(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    @aisentry.run("stream")
    async def stream() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            log(f"inside {number}")
            yield number

    async def main() -> None:
        async for number in stream():
            log(f"outside {number}")

    asyncio.run(main())
    events = by_name(receiver)
    assert all(
        (events[f"inside {number}"]["run_id"] == events["stream"]["run_id"]) for number in range(3)
    )
    assert all("run_id" not in events[f"outside {number}"] for number in range(3))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is of 3.11")
def test_timeouts_and_cancellation_reach_inside(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    ended: List[str] = []

    @aisentry.run("slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("slow")

    @aisentry.run("slow stream")
    async def slow_stream() -> AsyncIterator[int]:
        async with asyncio.timeout(0.01):  # type: ignore[attr-defined,unused-ignore]
            yield 1
            await asyncio.sleep(100)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):  # type: ignore[attr-defined,unused-ignore]
                await slow()
        with pytest.raises(TimeoutError):
            async for _ in slow_stream():
                pass
        task = asyncio.ensure_future(slow())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["slow", "slow"]
    assert aisentry.flush(10)
    assert [event["status"] for event in receiver.taken] == ["warning", "timeout", "warning"]
