"""What is observed behaves as the bare one: for functions of any kind that hypothesis can think of.

A function is a script of steps; it is run bare and observed, by the same consumer, and all that
the consumer can see is compared.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any, AsyncGenerator, Callable, Generator, Iterator, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from receiver import Receiver

import aisentry


class Planned(Exception):
    pass


Step = Tuple[str, Any]
VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers()))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("yield"), VALUES),
        st.tuples(st.just("catch"), VALUES),
        st.tuples(st.just("raise"), st.just(None)),
        st.tuples(st.just("log"), st.just(None)),
        st.tuples(st.just("stop"), st.just(None)),
    ),
    max_size=6,
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("next"), st.just(None)),
        st.tuples(st.just("send"), VALUES),
        st.tuples(st.just("throw"), st.just(None)),
        st.tuples(st.just("close"), st.just(None)),
    ),
    max_size=8,
)
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module", autouse=True)
def recording() -> Iterator[Receiver]:
    running = Receiver()
    aisentry.init(running.dsn, instrument=False)
    yield running
    aisentry.close(1)
    running.close()


@pytest.fixture
def clean() -> None:
    """The recording goes on from one example to the next."""


def planned(steps: List[Step]) -> Callable[..., Generator[Any, Any, Any]]:
    def work(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        seen: List[Any] = [args, kwargs]
        for what, value in steps:
            if what == "yield":
                seen.append((yield value))
            elif what == "catch":
                try:
                    seen.append((yield value))
                except Planned as error:
                    seen.append(str(error))
            elif what == "raise":
                raise Planned("inside")
            elif what == "stop":
                return seen
            else:
                aisentry.log_tool_call("inside")
        return seen

    return work


def consume(generator: Generator[Any, Any, Any], actions: List[Step]) -> List[Any]:
    told: List[Any] = []
    for what, value in actions:
        try:
            if what == "next":
                told.append(next(generator))
            elif what == "send":
                told.append(generator.send(value))
            elif what == "throw":
                told.append(generator.throw(Planned("outside")))
            else:
                told.append(generator.close())
        except BaseException as error:
            told.append((type(error), str(error), getattr(error, "value", None)))
    return told


@QUICK
@given(STEPS, ACTIONS, st.lists(VALUES, max_size=2))
def test_generators(steps: List[Step], actions: List[Step], args: List[Any]) -> None:
    bare = planned(steps)
    observed = aisentry.observe(bare)
    assert consume(observed(*args), actions) == consume(bare(*args), actions)
    assert aisentry.current_span() is None


def planned_async(steps: List[Step]) -> Callable[..., AsyncGenerator[Any, Any]]:
    async def work(*args: Any) -> AsyncGenerator[Any, Any]:
        for what, value in steps:
            await asyncio.sleep(0)
            if what == "yield":
                yield (value, args)
            elif what == "catch":
                try:
                    yield (yield value)
                except Planned as error:
                    yield str(error)
            elif what == "raise":
                raise Planned("inside")
            elif what == "stop":
                return
            else:
                aisentry.log_tool_call("inside")

    return work


async def consume_async(generator: AsyncGenerator[Any, Any], actions: List[Step]) -> List[Any]:
    told: List[Any] = []
    for what, value in actions:
        try:
            if what == "next":
                told.append(await generator.__anext__())
            elif what == "send":
                told.append(await generator.asend(value))
            elif what == "throw":
                told.append(await generator.athrow(Planned("outside")))
            else:
                await generator.aclose()
                told.append("closed")
        except BaseException as error:
            told.append((type(error), str(error)))
    return told


@QUICK
@given(STEPS, ACTIONS)
def test_async_generators(steps: List[Step], actions: List[Step]) -> None:
    bare = planned_async(steps)
    observed = aisentry.observe(bare)

    async def main() -> Tuple[List[Any], List[Any]]:
        return await consume_async(observed(1), actions), await consume_async(bare(1), actions)

    first, second = asyncio.run(main())
    assert first == second


SIGNATURES: List[Callable[..., Any]] = [
    lambda: (),
    lambda a, b=2: (a, b),
    lambda *args, **kwargs: (args, kwargs),
    lambda a, *, key=None: (a, key),
]


@QUICK
@given(
    st.sampled_from(SIGNATURES),
    st.lists(VALUES, max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "key"]), VALUES, max_size=2),
    st.booleans(),
)
def test_functions(bare: Any, args: List[Any], kwargs: "dict[str, Any]", is_async: bool) -> None:
    async def coroutine(*given: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        return bare(*given, **named)

    def outcome(function: Any) -> Any:
        try:
            result = function(*args, **kwargs)
            return asyncio.run(result) if is_async else result
        except TypeError as error:
            return str(error)

    plain = coroutine if is_async else bare
    observed = aisentry.observe(plain)
    assert outcome(observed) == outcome(plain)
    assert inspect.signature(observed) == inspect.signature(plain)
    assert inspect.iscoroutinefunction(observed) == inspect.iscoroutinefunction(plain)
    assert observed.__wrapped__ is plain and observed.__doc__ == plain.__doc__


def test_results_and_errors_are_the_same_objects() -> None:
    thing, problem = object(), Planned("the one")

    @aisentry.observe
    def give() -> object:
        return thing

    @aisentry.observe
    def fail() -> None:
        raise problem

    assert give() is thing
    with pytest.raises(Planned) as caught:
        fail()
    assert caught.value is problem and problem.__context__ is None and problem.__cause__ is None


@pytest.mark.parametrize("form", ["coroutine", "generator"])
def test_time_limits_and_cancellation_pass_through(form: str) -> None:
    """A limit that the consumer sets reaches into what it waits for, and out again."""
    ended: List[str] = []

    @aisentry.observe
    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("coroutine")

    @aisentry.observe
    async def stream() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.append("generator")

    async def read() -> None:
        async for _ in stream():
            pass

    async def main() -> None:
        start = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waits() if form == "coroutine" else read(), 0.05)
        assert time.monotonic() - start < 5
        task = asyncio.ensure_future(waits() if form == "coroutine" else read())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert ended == [form, form]


def test_methods_and_callables() -> None:
    class Service:
        @aisentry.observe
        def method(self, value: int) -> int:
            return value

        @aisentry.observe
        @classmethod
        def make(cls) -> Any:
            return cls

        @staticmethod
        @aisentry.observe
        def plain(value: int) -> int:
            return value

        @property
        @aisentry.observe
        def size(self) -> int:
            return 7

        def __call__(self, value: int) -> int:
            return -value

    service = Service()
    assert (service.method(1), Service.make(), service.plain(3)) == (1, Service, 3)
    assert service.size == 7 and aisentry.observe(service)(4) == -4
    assert list(inspect.signature(service.method).parameters) == ["value"]


def test_recursion_as_deep_as_most_programs_go() -> None:
    @aisentry.observe
    def down(levels: int) -> int:
        return 0 if levels == 0 else 1 + down(levels - 1)

    assert down(150) == 150
