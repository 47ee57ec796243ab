"""Methods of libraries, sync and async, each call of which is a span or a request."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any, Callable, Dict, Optional, Protocol, Tuple

from .._lifecycle import lifecycle
from .._patching import guarded
from .._span import Span

# Of the object, and what its method is called with; None leaves the call alone.
Begin = Callable[[Any, Tuple[Any, ...], Dict[str, Any]], Optional[Span]]
# Adds what was returned, and says whether that is a failure.
End = Callable[[Span, Any], None]


def spans_around(begin: Begin, end: End) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For Patches.replace: the method, watched."""

    def start(owner: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Span]:
        if lifecycle.client is None:
            return None
        span: Optional[Span] = guarded(begin, owner, args, kwargs)
        if span is not None:
            span.enter()
        return span

    def done(span: Span, result: Any) -> None:
        span.leave()
        guarded(end, span, result)
        guarded(span.finish, None)

    def failed(span: Span, error: BaseException) -> None:
        span.leave()
        guarded(span.finish, error)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            @wraps(original)
            async def follow(self: Any, *args: Any, **kwargs: Any) -> Any:
                span = start(self, args, kwargs)
                if span is None:
                    return await original(self, *args, **kwargs)
                try:
                    result = await original(self, *args, **kwargs)
                except BaseException as error:
                    failed(span, error)
                    raise
                done(span, result)
                return result

            return follow

        @wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            span = start(self, args, kwargs)
            if span is None:
                return original(self, *args, **kwargs)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                failed(span, error)
                raise
            done(span, result)
            return result

        return call

    return make


class Watched(Protocol):
    """One request that is on its way."""

    def answered(self, result: Any) -> Any:
        """What the caller gets in the place of the result; None for the result itself."""
        ...

    def failed(self, error: BaseException) -> None: ...


def requests_around(
    begin: Callable[[Any, Tuple[Any, ...], Dict[str, Any]], Optional[Watched]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For Patches.replace: the method of a client that sends requests, watched."""

    def start(client: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Watched]:
        if lifecycle.client is None:
            return None
        watched: Optional[Watched] = guarded(begin, client, args, kwargs)
        return watched

    def answer(watched: Watched, result: Any) -> Any:
        instead = guarded(watched.answered, result)
        return result if instead is None else instead

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            @wraps(original)
            async def follow(self: Any, *args: Any, **kwargs: Any) -> Any:
                watched = start(self, args, kwargs)
                if watched is None:
                    return await original(self, *args, **kwargs)
                try:
                    result = await original(self, *args, **kwargs)
                except BaseException as error:
                    guarded(watched.failed, error)
                    raise
                return answer(watched, result)

            return follow

        @wraps(original)
        def request(self: Any, *args: Any, **kwargs: Any) -> Any:
            watched = start(self, args, kwargs)
            if watched is None:
                return original(self, *args, **kwargs)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                guarded(watched.failed, error)
                raise
            return answer(watched, result)

        return request

    return make
