"""What most tests need: a receiver, a client whose waits are short, and no trace of either."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Protocol

import pytest
from receiver import Receiver
from stand_in import Provider

import aisentry
from aisentry._ids import reseed
from aisentry._lifecycle import lifecycle
from aisentry._limits import Limits
from aisentry._model_call import expected
from aisentry._report import Reporter
from aisentry._scope import current
from aisentry._settings import read_settings

# What hypothesis keeps between runs does not belong beside the sources.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY",
    str(Path(__file__).resolve().parents[3] / "node_modules" / ".cache" / "hypothesis"),
)

QUICK: Dict[str, Any] = {
    # Long enough that a busy machine puts what a test logs into one batch; a flush does not wait
    # for it.
    "batch_age_s_max": 2.0,
    "retry_first_s": 0.001,
    "retry_delay_s_max": 0.01,
    "connect_s_max": 2.0,
    "answer_s_max": 2.0,
}


class Start(Protocol):
    def __call__(self, dsn: str, limits: Dict[str, Any] = ..., **options: Any) -> None: ...


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the caller's environment gets in, and nothing of one test into the next."""
    for name in list(os.environ):
        if name.startswith("AISENTRY_") and not name.startswith("AISENTRY_TEST_"):
            monkeypatch.delenv(name)
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
    lifecycle.reporter = Reporter()
    current.set(None)
    expected.set(None)
    yield
    aisentry.close(0.0)
    reseed()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def start() -> Start:
    """init() with the tests' own limits."""

    def starting(dsn: str, limits: Optional[Dict[str, Any]] = None, **options: Any) -> None:
        given: Dict[str, Any] = dict.fromkeys(
            ("release", "env", "sample_rate", "user_id", "session_id", "tags")
        )
        given.update(before_send=None, on_drop=None, enabled=None)
        given.update(options)
        settings = read_settings(dsn=dsn, reporter=lifecycle.reporter, **given)
        lifecycle.start(settings, Limits(**{**QUICK, **(limits or {})}))

    return starting


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[List[str]]:
    """What the SDK has said so far, as it grows."""
    said: List[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger = logging.getLogger("aisentry")
    handler = Collect(logging.WARNING)
    logger.addHandler(handler)
    caplog.set_level(logging.WARNING, "aisentry")
    yield said
    logger.removeHandler(handler)


# Of events, what every run makes anew.
VOLATILE = ("event_id", "client", "project_id")


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], List[Dict[str, Any]]]]:
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
