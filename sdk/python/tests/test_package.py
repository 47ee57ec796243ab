"""The package as people have it: built, installed into an empty environment, run as a command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Iterator

import pytest
from receiver import Receiver

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 120


def run(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, env={**kept, **env}, capture_output=True, text=True, timeout=TIMEOUT_S
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bin folder of an environment that has nothing but the wheel."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    done = run(
        sys.executable,
        *("-m", "pip", "--python", str(programs / "python"), "install"),
        *("--quiet", "--no-index", "--disable-pip-version-check", str(wheel)),
    )
    assert done.returncode == 0, done.stderr
    yield programs


def test_the_readme_runs_from_the_wheel(installed: Path, receiver: Receiver) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    done = run(str(installed / "python"), "-c", blocks[0], AISENTRY_DSN=receiver.dsn)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    receiver.wait(lambda seen: len(seen.taken) >= 3)
    silent = run(str(installed / "python"), "-c", blocks[0])
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")


def test_the_wheel_is_typed_and_needs_nothing(installed: Path) -> None:
    told = run(
        str(installed / "python"),
        "-c",
        "import aisentry, importlib.metadata as m, pathlib;"
        "folder = pathlib.Path(aisentry.__file__).parent;"
        "print(m.requires('aisentry'), (folder / 'py.typed').exists())",
    )
    assert told.stdout.split() == ["None", "True"], told.stderr


PROGRAM = """
import sys
if __name__ == "__main__":
    import aisentry
    with aisentry.span("program", output=sys.argv[1:]):
        pass
    print(sys.argv[1:], sys.path[0])
    sys.exit(3)
"""


@pytest.mark.parametrize("how", ["command", "module", "-m"])
def test_run_a_program(how: str, installed: Path, receiver: Receiver, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    words = {
        "command": (str(installed / "aisentry"), "run", str(script)),
        "module": (str(installed / "python"), "-m", "aisentry", "run", str(script)),
        "-m": (str(installed / "python"), "-m", "aisentry", "run", "-m", "program"),
    }[how]
    done = run(*words, "one", "--two", AISENTRY_DSN=receiver.dsn, PYTHONPATH=str(tmp_path))
    assert done.returncode == 3 and done.stderr == "", done.stderr
    if how != "-m":
        assert done.stdout.strip() == f"['one', '--two'] {tmp_path}"
    receiver.wait(lambda seen: len(seen.taken) == 1)
    assert receiver.taken[0]["output"] == ["one", "--two"]


COMMANDS = [
    ([], 2, "aisentry run"),
    (["run"], 2, "aisentry run"),
    (["run", "no_such_file.py"], 2, "no file no_such_file.py"),
    (["--help"], 0, "aisentry run"),
    (["--version"], 0, "aisentry "),
]


@pytest.mark.parametrize("words,code,said", COMMANDS, ids=[" ".join(row[0]) for row in COMMANDS])
def test_the_command_line(words: "list[str]", code: int, said: str, installed: Path) -> None:
    done = run(str(installed / "aisentry"), *words)
    assert done.returncode == code and said in done.stdout + done.stderr


def test_a_program_that_raises_ends_as_it_does_alone(installed: Path, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def f():\n    raise ValueError('mine')\nf()\n")
    alone = run(str(installed / "python"), str(script))
    within = run(str(installed / "aisentry"), "run", str(script))
    assert alone.returncode == within.returncode == 1
    assert within.stderr.splitlines()[-1] == alone.stderr.splitlines()[-1] == "ValueError: mine"
