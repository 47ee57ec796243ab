"""Thread pools carry the span along: what is submitted inside of one belongs to it.

Only this package's own context variable is carried; the program's stay as they are.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable

from .._patching import Patches
from .._scope import Scope, current


def install(module: Any, patches: Patches) -> None:
    patches.replace(module.ThreadPoolExecutor, "submit", _carrying)


def _carrying(submit: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(submit)
    def carrying(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        scope = current.get()
        if scope is None:
            return submit(self, fn, *args, **kwargs)
        return submit(self, _run_in, scope, fn, *args, **kwargs)

    return carrying


def _run_in(scope: Scope, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
    outer = current.get()
    if outer is not None:
        return fn(*args, **kwargs)  # The program carries a context of its own.
    current.set(scope)
    try:
        return fn(*args, **kwargs)
    finally:
        current.set(outer)
