"""The command `aisentry run`: init(), and then the program, as Python itself would run it."""

from __future__ import annotations

import os
import runpy
import sys
from typing import List, Optional

USAGE = """\
aisentry run <script.py> [arguments…]
aisentry run -m <module> [arguments…]
aisentry run <command> [arguments…]     a program of this environment, such as uvicorn

Records the program's model calls on the server that AISENTRY_DSN names; without it, just runs it.
"""


def main(argv: Optional[List[str]] = None) -> int:
    """Runs the program; the exit code is the program's own, 2 for a command that makes no sense."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] in (["--help"], ["-h"], ["help"]):
        sys.stdout.write(USAGE)
        return 0
    if words[:1] in (["--version"], ["version"]):
        from ._version import __version__

        sys.stdout.write(f"aisentry {__version__}\n")
        return 0
    if words[:1] != ["run"] or len(words) < 2 or (words[1] == "-m" and len(words) < 3):
        sys.stderr.write(USAGE)
        return 2
    _start()
    if words[1] == "-m":
        sys.argv = [words[2], *words[3:]]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[2], run_name="__main__", alter_sys=True)
        return 0
    return _run(words[1:])


def _start() -> None:
    import aisentry

    aisentry.init()


def _run(words: List[str]) -> int:
    path = words[0]
    if not os.path.exists(path):
        path = _command(words[0]) or path
    if not os.path.exists(path):
        sys.stderr.write(f"aisentry run: there is no file {words[0]}\n")
        return 2
    sys.argv = words
    if not os.path.isdir(path):
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    runpy.run_path(path, run_name="__main__")
    return 0


def _command(name: str) -> Optional[str]:
    """A Python program that is installed as a command; another one has no Python to be run in."""
    import shutil

    found = shutil.which(name)
    if found is None:
        return None
    with open(found, "rb") as file:
        first = file.readline(256)
    return found if first.startswith(b"#!") and b"python" in first else None
