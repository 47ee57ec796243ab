"""The one client behind the module's functions: how it starts, forks and ends."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from typing import Callable, Optional

from ._client import Client
from ._ids import reseed
from ._limits import Limits
from ._report import Reporter
from ._settings import Settings


class Lifecycle:
    def __init__(self) -> None:
        self.client: Optional[Client] = None
        self.reporter = Reporter()
        # Ends what is still open, so that it is sent too.
        self.before_close: Optional[Callable[[], None]] = None
        # The last client, for stats() after close().
        self._last: Optional[Client] = None
        # Every client that may still have something to send.
        self._clients: "weakref.WeakSet[Client]" = weakref.WeakSet()
        self._lock = threading.RLock()
        self._is_watching = False

    def start(self, settings: Optional[Settings], limits: Optional[Limits] = None) -> None:
        """Makes a client of these settings the current one; the same settings keep the present."""
        with self._lock:
            if self.client is not None:
                if self.client.settings == settings:
                    return
                self.client.retire()
            self.client = None
            if settings is None:
                return
            self.client = self._last = Client(settings, Reporter(), limits)
            self._clients.add(self.client)
            if not self._is_watching:
                self._is_watching = True
                atexit.register(self._exit)
                if hasattr(os, "register_at_fork"):
                    os.register_at_fork(after_in_child=self._forked)

    def stop(self, timeout_s: float) -> bool:
        self._end_open()
        with self._lock:
            client, self.client = self.client, None
        return client is None or client.close(timeout_s)

    @property
    def last(self) -> Optional[Client]:
        return self._last

    def _forked(self) -> None:
        # Another thread of the parent may have held it.
        self._lock = threading.RLock()
        reseed()
        for client in list(self._clients):
            client.begin_in_child()

    def _end_open(self) -> None:
        if self.before_close is not None:
            self.before_close()

    def _exit(self) -> None:
        self._end_open()
        deadline = time.monotonic() + Limits().exit_s_max
        for client in list(self._clients):
            client.close(max(deadline - time.monotonic(), 0.0))


lifecycle = Lifecycle()
