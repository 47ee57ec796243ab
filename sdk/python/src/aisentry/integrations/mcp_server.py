"""MCP, the server's side: each tool that runs for a client."""

from __future__ import annotations

from typing import Any

from .._patching import Patches
from .._span import Span
from .around import spans_around
from .mcp_client import begin, end


def install(module: Any, patches: Patches) -> None:
    patches.replace(module.ToolManager, "call_tool", spans_around(begin, _end))


def _end(span: Span, result: Any) -> None:
    # Versions differ in how much of the answer is made here.
    if isinstance(result, (list, tuple)):
        end(span, {"content": result})
    elif hasattr(result, "content"):
        end(span, result)
    else:
        span.set(output=result)
