"""Runs: what is logged inside belongs to them, and what is wrapped behaves as it did."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import (
    Any,
    AsyncIterator,
    Dict,
    Iterator,
    List,
    Tuple,
)

import pytest
from conftest import Start
from receiver import Receiver

import aisentry


def by_name(receiver: Receiver) -> Dict[str, Dict[str, Any]]:
    assert aisentry.flush(10)
    return {event.get("name") or event["model"]: event for event in receiver.taken}


def log(model: str) -> None:
    aisentry.log_prompt_call(model=model)


def test_tree(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    log("before")
    with aisentry.run("outer", input="question") as outer:
        log("first")
        with aisentry.run("inner") as inner:
            log("second")
            aisentry.log_event("span", name="own span", span_id=inner.span_id)
        log("third")
        aisentry.log_prompt_call(model="elsewhere", run_id="other")
        outer.set(output="answer")
    log("after")
    events = by_name(receiver)
    assert len(outer.run_id) == 32 and len(outer.span_id) == 16 and outer.run_id == inner.run_id
    places = {
        name: (event.get("run_id"), event.get("span_id"), event.get("parent_span_id"))
        for name, event in events.items()
    }
    run_id = outer.run_id
    assert places == {
        "before": (None, None, None),
        "outer": (run_id, outer.span_id, None),
        "first": (run_id, None, outer.span_id),
        "inner": (run_id, inner.span_id, outer.span_id),
        "second": (run_id, None, inner.span_id),
        "own span": (run_id, inner.span_id, None),
        "third": (run_id, None, outer.span_id),
        "elsewhere": ("other", None, None),
        "after": (None, None, None),
    }
    root = events["outer"]
    assert root["event_type"] == "span" and root["latency_ms"] >= events["inner"]["latency_ms"] >= 0
    assert root["input"] == "question" and root["output"] == "answer"
    assert root["timestamp"] <= events["first"]["timestamp"] <= events["third"]["timestamp"]


def test_continues_a_run_of_another_process(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    with aisentry.run("outer"):
        with aisentry.run("given", run_id="r-1", parent_span_id="s-1"):
            log("inside")
    events = by_name(receiver)
    assert events["given"]["run_id"] == "r-1" and events["given"]["parent_span_id"] == "s-1"
    assert events["inside"]["run_id"] == "r-1"


def test_who(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, tags=["init"])
    aisentry.set_user("program")
    with aisentry.run("first", user_id="a", tags=["x"]):
        log("in first")
        with aisentry.run("nested"):
            aisentry.set_session("s")
        log("set below")
        aisentry.set_user("b")
    with aisentry.run("second"):
        aisentry.set_tags(["y"])
    log("outside")
    seen = {
        name: (event.get("user_id"), event.get("session_id"), event.get("tags"))
        for name, event in by_name(receiver).items()
    }
    assert seen == {
        "in first": ("a", None, ["init", "x"]),
        "nested": ("a", "s", ["init", "x"]),
        "set below": ("a", "s", ["init", "x"]),
        "first": ("b", "s", ["init", "x"]),
        "second": ("program", None, ["init", "y"]),
        "outside": ("program", None, ["init"]),
    }


# What is raised inside; the status of the run's span; the type of its error.
OUTCOMES: List[Tuple[BaseException, Any, Any]] = [
    (ValueError("x"), "error", "ValueError"),
    (TimeoutError("x"), "timeout", "TimeoutError"),
    (asyncio.TimeoutError("x"), "timeout", "TimeoutError"),
    (asyncio.CancelledError(), "warning", "CancelledError"),
    (KeyboardInterrupt(), "warning", "KeyboardInterrupt"),
    (SystemExit(0), None, None),
    (SystemExit(3), "error", "SystemExit"),
    (GeneratorExit(), None, None),
]


@pytest.mark.parametrize("error,status,kind", OUTCOMES, ids=[repr(case[0]) for case in OUTCOMES])
def test_outcomes(
    error: BaseException, status: Any, kind: Any, receiver: Receiver, start: Start
) -> None:
    start(receiver.dsn)
    with pytest.raises(type(error)) as caught:
        with aisentry.run("failing"):
            raise error
    assert caught.value is error
    event = by_name(receiver)["failing"]
    assert event.get("status") == status
    assert event.get("error", {}).get("type", "").endswith(kind or "")
    assert ("stack" in event.get("error", {})) is (kind is not None)


def test_without_a_client() -> None:
    with aisentry.run("nothing") as active:
        assert active.run_id and active.span_id
        active.set(output=1)
        aisentry.set_user("u")

    @aisentry.run
    def twice(value: int) -> int:
        return value * 2

    assert twice(2) == 4


def test_the_names_of_decorated_functions(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    @aisentry.run
    def bare() -> None: ...

    @aisentry.run()
    def called() -> None: ...

    @aisentry.run("named", tags=["t"])
    def other() -> None: ...

    class Service:
        @aisentry.run
        def method(self, value: int) -> "Tuple[Service, int]":
            return self, value

        @aisentry.run
        @classmethod
        def make(cls) -> Any:
            return cls

        @staticmethod
        @aisentry.run
        def plain() -> int:
            return 5

    service = Service()
    bare(), called(), other()
    assert service.method(3) == (service, 3)
    assert Service.make() is Service and service.plain() == 5
    assert aisentry.run(functools.partial(divmod, 7))(2) == (3, 1)
    names = [event["name"].split(".")[-1] for event in (aisentry.flush(10), receiver.taken)[1]]
    assert names == ["bare", "called", "named", "method", "make", "plain", "span"]
    assert bare.__name__ == "bare" and list(inspect.signature(service.method).parameters) == [
        "value"
    ]


def test_each_call_is_a_run(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    @aisentry.run("count")
    def count(levels: int) -> None:
        if levels:
            count(levels - 1)

    count(2)
    count(0)
    assert aisentry.flush(10)
    first, second = {event["run_id"] for event in receiver.taken}
    assert first != second and len(receiver.taken) == 4
    assert len({event["span_id"] for event in receiver.taken}) == 4


def test_kinds_of_functions_stay() -> None:
    def plain() -> None: ...

    async def coroutine() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    for function in (plain, coroutine, generator, async_generator):
        wrapped: Any = aisentry.run("r")(function)
        for question in (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        ):
            assert question(wrapped) == question(function)
        assert wrapped.__wrapped__ is function


def test_tasks_do_not_mix(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    @aisentry.run("request")
    async def request(number: int) -> str:
        aisentry.set_user(number)
        await asyncio.sleep(0)
        log(f"first {number}")
        await asyncio.gather(step(number, "a"), step(number, "b"))
        return str(number)

    async def step(number: int, name: str) -> None:
        await asyncio.sleep(0)
        async with aisentry.run(f"step {number} {name}"):
            await asyncio.sleep(0)
            log(f"model {number} {name}")

    async def main() -> List[str]:
        return list(await asyncio.gather(*(request(number) for number in range(20))))

    assert asyncio.run(main()) == [str(number) for number in range(20)]
    assert aisentry.flush(10)
    roots = {event["user_id"]: event for event in receiver.taken if event.get("name") == "request"}
    assert len(roots) == 20 and len({root["run_id"] for root in roots.values()}) == 20
    for event in receiver.taken:
        name = event.get("name") or event["model"]
        if name != "request":
            root = roots[name.split()[1]]
            assert event["run_id"] == root["run_id"] and event["user_id"] == root["user_id"]
            if name.startswith(("step", "first")):
                assert event["parent_span_id"] == root["span_id"]


def test_threads(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    with aisentry.run("outer") as outer:
        context = contextvars.copy_context()
        threads = [
            threading.Thread(target=log, args=("alone",)),
            threading.Thread(target=context.run, args=(log, "taken along")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, log, "pool").result()
    events = by_name(receiver)
    assert "run_id" not in events["alone"]
    assert events["taken along"]["run_id"] == events["pool"]["run_id"] == outer.run_id
