"""What could not be delivered, kept in a folder and sent by whoever runs here next.

One file a batch, of JSON lines, named by the address that it is for; the key is not in it. A file
is claimed by renaming it, so that two processes never send the same one; one that dies meanwhile
leaves its claim, which is taken over later. Events have their ids: a second delivery is harmless.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from typing import List, Optional, Tuple

from ._dsn import Dsn
from ._limits import Limits

_READY = ".jsonl"
_CLAIMED = ".claimed"


class Spool:
    def __init__(self, folder: str, dsn: Dsn, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        address = f"{dsn.origin}{dsn.path} {dsn.project_id}"
        self._prefix = hashlib.sha256(address.encode("utf-8")).hexdigest()[:16]

    def put(self, lines: List[bytes]) -> bool:
        """Whether they are on disk; not when the folder is full or cannot be written."""
        body = b"\n".join(lines) + b"\n"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            waiting = self._files()
            if sum(size for _, size, _ in waiting) + len(body) > self._limits.spool_bytes_max:
                return False
            name = f"{self._prefix}-{time.time_ns():020d}-{uuid.uuid4().hex[:12]}{_READY}"
            path = os.path.join(self._folder, name)
            draft = path + ".draft"
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
            os.replace(draft, path)
            return True
        except OSError:
            return False

    def claim(self) -> Optional[Tuple[str, List[bytes]]]:
        """The oldest batch that nobody sends, as its claim and its lines; None without any."""
        for path, _, age_s in self._files():
            if age_s > self._limits.spool_s_max:
                self.done(path)
                continue
            if path.endswith(_CLAIMED):
                if age_s < self._limits.spool_claim_s_max:
                    continue
            claimed = path if path.endswith(_CLAIMED) else path + _CLAIMED
            try:
                os.replace(path, claimed)
                # A claim's age counts from now.
                os.utime(claimed)
                with open(claimed, "rb") as file:
                    body = file.read(self._limits.spool_bytes_max)
                return claimed, [line for line in body.split(b"\n") if line]
            except OSError:
                continue
        return None

    def done(self, claimed: str) -> None:
        try:
            os.unlink(claimed)
        except OSError:
            pass

    def give_back(self, claimed: str) -> None:
        try:
            os.replace(claimed, claimed[: -len(_CLAIMED)])
        except OSError:
            pass

    def _files(self) -> List[Tuple[str, int, float]]:
        """Path, bytes and age of each, oldest first."""
        found: List[Tuple[str, int, float]] = []
        now = time.time()
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return []
        for name in names:
            if name.startswith(self._prefix) and name.endswith((_READY, _READY + _CLAIMED)):
                path = os.path.join(self._folder, name)
                try:
                    stat = os.stat(path)
                except OSError:
                    continue
                found.append((path, stat.st_size, now - stat.st_mtime))
        return found
