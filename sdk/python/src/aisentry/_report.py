"""What the SDK says to people: through the logger "aisentry", each kind of warning once."""

from __future__ import annotations

import logging
import sys
from typing import Set

logger = logging.getLogger("aisentry")


class Reporter:
    """One client's warnings. A second one of the same kind is a debug line."""

    def __init__(self) -> None:
        self._said: Set[str] = set()

    def warn_once(self, kind: str, message: str, *arguments: object) -> None:
        try:
            said = kind in self._said
            self._said.add(kind)
            logger.log(
                logging.DEBUG if said else logging.WARNING, f"aisentry: {message}", *arguments
            )
        except Exception:  # A broken log handler is no reason to break the program.
            pass


class _DebugHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The handler of AISENTRY_DEBUG, of which there is one."""


def show_debug_lines() -> None:
    """AISENTRY_DEBUG: what the SDK says goes to stderr, whatever the program's logging does."""
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    if not any(isinstance(handler, _DebugHandler) for handler in logger.handlers):
        logger.addHandler(_DebugHandler(sys.stderr))
