"""Spans of frameworks that tell of starts and ends by an id of their own."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import Any, Dict, Optional, Union

from .._model_call import ModelCall
from .._scope import Scope, current, leave
from .._span import Span

# A framework that never tells the end of its spans must not fill the memory.
_OPEN_MAX = 10_000

Open = Union[Span, ModelCall]


class OpenSpans:
    def __init__(self) -> None:
        self._open: "OrderedDict[Any, Open]" = OrderedDict()
        # Spans that are not recorded stand for their parents.
        self._aliases: "OrderedDict[Any, Any]" = OrderedDict()
        self._roots: "weakref.WeakSet[Scope]" = weakref.WeakSet()
        self._lock = threading.RLock()

    def start(
        self,
        key: Any,
        parent: Any,
        fields: Dict[str, Any],
        kind: Any,
        is_model_call: bool = False,
        is_entered: bool = True,
    ) -> Open:
        """Opens and enters a span, within its parent where that is known."""
        outer = current.get()
        scope = self.scope(parent) if parent is not None else self._beside(outer)
        if scope is not None and scope is not outer:
            current.set(scope)
        made: Open = ModelCall(fields, kind) if is_model_call else Span(fields, kind)
        # Where the framework's parent is not where the program is, the program's place is kept.
        span = made.span if isinstance(made, ModelCall) else made
        if scope is not None and scope is not outer:
            span.back_to(outer)
            current.set(outer)
        if is_entered:
            span.enter()
        with self._lock:
            self._open[key] = made
            if parent is None:
                self._roots.add(span.scope)
            while len(self._open) > _OPEN_MAX:
                self._open.popitem(last=False)
        return made

    def _beside(self, scope: Optional[Scope]) -> Optional[Scope]:
        """Roots that a framework opens one after the other are side by side, not within."""
        while scope is not None and scope in self._roots and scope.span is not None:
            scope = scope.span.place
        return scope

    def pass_by(self, key: Any, parent: Any) -> None:
        """A span that is not recorded: what is inside of it belongs to its parent."""
        with self._lock:
            self._aliases[key] = self._aliases.get(parent, parent)
            while len(self._aliases) > _OPEN_MAX:
                self._aliases.popitem(last=False)

    def get(self, key: Any) -> Optional[Open]:
        with self._lock:
            return self._open.get(key)

    def scope(self, key: Any) -> Optional[Scope]:
        """Where what happens inside of the span belongs."""
        with self._lock:
            found = self._open.get(self._aliases.get(key, key))
        if found is None:
            return None
        return (found.span if isinstance(found, ModelCall) else found).scope

    def finish(
        self, key: Any, fields: Dict[str, Any], error: Optional[BaseException] = None
    ) -> None:
        with self._lock:
            self._aliases.pop(key, None)
            found = self._open.pop(key, None)
        if found is None:
            return
        if isinstance(found, ModelCall):
            found.leave()
            found.finish(fields, error)
            return
        found.leave()
        found.set(**{name: value for name, value in fields.items() if value is not None})
        found.finish(error)

    def step_out(self, key: Any) -> None:
        """The program goes on, while the span waits for its end."""
        scope = self.scope(key)
        if scope is not None and scope.span is not None:
            leave(scope, scope.span.place)
