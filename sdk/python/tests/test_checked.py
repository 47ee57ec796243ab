"""The sources, as the checkers of types and style see them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT.parents[1] / "node_modules" / ".cache"
CHECKS = {
    "mypy": ["mypy", "--cache-dir", str(CACHE / "mypy"), "src", "tests/test_types.py"],
    "pyright": ["pyright"],
    "ruff": ["ruff", "check", "--no-cache"],
    "ruff format": ["ruff", "format", "--check", "--no-cache"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_checked(name: str) -> None:
    module, *arguments = CHECKS[name]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
