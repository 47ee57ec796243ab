"""CrewAI: crews, the tasks of their agents, and tools.

Its model calls are made by client libraries that are watched themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Dict, Optional, Tuple

from .._patching import Patches, guarded
from .._scope import current
from .._span import Span
from .around import spans_around
from .reading import get


def install(module: Any, patches: Patches) -> None:
    for path, kind, names, describe in (
        ("crewai.crew", "Crew", ("kickoff", "akickoff"), _crew),
        ("crewai.agent", "Agent", ("execute_task", "aexecute_task"), _task),
        ("crewai.tools.base_tool", "Tool", ("run", "arun"), _tool),
        ("crewai.tools.base_tool", "BaseTool", ("run", "arun"), _tool),
        ("crewai.tools.structured_tool", "CrewStructuredTool", ("invoke", "ainvoke"), _tool),
    ):
        owner = guarded(_class, path, kind)
        for name in names if owner is not None else ():
            if name in vars(owner):
                patches.replace(owner, name, spans_around(describe, _end))


def _class(path: str, name: str) -> Any:
    try:
        return getattr(import_module(path), name, None)
    except ImportError:
        return None  # Another version has it elsewhere, or not at all.


def _end(span: Span, result: Any) -> None:
    text = get(result, "raw")
    span.returned(result if text is None else text)


def _crew(crew: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Span:
    name = getattr(crew, "name", None) or "crew"
    span = Span({"name": str(name)}, "chain")
    inputs = kwargs.get("inputs", args[0] if args else None)
    if inputs:
        span.given(inputs)
    return span


def _task(agent: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Span:
    task = kwargs.get("task", args[0] if args else None)
    role = str(getattr(agent, "role", "agent")).strip()
    name = getattr(task, "name", None) or role
    fields: Dict[str, Any] = {"name": str(name), "agent_name": role}
    description = getattr(task, "description", None)
    if description:
        fields["input"] = str(description)
    return Span(fields, "agent")


def _tool(tool: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Span]:
    name = str(getattr(tool, "name", "tool"))
    scope = current.get()
    if scope is not None and scope.span is not None and scope.span.told().get("name") == name:
        return None  # One of its layers has told of it.
    span = Span({"name": name}, "tool")
    given = kwargs.get("input", args[0] if len(args) == 1 else kwargs or list(args))
    if given:
        span.given(given)
    return span
