"""Generators in, generators out that behave alike, each a span while it runs.

A generator runs in turns with its consumer: the span is entered for each turn and left after it,
so that what the consumer logs in between is not taken for the span's. Everything else is passed
through in both directions: values, exceptions (GeneratorExit, which is a close, too), the end.
Each turn is awaited where the consumer awaits it, in no task of its own: a time limit of the
consumer's stays a time limit.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, AsyncGenerator, Callable, Generator, Optional

from ._span import Span

Begin = Callable[[Any, Any], Span]


def around_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @wraps(function)
    def turns(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        source = function(*args, **kwargs)
        span = begin(args, kwargs)
        step: Any = source.send
        argument: Any = None
        failure: Optional[BaseException] = None
        try:
            while True:
                span.enter()
                try:
                    item = step(argument)
                except StopIteration as end:
                    span.returned(end.value)
                    return end.value
                finally:
                    span.leave()
                span.yielded(item)
                try:
                    argument = yield item
                    step = source.send
                except BaseException as thrown:
                    step, argument = source.throw, thrown
        except BaseException as error:
            failure = error
            raise
        finally:
            span.finish(failure)

    return turns


def around_async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @wraps(function)
    async def turns(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        source = function(*args, **kwargs)
        span = begin(args, kwargs)
        step: Any = source.asend
        argument: Any = None
        failure: Optional[BaseException] = None
        try:
            while True:
                span.enter()
                try:
                    item = await step(argument)
                except StopAsyncIteration:
                    return
                finally:
                    span.leave()
                span.yielded(item)
                try:
                    argument = yield item
                    step = source.asend
                except BaseException as thrown:
                    step, argument = source.athrow, thrown
        except BaseException as error:
            failure = error
            raise
        finally:
            span.finish(failure)

    return turns
