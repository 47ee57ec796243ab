"""One client object watched, where the whole library is not: what `wrap` does."""

from __future__ import annotations

from types import MethodType
from typing import Any, Callable

from ._lifecycle import lifecycle
from ._plain import type_name, type_of


def wrap_client(client: Any) -> None:
    """Watches this object's requests; told once when its kind is not known."""
    if _is_stainless(client):
        from .integrations.stainless import after, watching

        _watch(client, "request", watching)
        for name in ("copy", "with_options"):
            if name not in vars(client):
                after(client, name, wrap_client)
        return
    api = getattr(client, "_api_client", None)
    if api is not None and hasattr(api, "async_request"):
        from .integrations.google_genai import METHODS
        from .integrations.google_genai import watching as watching_google

        for name in METHODS:
            _watch(api, name, watching_google)
        return
    lifecycle.reporter.warn_once(
        "wrap", "wrap() does not know %s; it is left as it is.", type_name(client)
    )


def _is_stainless(client: Any) -> bool:
    return all(hasattr(client, name) for name in ("request", "post", "base_url", "_client"))


def _watch(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    kind = type_of(owner)
    original = getattr(kind, name)
    if name in vars(owner) or getattr(original, "_aisentry_watches", False):
        return  # This one, or all of its kind, are watched already.
    setattr(owner, name, MethodType(make(original), owner))
