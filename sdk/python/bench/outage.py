"""What a program feels of a server that is away: the memory it holds, and the slowest call.

    python bench/outage.py [minutes] [refuse | hang]

It logs a thousand events of a kilobyte a second, for ten minutes unless told otherwise. Memory is
flat when the last lines say what the third does: by then the queue is full.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import List

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))

import aisentry

BURST_CALLS = 50
PAUSE_S = 0.05
LINES = 20


def resident_mib() -> float:
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if sys.argv[2:] == ["hang"]:
            # It takes connections and never says a word.
            server.listen(100)
        port = server.getsockname()[1]
        aisentry.init(f"http://0123456789abcdef@127.0.0.1:{port}/demo", instrument=False)
        start = time.monotonic()
        for line in range(1, LINES + 1):
            waits: List[float] = []
            while time.monotonic() - start < minutes * 60 * line / LINES:
                for _ in range(BURST_CALLS):
                    called = time.perf_counter()
                    aisentry.log_prompt_call(model="m", prompt="x" * 1000)
                    waits.append(time.perf_counter() - called)
                time.sleep(PAUSE_S)
            waits.sort()
            print(
                f"{time.monotonic() - start:6.1f} s  {resident_mib():7.1f} MiB  calls {len(waits)}"
                f"  median {waits[len(waits) // 2] * 1e6:.0f} us  slowest {waits[-1] * 1e3:.1f} ms",
                aisentry.stats(),
                flush=True,
            )
        ended = time.monotonic()
        aisentry.close()
        print(f"close took {time.monotonic() - ended:.1f} s")


if __name__ == "__main__":
    main()
