"""The bytes of an HTTP answer, seen as the program reads them: nothing is read that it does not."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator, List, Optional

from .._limits import BODY_BYTES_MAX, STREAM_PIECES_MAX
from .._tee import AsyncTee, Tee


class Body:
    """Of a response of httpx, whose every way of reading goes by its bytes once decoded."""

    def __init__(self, response: Any, first: Callable[[], None]) -> None:
        self._chunks: List[bytes] = []
        self._bytes_count = 0
        self._first = first
        self.is_whole = False
        for name, kind in (("iter_bytes", Tee), ("aiter_bytes", AsyncTee)):
            self._watch(response, name, kind)

    def _watch(self, response: Any, name: str, kind: Any) -> None:
        original = getattr(response, name, None)
        if original is None:
            return

        def seen(*args: Any, **kwargs: Any) -> Any:
            return kind(original(*args, **kwargs), self._add, self._end)

        setattr(response, name, seen)

    def _add(self, chunk: bytes) -> None:
        self._first()
        if self._bytes_count <= BODY_BYTES_MAX:
            self._chunks.append(chunk)
            self._bytes_count += len(chunk)

    def _end(self, error: Optional[BaseException], is_whole: bool) -> None:
        self.is_whole = is_whole

    def content(self) -> bytes:
        return b"".join(self._chunks)


def answer_of(content: bytes) -> Any:
    """Its JSON; None when it is not a whole document."""
    try:
        return json.loads(content)
    except ValueError:
        return None


def pieces_of(content: bytes) -> Iterator[Any]:
    """The JSON of each server-sent event, of those that can be read."""
    for line in content.splitlines()[:STREAM_PIECES_MAX]:
        if line.startswith(b"data:"):
            try:
                yield json.loads(line[5:])
            except ValueError:
                continue
