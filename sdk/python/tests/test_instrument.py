"""Watching libraries: when they are imported, and not otherwise; nothing of theirs is lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Iterator, List

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._patching import Patches, Watcher

SRC = str(Path(__file__).resolve().parents[1] / "src")


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    aisentry.uninstrument()


def test_a_module_is_watched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "watched_one"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("VALUE = 1\n")
    (package / "inner" / "__init__.py").write_text("from .. import VALUE\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: List[ModuleType] = []
    watcher = Watcher()
    watcher.when_loaded("watched_one.inner", seen.append)
    watcher.when_loaded("watched_one.absent", seen.append)
    try:
        import watched_one.inner as loaded  # type: ignore[import-not-found]

        with pytest.raises(ModuleNotFoundError):
            import watched_one.absent  # type: ignore[import-not-found]  # noqa: F401
    finally:
        watcher.stop()
    assert seen == [loaded] and loaded.VALUE == 1
    assert type(loaded.__spec__.loader).__name__ == "SourceFileLoader"
    assert loaded.__loader__ is loaded.__spec__.loader
    assert watcher not in sys.meta_path


def test_an_installer_that_fails_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: List[str]
) -> None:
    (tmp_path / "watched_two.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    watcher = Watcher()

    def broken(module: Any) -> None:
        raise RuntimeError("broken")

    watcher.when_loaded("watched_two", broken)
    import watched_two  # type: ignore[import-not-found]

    watcher.stop()
    assert watched_two.VALUE == 1 and len(warnings) == 1


def test_replacing_and_putting_back() -> None:
    class Base:
        def method(self) -> str:
            return "base"

    class Library(Base):
        def own(self) -> str:
            return "own"

    def louder(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self: original(self).upper()

    own = Library.own
    patches = Patches()
    for name in ("own", "method", "own", "absent"):
        patches.replace(Library, name, louder)
    assert (Library().own(), Library().method()) == ("OWN", "BASE")
    patches.undo()
    assert Library.own is own and "method" not in vars(Library)
    assert Library().method() == "base"


def test_what_somebody_else_put_on_top_stays() -> None:
    class Library:
        def method(self) -> str:
            return "own"

    patches = Patches()
    patches.replace(Library, "method", lambda original: lambda self: original(self) + " watched")
    ours = Library.method
    Library.method = lambda self: ours(self) + " theirs"  # type: ignore[method-assign]
    patches.undo()
    assert Library().method() == "own watched theirs"


def test_init_loads_no_library() -> None:
    program = """
        import sys, aisentry
        aisentry.init("http://key@127.0.0.1:1/p")
        heavy = {"openai", "anthropic", "google.genai", "langchain_core", "litellm", "asyncio"}
        print(sorted(heavy & set(sys.modules)))
        aisentry.uninstrument()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": SRC},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_pools_carry_the_span_and_nothing_else(receiver: Receiver) -> None:
    aisentry.init(receiver.dsn)
    with ThreadPoolExecutor(1) as pool:
        with aisentry.span("outer") as outer:
            inside = pool.submit(aisentry.current_span).result()
        after = pool.submit(aisentry.current_span).result()
        keyword = pool.submit(dict, self=1, fn=2).result()
    assert inside is outer and after is None and keyword == {"self": 1, "fn": 2}
    aisentry.uninstrument()
    with ThreadPoolExecutor(1) as pool, aisentry.span("outer"):
        assert pool.submit(aisentry.current_span).result() is None


@pytest.mark.parametrize("choice", [False, "", [], ["no such library"], "mcp"])
def test_choices(choice: Any, receiver: Receiver, warnings: List[str]) -> None:
    aisentry.init(receiver.dsn, instrument=choice)
    with ThreadPoolExecutor(1) as pool, aisentry.span("outer"):
        assert pool.submit(aisentry.current_span).result() is None
    assert len(warnings) == (1 if choice and choice[0] == "no such library" else 0)


@pytest.mark.parametrize("thing", [None, 5, object(), ModuleType("m"), type])
def test_wrap_leaves_what_it_does_not_know(
    thing: Any, receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    start(receiver.dsn)
    assert aisentry.wrap(thing) is thing and len(warnings) == 1
