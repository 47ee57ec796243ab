"""MCP, the client's side: each call of a server's tool."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Dict, Optional

from .._lifecycle import lifecycle
from .._patching import Patches, guarded
from .._span import Span
from .reading import get, many, plain


def install(module: Any, patches: Patches) -> None:
    patches.replace(module.ClientSession, "call_tool", watching)


def watching(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def call_tool(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        if lifecycle.client is None:
            return await original(self, name, *args, **kwargs)
        given = kwargs.get("arguments", args[0] if args else None)
        span: Optional[Span] = guarded(begin, name, given, self)
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
        guarded(end, span, result)
        return result

    return call_tool


def begin(name: str, given: Any, session: Any) -> Span:
    span = Span({"name": name, "attributes": {"protocol": "mcp", **_server(session)}}, "tool")
    if given is not None:
        span.given(given)
    return span


def _server(session: Any) -> Dict[str, Any]:
    info = getattr(session, "_server_info", None)
    name = get(info, "name")
    return {"mcp_server": name} if isinstance(name, str) else {}


def end(span: Span, result: Any) -> None:
    structured = get(result, "structuredContent") or get(result, "structured_content")
    texts = [get(part, "text") for part in many(result, "content")]
    if structured is not None:
        output: Any = plain(structured)
    elif texts and all(isinstance(text, str) for text in texts):
        output = texts[0] if len(texts) == 1 else texts
    else:
        output = plain(get(result, "content") or result)
    span.set(output=output)
    if get(result, "isError") or get(result, "is_error"):
        message = output if isinstance(output, str) else "the tool failed"
        span.set(status="error", error={"message": message, "type": "ToolError"})
    span.finish(None)
