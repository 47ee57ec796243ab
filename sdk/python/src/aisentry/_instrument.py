"""Which libraries are watched, and by which file of integrations/; each when it is loaded."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Dict, Iterable, List, Tuple, Union

from ._lifecycle import lifecycle
from ._patching import Patches, patches, watcher

# Name for people, module that is waited for, file that knows it.
LIBRARIES: Tuple[Tuple[str, str, str], ...] = (
    ("openai", "openai._base_client", "stainless"),
    ("anthropic", "anthropic._base_client", "stainless"),
    ("groq", "groq._base_client", "stainless"),
    ("google-genai", "google.genai._api_client", "google_genai"),
    ("langchain", "langchain_core.callbacks.manager", "langchain"),
    ("llama-index", "llama_index.core.instrumentation", "llama_index"),
    ("openai-agents", "agents.tracing", "openai_agents"),
    ("crewai", "crewai", "crewai"),
    ("litellm", "litellm", "litellm"),
    ("pydantic-ai", "pydantic_ai", "pydantic_ai"),
    ("mcp", "mcp.client.session", "mcp_client"),
    ("mcp", "mcp.server.fastmcp.tools.tool_manager", "mcp_server"),
    ("mcp", "mcp.server.mcpserver.tools.tool_manager", "mcp_server"),
    ("threads", "concurrent.futures.thread", "threads"),
)
NAMES = tuple(dict.fromkeys(name for name, _, _ in LIBRARIES))

# What init() and AISENTRY_INSTRUMENT take: all, none, or some by name.
Choice = Union[bool, Iterable[str]]


def chosen(choice: Any) -> List[str]:
    if choice is True:
        return list(NAMES)
    if not choice:
        return []
    wanted = [choice] if isinstance(choice, str) else list(choice)
    for name in wanted:
        if name not in NAMES:
            lifecycle.reporter.warn_once(
                f"instrument {name}",
                "There is no library %s; there are %s.",
                name,
                ", ".join(NAMES),
            )
    return [name for name in NAMES if name in wanted]


_watched: Dict[str, bool] = {}


def watch(choice: Any) -> None:
    """Watches libraries, loaded or still to be loaded; those already watched stay so."""
    for name in chosen(choice):
        if name in _watched:
            continue
        _watched[name] = True
        for library, module, file in LIBRARIES:
            if library == name:
                watcher.when_loaded(module, _installer(file))


def _installer(file: str) -> Any:
    def install(module: Any) -> None:
        known = import_module(f".integrations.{file}", __package__)
        installer: Any = known.install
        installer(module, patches)

    return install


def unwatch() -> None:
    """Puts every library back as it was."""
    watcher.stop()
    _watched.clear()
    patches.undo()


__all__ = ["NAMES", "Choice", "Patches", "unwatch", "watch"]
