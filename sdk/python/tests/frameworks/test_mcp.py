"""MCP, both sides watched, in one process."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any, Tuple

import pytest
from tree import Tell, tree

import aisentry

pytest.importorskip("mcp")


def server() -> Tuple[Any, Any]:
    """A server with two tools, and a way to connect to it: both moved between versions."""
    try:
        made: Any = import_module("mcp.server.mcpserver").MCPServer("demo")
        connect: Any = import_module("mcp").Client(made)
    except (ImportError, AttributeError):
        made = import_module("mcp.server.fastmcp").FastMCP("demo")
        memory: Any = import_module("mcp.shared.memory")
        connect = memory.create_connected_server_and_client_session(made._mcp_server)

    @made.tool()
    def add(a: int, b: int) -> int:
        return a + b

    @made.tool()
    def fail() -> str:
        raise ValueError("no")

    return made, connect


def test_tools(told: Tell) -> None:
    _, connect = server()

    async def main() -> Any:
        async with connect as session:
            with aisentry.span("work"):
                await session.call_tool("add", {"a": 1, "b": 2})
                return await session.call_tool("fail", {})

    result = asyncio.run(main())
    assert getattr(result, "is_error", False) or getattr(result, "isError", False)
    events = told()
    (work,) = [branch for branch in tree(events) if branch[1] == "work"]
    assert [branch[:2] for branch in work[2:]] == [["tool_call", "add"], ["tool_call", "fail"]]
    asked = [event for event in events if event.get("tool_name") == "add"]
    assert all(event["input"] == {"a": 1, "b": 2} for event in asked)
    assert "3" in str(asked[0]["output"]) and len(asked) == 2
    failed = [event for event in events if event.get("tool_name") == "fail"]
    assert all(event["status"] == "error" for event in failed)
