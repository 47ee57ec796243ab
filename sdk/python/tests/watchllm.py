"""A real WatchLLM server for the tests: one that runs already, or one started for them.

AISENTRY_TEST_DSN names a running server; AISENTRY_TEST_SERVER_CMD starts one (`watchllm serve`, or
`bun src/main.ts serve`, by its full path). Without either the tests that need one are left out.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

from aisentry._dsn import Dsn

DEADLINE_S = 30.0
PROJECT = "python-sdk"
KEY = "key-of-the-python-sdk-test"
COMMAND = os.environ.get("AISENTRY_TEST_SERVER_CMD", "")
GIVEN_DSN = os.environ.get("AISENTRY_TEST_DSN", "")
# Servers share one staged library of 70 MB.
CACHE = Path(__file__).resolve().parents[3] / "node_modules" / ".cache" / "library"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(reached: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = reached()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {DEADLINE_S} s: {what}")


def serve(data_dir: Path) -> Iterator[str]:
    """Yields the DSN of a server that is ready; ends the server."""
    if GIVEN_DSN:
        yield GIVEN_DSN
        return
    port = free_port()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WATCHLLM_")},
        "WATCHLLM_LISTEN": f"127.0.0.1:{port}",
        "WATCHLLM_DATA_DIR": str(data_dir),
        "WATCHLLM_INIT_PROJECT": PROJECT,
        "WATCHLLM_INIT_KEY": KEY,
    }
    if CACHE.parent.exists():
        env["WATCHLLM_CACHE_DIR"] = str(CACHE)
    with open(data_dir / "server.log", "w+b") as log:
        process = subprocess.Popen(
            shlex.split(COMMAND), env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:

            def ready() -> bool:
                assert process.poll() is None, (data_dir / "server.log").read_text()
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                        return True
                except OSError:
                    return False

            until(ready, "/readyz")
            yield f"http://{KEY}@127.0.0.1:{port}/{PROJECT}"
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def text_of(dsn: Dsn, key: str = "") -> str:
    base = dsn.path[: -len("/v1/events")]
    return f"{dsn.scheme}://{key or dsn.key}@{dsn.host}:{dsn.port}{base}/{dsn.project_id}"


def get(dsn: Dsn, path: str) -> Dict[str, Any]:
    base = dsn.origin + dsn.path[: -len("/v1/events")]
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {dsn.key}"})
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        document: Dict[str, Any] = json.load(answer)
        return document
