"""A provider that answers, a receiver that takes events, and libraries watched as init() does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from receiver import Receiver  # noqa: E402
from stand_in import Provider  # noqa: E402
from tree import Tell  # noqa: E402

import aisentry  # noqa: E402

VOLATILE = ("event_id", "client", "project_id")


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tell]:
    """init(), and what the server has been told so far, in the order of the events' times."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "key-of-the-tests-0123456789")
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "0")
    running = Receiver()
    aisentry.init(running.dsn)

    def events() -> List[Dict[str, Any]]:
        assert aisentry.flush(20)
        bare = [
            {name: value for name, value in event.items() if name not in VOLATILE}
            for event in running.taken
        ]
        return sorted(bare, key=lambda event: str(event["timestamp"]))

    yield events
    aisentry.close(1)
    running.close()
