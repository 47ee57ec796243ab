"""Spans around code: `with`, `async with`, and decorated functions of every kind."""

from __future__ import annotations

import inspect
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple, Type, TypeVar, cast

from ._generators import around_async_generator, around_generator
from ._lifecycle import lifecycle
from ._span import Span

if TYPE_CHECKING:
    from ._fields import SpanKind

Function = TypeVar("Function", bound=Callable[..., Any])


class Block:
    """For `with` and `async with`, and a decorator of functions of every kind."""

    def __init__(
        self,
        name: Optional[str],
        fields: Dict[str, Any],
        kind: SpanKind = "span",
        capture_input: bool = False,
        capture_output: bool = False,
    ) -> None:
        self._name = name
        self._given = fields
        self._kind: SpanKind = kind
        self._capture_input = capture_input
        self._capture_output = capture_output
        self._active: List[Span] = []

    def __enter__(self) -> Span:
        span = self._begin(self._name)
        self._active.append(span)
        span.enter()
        return span

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._active:
            span = self._active.pop()
            span.leave()
            span.finish(error)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Function) -> Function:
        """Each call of the function is a span of its own."""
        method: Any = function
        if type(method) in (staticmethod, classmethod):
            return cast(Function, type(method)(self(method.__func__)))
        begin = self._beginning(method)
        wrapped: Any
        if inspect.isasyncgenfunction(function):
            wrapped = around_async_generator(function, begin)
        elif inspect.isgeneratorfunction(function):
            wrapped = around_generator(function, begin)
        elif inspect.iscoroutinefunction(function):
            wrapped = _around_coroutine(function, begin, self._capture_output)
        else:
            wrapped = _around_function(function, begin, self._capture_output)
        return cast(Function, wrapped)

    def _beginning(self, function: Any) -> Callable[[Any, Any], Span]:
        name = self._name or getattr(function, "__qualname__", None) or "span"
        is_stream = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
        names = _parameters(function) if self._capture_input else ()

        def begin(args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Span:
            span = self._begin(name)
            if self._capture_input:
                span.given(_by_name(names, args, kwargs))
            if is_stream and self._capture_output:
                span.capture_items()
            return span

        return begin

    def _begin(self, name: Optional[str]) -> Span:
        try:
            return Span({"name": name, **self._given}, self._kind)
        except Exception:  # Fields whose own code raises: the span goes on without them.
            return Span({"name": name}, self._kind)


def _around_function(
    function: Callable[..., Any], begin: Callable[[Any, Any], Span], captures: bool
) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if lifecycle.client is None:
            return function(*args, **kwargs)
        span = begin(args, kwargs)
        span.enter()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            span.leave()
            span.finish(error)
            raise
        span.leave()
        if captures:
            span.returned(result)
        span.finish(None)
        return result

    return call


def _around_coroutine(
    function: Callable[..., Any], begin: Callable[[Any, Any], Span], captures: bool
) -> Callable[..., Any]:
    @wraps(function)
    async def follow(*args: Any, **kwargs: Any) -> Any:
        if lifecycle.client is None:
            return await function(*args, **kwargs)
        span = begin(args, kwargs)
        span.enter()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            span.leave()
            span.finish(error)
            raise
        span.leave()
        if captures:
            span.returned(result)
        span.finish(None)
        return result

    return follow


def _parameters(function: Any) -> Tuple[str, ...]:
    """Names of what is given by position; those of an object or class it belongs to are ""."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()
    names: Tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return ("", *names[1:]) if names[:1] in (("self",), ("cls",)) else names


def _by_name(
    names: Tuple[str, ...], args: Tuple[Any, ...], kwargs: Dict[str, Any]
) -> Dict[str, Any]:
    values = {name: value for name, value in zip(names, args) if name}
    if len(args) > len(names):
        values["args"] = list(args[len(names) :])
    values.update(kwargs)
    return values
