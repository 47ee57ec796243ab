"""Processes and threads: forks, pools, ends of programs, event loops."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from conftest import Start
from receiver import HANG, Answer, Receiver

import aisentry

SRC = str(Path(__file__).resolve().parents[1] / "src")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# Python 3.12 and later warn of any fork of a process with threads; that is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def program(source: str, dsn: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program that ends by itself."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AISENTRY_")}
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(source)],
        env={**bare, "PYTHONPATH": SRC, "AISENTRY_DSN": dsn, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def models(receiver: Receiver) -> List[str]:
    return sorted(str(event.get("model") or event.get("name")) for event in receiver.taken)


# Programs, and the models that have arrived once they have ended.
ENDINGS: List[Tuple[str, str, List[str]]] = [
    (
        "falls off its end",
        "import aisentry; aisentry.init(); aisentry.log_prompt_call(model='a')",
        ["a"],
    ),
    (
        "exits",
        "import aisentry, sys; aisentry.init(); aisentry.log_prompt_call(model='a'); sys.exit(0)",
        ["a"],
    ),
    (
        "raises",
        "import aisentry; aisentry.init(); aisentry.log_prompt_call(model='a'); 1 / 0",
        ["a"],
    ),
    (
        "many events",
        "import aisentry as a; a.init()\n[a.log_prompt_call(model='a') for n in range(1000)]",
        ["a"] * 1000,
    ),
    (
        "logs while it ends",
        """
        import atexit, aisentry
        aisentry.init()
        atexit.register(lambda: aisentry.log_prompt_call(model='late'))
        aisentry.log_prompt_call(model='a')
        """,
        ["a", "late"],
    ),
    (
        "logs only while it ends",
        """
        import atexit, aisentry
        aisentry.init()
        atexit.register(lambda: aisentry.log_prompt_call(model='late'))
        """,
        ["late"],
    ),
    (
        "a thread that outlives the main one",
        """
        import threading, time, aisentry
        aisentry.init()
        def work():
            threading.main_thread().join()
            aisentry.log_prompt_call(model='thread')
        threading.Thread(target=work).start()
        """,
        ["thread"],
    ),
    (
        "in asyncio",
        """
        import asyncio, aisentry
        aisentry.init()
        async def main():
            async with aisentry.run('main'):
                aisentry.log_prompt_call(model='a')
        asyncio.run(main())
        """,
        ["a", "main"],
    ),
    (
        "two clients",
        """
        import os, aisentry
        aisentry.init(release='1')
        aisentry.log_prompt_call(model='a')
        aisentry.init(release='2')
        aisentry.log_prompt_call(model='b')
        """,
        ["a", "b"],
    ),
]


@pytest.mark.parametrize(
    "source,expected", [case[1:] for case in ENDINGS], ids=[case[0] for case in ENDINGS]
)
def test_endings(source: str, expected: List[str], receiver: Receiver) -> None:
    done = program(source, receiver.dsn)
    assert models(receiver) == expected
    assert "aisentry" not in done.stderr or "1 / 0" in done.stderr
    assert done.returncode == (1 if "1 / 0" in source else 0)


HUNG = "import aisentry; aisentry.init()\nfor n in range(500): aisentry.log_prompt_call(model='a')"


@pytest.mark.parametrize("fault", ["hang", "refuse", "busy"])
def test_the_end_waits_two_seconds_at_most(fault: str, receiver: Receiver) -> None:
    receiver.script = [HANG if fault == "hang" else Answer(503, {"retry-after": "300"})] * 100
    dsn = "http://k@127.0.0.1:9/p" if fault == "refuse" else receiver.dsn
    empty = time.monotonic()
    assert program("import aisentry", dsn).returncode == 0
    begin = time.monotonic()
    done = program(HUNG, dsn)
    took = (time.monotonic() - begin) - (begin - empty)
    assert done.returncode == 0 and took < 8
    # One warning of the server, one of the loss.
    assert 1 <= done.stderr.count("aisentry:") <= 2 and "Traceback" not in done.stderr


def test_nothing_happens_without_a_dsn() -> None:
    done = program(
        """
        import sys, threading, aisentry
        aisentry.init()
        with aisentry.run('r'):
            aisentry.log_prompt_call(model='m', prompt=object())
        assert aisentry.flush() and aisentry.close()
        assert threading.active_count() == 1
        assert not {'http.client', 'asyncio', 'ssl'} & set(sys.modules), 'loaded for nothing'
        """,
        "",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_fork
def test_fork(receiver: Receiver, start: Start) -> None:
    """The child sends what it logs and nothing of its parent's queue."""
    start(receiver.dsn, {"batch_age_s_max": 100.0})
    aisentry.log_prompt_call(model="parent before")
    children: List[int] = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with aisentry.run("child"):
                    aisentry.log_prompt_call(model=f"child {number}")
                stats = aisentry.stats()
                code = 0 if aisentry.close(20) and stats["logged"] == 2 else 2
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    aisentry.log_prompt_call(model="parent after")
    assert aisentry.flush(20)
    assert models(receiver) == ["child"] * 3 + [
        "child 0",
        "child 1",
        "child 2",
        "parent after",
        "parent before",
    ]
    assert len(set(receiver.ids())) == 8
    assert len({event["run_id"] for event in receiver.taken if event.get("name") == "child"}) == 3


