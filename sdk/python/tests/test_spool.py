"""The disk spool: what cannot be delivered is kept, and sent by whoever runs here next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import Start
from receiver import Answer, Receiver
from watchllm import free_port, until

import aisentry

AWAY: Dict[str, Any] = {"spool_after_s": 0.0, "batch_age_s_max": 0.01, "connect_s_max": 0.2}


def files(folder: Path) -> List[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


def away() -> str:
    return f"http://key@127.0.0.1:{free_port()}/demo"


def test_kept_and_sent_later(receiver: Receiver, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    receiver.script = [Answer(503)]
    start(receiver.dsn, AWAY, spool_dir=str(folder))
    first = aisentry.log_prompt_call(model="first", prompt="words")
    assert aisentry.flush(10)
    stats = aisentry.stats()
    assert (stats["spooled"], stats["sent"], stats["dropped"]) == (1, 0, {})
    assert len(files(folder)) == 1 and receiver.taken == []
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0 and "key-of" not in path.read_text()
    second = aisentry.log_prompt_call(model="second")
    assert aisentry.flush(10)
    receiver.wait(lambda seen: len(seen.taken) == 2)
    until(lambda: files(folder) == [], "an empty folder")
    assert set(receiver.ids()) == {first, second}
    assert aisentry.stats()["logged"] == 2 == aisentry.stats()["sent"]


def test_a_program_that_ends_leaves_it_to_the_next(
    receiver: Receiver, start: Start, tmp_path: Path
) -> None:
    receiver.script = [Answer(503), Answer(503)]
    start(receiver.dsn, {"retry_delay_s_max": 30.0, "retry_first_s": 30.0}, spool_dir=str(tmp_path))
    ids = {aisentry.log_prompt_call(model=f"m{number}") for number in range(3)}
    assert aisentry.close(5)
    assert len(files(tmp_path)) == 1 and aisentry.stats()["spooled"] == 3
    start(receiver.dsn, spool_dir=str(tmp_path))
    ids.add(aisentry.log_prompt_call(model="next"))
    assert aisentry.flush(10)
    receiver.wait(lambda seen: len(seen.taken) == 4)
    assert set(receiver.ids()) == ids


def test_the_folder_is_bounded(start: Start, tmp_path: Path) -> None:
    start(away(), {**AWAY, "spool_bytes_max": 2000}, spool_dir=str(tmp_path))
    for _ in range(10):
        aisentry.log_prompt_call(model="m", prompt="x" * 500)
        assert aisentry.flush(10)
    stats = aisentry.stats()
    assert 0 < stats["spooled"] < 10 and stats["dropped"] == {"send_failed": 10 - stats["spooled"]}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000


def test_a_folder_that_cannot_be_written(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    start(away(), AWAY, spool_dir=str(tmp_path / "file" / "below"))
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10)
    assert aisentry.stats()["dropped"] == {"send_failed": 1}


def test_another_servers_files_are_left_alone(
    receiver: Receiver, start: Start, tmp_path: Path
) -> None:
    start(away(), AWAY, spool_dir=str(tmp_path))
    aisentry.log_prompt_call(model="for another")
    assert aisentry.flush(10)
    before = files(tmp_path)
    start(receiver.dsn, AWAY, spool_dir=str(tmp_path))
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10)
    assert files(tmp_path) == before and len(receiver.taken) == 1


@pytest.mark.parametrize("claim_s", [600.0, 0.0])
def test_claims_of_processes_that_are_gone(
    claim_s: float, receiver: Receiver, start: Start, tmp_path: Path
) -> None:
    limits = {**AWAY, "spool_claim_s_max": claim_s}
    receiver.script = [Answer(503)]
    start(receiver.dsn, limits, spool_dir=str(tmp_path))
    aisentry.log_prompt_call(model="kept")
    assert aisentry.flush(10)
    (path,) = tmp_path.iterdir()
    path.rename(f"{path}.claimed")
    for _ in range(2):
        aisentry.log_prompt_call(model="m")
        assert aisentry.flush(10)
    assert len(receiver.taken) == (2 if claim_s else 3)
