"""MCP, the client's side: each call of a server's tool."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from .._patching import Patches
from .._span import Span
from .around import spans_around
from .reading import get, many, plain


def install(module: Any, patches: Patches) -> None:
    patches.replace(module.ClientSession, "call_tool", spans_around(begin, end))


def begin(session: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Span:
    """A tool's name and arguments, as both sides are called."""
    name = str(kwargs.get("name", args[0] if args else "tool"))
    given = kwargs.get("arguments", args[1] if len(args) > 1 else None)
    server = get(session, "_server_info", "name")
    attributes = {"protocol": "mcp", **({"mcp_server": server} if server else {})}
    span = Span({"name": name, "attributes": attributes}, "tool")
    if given is not None:
        span.given(given)
    return span


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