@needs_fork
def test_fork_while_threads_log(receiver: Receiver, start: Start) -> None:
    """Whatever lock another thread holds at the fork, the child gets on."""
    start(receiver.dsn)
    ending = threading.Event()
    logged: List[Any] = []

    def busy() -> None:
        while not ending.is_set():
            logged.append(aisentry.log_prompt_call(model="parent"))

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        children: List[int] = []
        for number in range(10):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    aisentry.log_prompt_call(model=f"child {number}")
                    code = 0 if aisentry.flush(20) else 2
                finally:
                    os._exit(code)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert aisentry.flush(60)
    assert models(receiver)[:10] == [f"child {number}" for number in range(10)]
    dropped = aisentry.stats()["dropped"].get("queue_full", 0)
    ids = receiver.ids()
    assert len(set(ids)) == len(ids) == len(logged) + 10 - dropped


@needs_fork
def test_preloading_server(receiver: Receiver) -> None:
    """As gunicorn does: one process prepares, its children serve and leave by os._exit."""
    done = program(
        """
        import os, aisentry
        aisentry.init()
        aisentry.log_prompt_call(model='loading')
        for number in range(2):
            if os.fork() == 0:
                with aisentry.run(f'request {number}'):
                    pass
                aisentry.flush(20)
                os._exit(0)
        for _ in range(2):
            os.wait()
        """,
        receiver.dsn,
    )
    assert done.stderr == "" and models(receiver) == ["loading", "request 0", "request 1"]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str, receiver: Receiver, tmp_path: Path) -> None:
    """A process of a pool ends without atexit; what it logged last arrives all the same."""
    script = tmp_path / "pool.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, aisentry
            def work(number):
                aisentry.init()
                aisentry.log_prompt_call(model=f'work {{number}}')
            if __name__ == '__main__':
                context = multiprocessing.get_context('{method}')
                aisentry.init()
                aisentry.log_prompt_call(model='main')
                process = context.Process(target=work, args=(9,))
                process.start()
                process.join()
                pool = context.Pool(2)
                pool.map(work, range(4))
                pool.close()
                pool.join()
            """
        )
    )
    done = program(
        f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", receiver.dsn
    )
    # Spawned processes import the script by its path, which runpy has set.
    assert models(receiver) == ["main", "work 0", "work 1", "work 2", "work 3", "work 9"], (
        done.stderr
    )
    assert done.returncode == 0


def test_threads(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    logged: Dict[int, List[Any]] = {}

    def work(number: int) -> None:
        with aisentry.run(f"thread {number}"):
            logged[number] = [aisentry.log_prompt_call(model=f"m{number}") for _ in range(200)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert aisentry.flush(30)
    assert aisentry.stats() == {
        "logged": 2010,
        "sent": 2010,
        "queued": 0,
        "spooled": 0,
        "dropped": {},
    }
    assert set(receiver.ids()) >= {event_id for ids in logged.values() for event_id in ids}
    runs = {event["model"]: event["run_id"] for event in receiver.taken if "model" in event}
    assert len(runs) == len(set(runs.values())) == 10


def test_an_event_loop_is_not_blocked(receiver: Receiver, start: Start) -> None:
    """With a server that hangs, a loop that logs goes round as it should."""
    receiver.script = [HANG] * 100
    start(receiver.dsn, {"answer_s_max": 30.0, "batch_age_s_max": 0.0})

    async def main() -> float:
        longest = 0.0
        for _ in range(200):
            begin = time.perf_counter()
            for _ in range(10):
                aisentry.log_prompt_call(model="m", prompt="x" * 1000)
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - begin)
        assert not await asyncio.get_running_loop().run_in_executor(None, aisentry.flush, 0.1)
        return longest

    # No measure of speed: it is below the time that the server hangs.
    assert asyncio.run(main()) < 15
    assert aisentry.stats()["logged"] == 2000


def test_memory_is_flat_while_the_server_is_away(start: Start) -> None:
    import tracemalloc

    start(
        "http://k@127.0.0.1:9/p",
        {"queue_bytes_max": 500_000, "retry_s_max": 100.0, "retry_delay_s_max": 50.0},
    )

    def fill() -> int:
        for number in range(500):
            aisentry.log_prompt_call(model="m", prompt=f"{number}" * 500, tags=["a"])
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        fill()
        held = [fill() for _ in range(4)]
    finally:
        tracemalloc.stop()
    assert max(held) < 1_500_000 and max(held) - min(held) < 300_000
