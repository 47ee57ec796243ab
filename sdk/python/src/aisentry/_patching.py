"""Replacing a library's functions by ones that watch, and putting them back.

What a watcher does is guarded: an exception of its own never reaches the program. A module that is
not loaded yet is watched for, so that `init()` loads no library and may stand before its import.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from types import ModuleType
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, cast

from ._lifecycle import lifecycle
from ._plain import type_name

Install = Callable[[Any], None]
_MISSING: Any = object()


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a watcher; None when it fails, which is told once."""
    try:
        return function(*arguments)
    except Exception as error:
        lifecycle.reporter.warn_once(
            "instrument",
            "Watching a library failed (%s: %s); the program goes on.",
            type_name(error),
            error,
        )
        return None


class Switch:
    """Whether a hook that a library keeps for good is to do anything."""

    def __init__(self) -> None:
        self.is_on = True

    @property
    def records(self) -> bool:
        return self.is_on and lifecycle.client is not None


class Patches:
    """What was replaced, in order; and the hooks that were handed to libraries."""

    def __init__(self) -> None:
        self._switches: Dict[str, Switch] = {}
        self._undo: List[Tuple[Any, str, Any, Any]] = []
        self._lock = threading.RLock()

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Puts make(original) in the place of owner's attribute; once for each attribute."""
        with self._lock:
            own: Any = _own(owner, name)
            original: Any = own if own is not _MISSING else getattr(owner, name, None)
            if original is None or getattr(original, "_aisentry_watches", False):
                return
            made = make(original)
            made._aisentry_watches = True
            setattr(owner, name, made)
            self._undo.append((owner, name, own, made))

    def hook(self, library: str, hand_over: Callable[[Switch], None]) -> None:
        """Hands a hook to a library, once; later it is only switched on again."""
        with self._lock:
            switch = self._switches.get(library)
            if switch is not None:
                switch.is_on = True
                return
            switch = Switch()
            hand_over(switch)
            self._switches[library] = switch

    def undo(self) -> None:
        with self._lock:
            for switch in self._switches.values():
                switch.is_on = False
            while self._undo:
                owner, name, own, made = self._undo.pop()
                if _own(owner, name) is not made:
                    continue  # Somebody else stands before it: theirs stays, and ours within it.
                if own is _MISSING:
                    delattr(owner, name)
                else:
                    setattr(owner, name, own)


def _own(owner: Any, name: str) -> Any:
    """The attribute where it stands on the owner itself, not inherited."""
    attributes = cast(Mapping[str, Any], vars(owner))
    return attributes.get(name, _MISSING)


class _Loader(importlib.abc.Loader):
    """The module's own loader, and our turn when the module is there."""

    def __init__(self, loader: Any, after: Install) -> None:
        self._loader = loader
        self._after = after

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module is to look as if it had been loaded without us.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        guarded(self._after, module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class Watcher(importlib.abc.MetaPathFinder):
    """Calls an installer as soon as its module is loaded, or at once when it already is."""

    def __init__(self) -> None:
        self._wanted: Dict[str, List[Install]] = {}
        self._looking = threading.local()

    def when_loaded(self, name: str, install: Install) -> None:
        module = sys.modules.get(name)
        if module is not None and not getattr(module.__spec__, "_initializing", False):
            guarded(install, module)
            return
        self._wanted.setdefault(name, []).append(install)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        self._wanted.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]],
        target: Optional[ModuleType] = None,
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname not in self._wanted or getattr(self._looking, "now", False):
            return None
        self._looking.now = True
        try:
            spec = _find(self, fullname, path, target)
        finally:
            self._looking.now = False
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return spec
        spec.loader = _Loader(spec.loader, lambda module: self._loaded(fullname, module))
        return spec

    def _loaded(self, name: str, module: ModuleType) -> None:
        for install in self._wanted.pop(name, []):
            guarded(install, module)


def _find(
    own: Watcher, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType]
) -> Optional[importlib.machinery.ModuleSpec]:
    for finder in list(sys.meta_path):
        if finder is own or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


patches = Patches()
watcher = Watcher()
