"""A run: everything logged inside belongs to it, and the run itself is recorded as a span."""

from __future__ import annotations

import inspect
import sys
import time
from functools import wraps
from types import TracebackType
from typing import (
    Any,
    AsyncGenerator,
    Callable,
    Dict,
    Generator,
    List,
    Optional,
    Type,
    TypeVar,
    cast,
)

from ._ids import new_run_id, new_span_id
from ._lifecycle import lifecycle
from ._scope import Scope, Who, current
from ._settings import tags_of, text_of

Function = TypeVar("Function", bound=Callable[..., Any])


class ActiveRun:
    """What `with run(...)` gives: the run's ids, and a place for what becomes known on the way."""

    __slots__ = ("scope", "outer", "_fields", "_start_ns", "_start")

    def __init__(self, fields: Dict[str, Any]) -> None:
        outer = current.get()
        self._fields = fields
        self.outer = outer
        self._start_ns = time.time_ns()
        self._start = time.perf_counter()
        run_id = text_of(fields.pop("run_id", None))
        if run_id is None:
            run_id = new_run_id(self._start_ns) if outer is None else outer.run_id
        span_id = text_of(fields.pop("span_id", None)) or new_span_id()
        self.scope = Scope(run_id, span_id, _who(fields, outer, run_id))

    @property
    def run_id(self) -> str:
        return self.scope.run_id

    @property
    def span_id(self) -> str:
        """Parent of what is logged inside."""
        return self.scope.span_id

    def set(self, **fields: Any) -> None:
        """Adds fields to the run's own span: `set(output=answer)`."""
        self._fields.update(fields)

    def enter(self) -> None:
        current.set(self.scope)

    def leave(self) -> None:
        # Not a token: a generator may be closed in another context than the one it started in.
        if current.get() is self.scope:
            current.set(self.outer)

    def finish(self, error: Optional[BaseException]) -> None:
        """Records the span."""
        client = lifecycle.client
        if client is None:
            return
        latency_ms = (time.perf_counter() - self._start) * 1000
        fields: Dict[str, Any] = {
            "run_id": self.run_id,
            "span_id": self.span_id,
            "timestamp": self._start_ns / 1e9,
            "latency_ms": latency_ms,
        }
        outer, who = self.outer, self.scope.who
        if outer is not None and outer.run_id == self.run_id:
            fields["parent_span_id"] = outer.span_id
        fields.update(user_id=who.user_id, session_id=who.session_id)
        if who.tags:
            fields["tags"] = who.tags
        if error is not None:
            fields.update(_outcome(error))
        fields.update(self._fields)
        client.log("span", fields)


def _who(fields: Dict[str, Any], outer: Optional[Scope], run_id: str) -> Who:
    user_id = text_of(fields.pop("user_id", None))
    session_id = text_of(fields.pop("session_id", None))
    given_tags = fields.pop("tags", None)
    tags = () if given_tags is None else tags_of(given_tags)
    client = lifecycle.client
    inherited = outer.who if outer is not None else client.who if client is not None else Who()
    if (
        outer is not None
        and outer.run_id == run_id
        and user_id is None
        and session_id is None
        and not tags
    ):
        return inherited  # What is set further down the same run is set for all of it.
    return Who(
        user_id or inherited.user_id,
        session_id or inherited.session_id,
        tuple(dict.fromkeys((*inherited.tags, *tags))) if tags else inherited.tags,
    )


def _outcome(error: BaseException) -> Dict[str, Any]:
    """How a run that raised is recorded."""
    if isinstance(error, (GeneratorExit, StopIteration, StopAsyncIteration)):
        return {}  # A consumer that stops early is no failure.
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return {}
    # Only a program that has loaded asyncio can raise its errors; loading it takes long.
    kinds: Any = sys.modules.get("asyncio.exceptions")
    if isinstance(error, KeyboardInterrupt) or kinds and isinstance(error, kinds.CancelledError):
        return {"error": error, "status": "warning"}
    if isinstance(error, TimeoutError) or kinds and isinstance(error, kinds.TimeoutError):
        return {"error": error, "status": "timeout"}
    return {"error": error, "status": "error"}


class Run:
    """For `with` and `async with`, and a decorator of functions of every kind."""

    def __init__(self, name: Optional[str], fields: Dict[str, Any]) -> None:
        self._name = name
        self._given = fields
        self._active: List[ActiveRun] = []

    def __enter__(self) -> ActiveRun:
        active = self._begin(self._name)
        self._active.append(active)
        active.enter()
        return active

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._active:
            active = self._active.pop()
            active.leave()
            active.finish(error)

    async def __aenter__(self) -> ActiveRun:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Function) -> Function:
        """Each call of the function is a run of its own."""
        method: Any = function
        if type(method) in (staticmethod, classmethod):
            return cast(Function, type(method)(self(method.__func__)))
        name = self._name or getattr(function, "__qualname__", None) or "run"
        wrapped: Any
        if inspect.isasyncgenfunction(function):
            wrapped = self._around_async_generator(function, name)
        elif inspect.isgeneratorfunction(function):
            wrapped = self._around_generator(function, name)
        elif inspect.iscoroutinefunction(function):

            @wraps(function)
            async def follow(*args: Any, **kwargs: Any) -> Any:
                if lifecycle.client is None:
                    return await function(*args, **kwargs)
                with Run(name, self._given):
                    return await function(*args, **kwargs)

            wrapped = follow
        else:

            @wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                if lifecycle.client is None:
                    return function(*args, **kwargs)
                with Run(name, self._given):
                    return function(*args, **kwargs)

            wrapped = call
        return cast(Function, wrapped)

    def _begin(self, name: Optional[str]) -> ActiveRun:
        try:
            return ActiveRun({"name": name, **self._given})
        except Exception:  # Fields whose own code raises: the run goes on without them.
            return ActiveRun({"name": name})

    # A generator runs in turns with its consumer: the run is entered for each turn and left after
    # it, so that what the consumer logs in between is not taken for the run's. Everything else is
    # passed through in both directions: values, exceptions (GeneratorExit, which is a close,
    # too), the end.

    def _around_generator(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(function)
        def turns(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            source = function(*args, **kwargs)
            active = self._begin(name)
            step: Any = source.send
            argument: Any = None
            failure: Optional[BaseException] = None
            try:
                while True:
                    active.enter()
                    try:
                        item = step(argument)
                    except StopIteration as end:
                        return end.value
                    finally:
                        active.leave()
                    try:
                        argument = yield item
                        step = source.send
                    except BaseException as thrown:
                        step, argument = source.throw, thrown
            except BaseException as error:
                failure = error
                raise
            finally:
                active.finish(failure)

        return turns

    def _around_async_generator(
        self, function: Callable[..., Any], name: str
    ) -> Callable[..., Any]:
        @wraps(function)
        async def turns(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            source = function(*args, **kwargs)
            active = self._begin(name)
            step: Any = source.asend
            argument: Any = None
            failure: Optional[BaseException] = None
            try:
                while True:
                    active.enter()
                    try:
                        item = await step(argument)
                    except StopAsyncIteration:
                        return
                    finally:
                        active.leave()
                    try:
                        argument = yield item
                        step = source.asend
                    except BaseException as thrown:
                        step, argument = source.athrow, thrown
            except BaseException as error:
                failure = error
                raise
            finally:
                active.finish(failure)

        return turns
