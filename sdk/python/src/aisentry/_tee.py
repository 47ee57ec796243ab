"""An iterator in, one that gives the same out: each item is seen on the way, and the end.

The end is told once: exhausted, raised, closed, thrown away half read, or still unread when the
program ends.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from ._model_call import open_streams

OnItem = Callable[[Any], None]
# Told the exception, if any, and whether it was read to its end.
OnEnd = Callable[[Optional[BaseException], bool], None]


class _Watch:
    def __init__(self, source: Any, on_item: OnItem, on_end: OnEnd) -> None:
        self._source = source
        self._on_item = on_item
        self._on_end: Optional[OnEnd] = on_end
        open_streams.add(self)

    def _saw(self, item: Any) -> None:
        try:
            self._on_item(item)
        except Exception:
            pass

    def _ended(self, error: Optional[BaseException], is_whole: bool) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is None:
            return
        try:
            on_end(error, is_whole)
        except Exception:
            pass

    def abandon(self) -> None:
        """Nobody will read on."""
        self._ended(None, False)

    def __del__(self) -> None:
        self._ended(None, False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class Tee(_Watch):
    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            item = next(self._source)
        except StopIteration:
            self._ended(None, True)
            raise
        except BaseException as error:
            self._ended(error, False)
            raise
        self._saw(item)
        return item

    def close(self) -> None:
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        finally:
            self._ended(None, False)


class AsyncTee(_Watch):
    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        try:
            item = await self._source.__anext__()
        except StopAsyncIteration:
            self._ended(None, True)
            raise
        except BaseException as error:
            self._ended(error, False)
            raise
        self._saw(item)
        return item

    async def aclose(self) -> None:
        try:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()
        finally:
            self._ended(None, False)
