"""MCP, the server's side: each tool that runs for a client."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Optional

from .._lifecycle import lifecycle
from .._patching import Patches, guarded
from .._span import Span
from .mcp_client import begin, end


def install(module: Any, patches: Patches) -> None:
    patches.replace(module.ToolManager, "call_tool", watching)


def watching(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def call_tool(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        if lifecycle.client is None:
            return await original(self, name, *args, **kwargs)
        given = kwargs.get("arguments", args[0] if args else None)
        span: Optional[Span] = guarded(begin, name, given, None)
        if span is None:
            return await original(self, name, *args, **kwargs)
        span.enter()
        try:
            result = await original(self, name, *args, **kwargs)
        except BaseException as error:
            span.leave()
            guarded(span.finish, error)
            raise
        span.leave()
        guarded(_done, span, result)
        return result

    return call_tool


def _done(span: Span, result: Any) -> None:
    if hasattr(result, "content") or isinstance(result, (list, tuple)):
        end(span, {"content": result} if isinstance(result, (list, tuple)) else result)
        return
    span.set(output=result)
    span.finish(None)
