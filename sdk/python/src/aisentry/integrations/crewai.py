"""CrewAI: crews, the tasks of their agents, and tools.

Its model calls are made by client libraries that are watched themselves.
"""

from __future__ import annotations

import inspect
from functools import wraps
from importlib import import_module
from typing import Any, Callable, Dict, Optional, Tuple

from .._lifecycle import lifecycle
from .._patching import Patches, guarded
from .._scope import current
from .._span import Span
from .reading import get

Describe = Callable[[Any, Tuple[Any, ...], Dict[str, Any]], Optional[Span]]


def install(module: Any, patches: Patches) -> None:
    for path, kind, names, describe in (
        ("crewai.crew", "Crew", ("kickoff", "akickoff"), _crew),
        ("crewai.agent", "Agent", ("execute_task", "aexecute_task"), _task),
        ("crewai.tools.base_tool", "Tool", ("run", "arun"), _tool),
        ("crewai.tools.base_tool", "BaseTool", ("run", "arun"), _tool),
        ("crewai.tools.structured_tool", "CrewStructuredTool", ("invoke", "ainvoke"), _tool),
    ):
        owner = guarded(_class, path, kind)
        for name in names:
            if owner is not None and name in vars(owner):
                patches.replace(owner, name, _watching(describe))


def _class(path: str, name: str) -> Any:
    try:
        return getattr(import_module(path), name, None)
    except ImportError:
        return None  # Another version has it elsewhere, or not at all.


def _watching(describe: Describe) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            @wraps(original)
            async def follow(self: Any, *args: Any, **kwargs: Any) -> Any:
                span = _begin(describe, self, args, kwargs)
                if span is None:
                    return await original(self, *args, **kwargs)
                span.enter()
                try:
                    result = await original(self, *args, **kwargs)
                except BaseException as error:
                    _end(span, None, error)
                    raise
                _end(span, result, None)
                return result

            return follow

        @wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            span = _begin(describe, self, args, kwargs)
            if span is None:
                return original(self, *args, **kwargs)
            span.enter()
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                _end(span, None, error)
                raise
            _end(span, result, None)
            return result

        return call

    return make


def _begin(describe: Describe, owner: Any, args: Any, kwargs: Dict[str, Any]) -> Optional[Span]:
    if lifecycle.client is None:
        return None
    span: Optional[Span] = guarded(describe, owner, args, kwargs)
    return span


def _end(span: Span, result: Any, error: Optional[BaseException]) -> None:
    span.leave()
    text = get(result, "raw")
    guarded(span.returned, result if text is None else text)
    guarded(span.finish, error)


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
