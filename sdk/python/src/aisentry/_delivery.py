"""Lines of JSON in; delivered, or dropped for a counted reason. Runs on the worker's thread.

Network failures, 408, 429 and 5xx are tried again with backoff and jitter; 413 halves the batch;
401 and 403 stop delivery for good; any other refusal drops the batch. Nothing is raised.
"""

from __future__ import annotations

import json
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Union, cast

from ._answer import Answer, NoAnswer
from ._limits import Limits
from ._plain import is_a
from ._report import Reporter
from ._tally import Tally

if TYPE_CHECKING:
    from ._spool import Spool

_RETRIED = frozenset({408, 425, 429})
# Of these and the 5xx: what tells of the server's state rather than of the batch.
_UNAVAILABLE = frozenset({425, 429, 502, 503, 504, 507})


class Delivery:
    def __init__(
        self,
        post: Callable[[bytes, Mapping[str, str]], Union[Answer, NoAnswer]],
        limits: Limits,
        tally: Tally,
        reporter: Reporter,
        spool: Optional[Spool] = None,
    ) -> None:
        self._spool = spool
        # With a spool: the last batch was not taken, and the next one is tried only once.
        self._is_away = False
        self._post = post
        self._limits = limits
        self._tally = tally
        self._reporter = reporter
        self._random = random.Random()
        # Set by flush: a wait of our own choosing ends at once.
        self.hurry = threading.Event()
        # Set by close: what fails now is not tried again.
        self.closing = threading.Event()
        # Why nothing is sent any more; what still comes is dropped for this reason.
        self.stopped: Optional[str] = None

    def deliver(self, lines: List[bytes]) -> None:
        """Sends lines in as few requests as their bytes allow; each is sent or dropped."""
        for part in self._undelivered(lines):
            self._keep(part)
        if self._spool is not None and not self._is_away and not self.closing.is_set():
            self._send_spooled(self._spool)

    def keep(self, lines: List[bytes]) -> None:
        """What a program that ends has no time to send goes to disk, or is dropped."""
        self.stopped = self.stopped or "closed"
        self._keep(lines)

    def _undelivered(self, lines: List[bytes]) -> List[List[bytes]]:
        """Sends what it can; answers what the server did not settle."""
        parts = self._parts(lines)
        left: List[List[bytes]] = []
        while parts:
            part = parts.pop()
            if self.stopped is not None:
                left.append(part)
                continue
            answer = self._answer(part)
            self._is_away = answer is None
            if isinstance(answer, Answer) and answer.status == 413 and len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
            elif answer is not None:
                self._account(answer, len(part))
            else:
                left.append(part)
        return left

    def _keep(self, part: List[bytes]) -> None:
        reason = self.stopped or "send_failed"
        if self._spool is not None and reason != "unauthorized" and self._spool.put(part):
            self._tally.add_spooled(len(part))
        else:
            self._tally.drop(reason, len(part))

    def _send_spooled(self, spool: Spool) -> None:
        claim = spool.claim()
        if claim is None:
            return
        claimed, lines = claim
        # They were counted when they went to disk, here or in another process.
        self._tally.add_spooled(-min(len(lines), self._tally.spooled))
        left = self._undelivered(lines)
        if not left:
            spool.done(claimed)
        elif sum(map(len, left)) == len(lines):
            spool.give_back(claimed)
            self._tally.add_spooled(len(lines))
        else:
            spool.done(claimed)
            for part in left:
                self._keep(part)

    def _parts(self, lines: List[bytes]) -> List[List[bytes]]:
        parts: List[List[bytes]] = []
        room = 0
        for line in lines:
            if len(line) > self._limits.event_bytes_max:
                self._drop_large(len(line))
                continue
            if not parts or room < len(line):
                parts.append([])
                room = self._limits.batch_bytes_max
            parts[-1].append(line)
            room -= len(line) + 1
        parts.reverse()
        return parts

    def _answer(self, part: List[bytes]) -> Optional[Answer]:
        """An answer that ends the matter; None when there was none in the time given."""
        body = b"[" + b",".join(part) + b"]"
        patience_s = self._limits.retry_s_max
        if self._spool is not None:
            patience_s = 0.0 if self._is_away else self._limits.spool_after_s
        give_up_at = time.monotonic() + patience_s
        refused = 0
        for attempt in range(_ATTEMPTS_MAX):
            drops = self._tally.unreported()
            answer = self._post(body, _drops_header(drops))
            if isinstance(answer, Answer) and 200 <= answer.status < 300:
                self._tally.reported(drops)
            if isinstance(answer, Answer) and answer.status not in _RETRIED and answer.status < 500:
                return answer
            self._explain(answer)
            if isinstance(answer, Answer) and answer.status not in _UNAVAILABLE:
                refused += 1
            if refused == self._limits.refused_attempts_max or time.monotonic() >= give_up_at:
                break
            if not self._wait(attempt, answer):
                break
        return None

    def _wait(self, attempt: int, answer: Union[Answer, NoAnswer]) -> bool:
        """Waits for the next attempt; False when the client is being closed instead."""
        limits = self._limits
        asked = answer.retry_after_s if isinstance(answer, Answer) else None
        least = min(asked or 0.0, limits.retry_after_s_max)
        ceiling = min(limits.retry_first_s * 2**attempt, limits.retry_delay_s_max)
        # What the server asks for is a minimum; the jitter on top spreads the clients.
        delay = self._random.uniform(0.0, ceiling)
        if not self.closing.wait(least):
            # A flush that came during an earlier attempt has had its answer.
            self.hurry.clear()
            if not self.closing.is_set():
                self.hurry.wait(delay)
        if not self.closing.is_set():
            return True
        # One last attempt was made; the program is not kept waiting for more.
        self.stopped = "closed"
        return False

    def _explain(self, answer: Union[Answer, NoAnswer]) -> None:
        what = answer.cause if isinstance(answer, NoAnswer) else f"it answered {answer.status}"
        self._reporter.warn_once(
            "unreachable",
            "The server does not take events (%s). They are kept for a while and sent again.",
            what[:_DETAIL_CHARACTERS_MAX],
        )

    def _account(self, answer: Answer, count: int) -> None:
        if 200 <= answer.status < 300:
            receipt = _object_of(answer.body)
            rejected = _rejected_of(receipt)
            sampled_out = receipt.get("sampled_out")
            left_out = sampled_out if isinstance(sampled_out, int) else 0
            refused = min(len(rejected), count)
            left_out = max(0, min(left_out, count - refused))
            self._tally.add_sent(count - refused - left_out)
            self._tally.drop("sampled_out", left_out, server_knows=True)
            if refused:
                self._tally.drop("rejected", refused, server_knows=True)
                self._explain_rejection(answer.status, receipt)
        elif answer.status in (401, 403):
            self.stopped = "unauthorized"
            self._tally.drop("unauthorized", count)
            self._reporter.warn_once(
                "unauthorized",
                "The server refuses the key of the DSN (%s%s). Nothing more is sent.",
                answer.status,
                _detail(_object_of(answer.body)),
            )
        elif answer.status == 413:
            self._drop_large(None)
        else:
            self._tally.drop("rejected", count, server_knows=answer.status >= 400)
            if 300 <= answer.status < 400:
                self._reporter.warn_once(
                    "rejected",
                    "The server redirects (%s) to %s; the key goes to the DSN's address only.",
                    answer.status,
                    (answer.location or "nowhere")[:_DETAIL_CHARACTERS_MAX],
                )
            else:
                self._explain_rejection(answer.status, _object_of(answer.body))

    def _explain_rejection(self, status: int, document: Dict[str, Any]) -> None:
        first = next(iter(_rejected_of(document)), None)
        why = _detail({"detail": first.get("message")}) if isinstance(first, dict) else ""  # pyright: ignore[reportUnknownMemberType]
        self._reporter.warn_once(
            "rejected", "The server refused events (%s%s).", status, why or _detail(document)
        )

    def _drop_large(self, size: Optional[int]) -> None:
        self._tally.drop("too_large")
        self._reporter.warn_once(
            "too_large",
            "An event%s is more than the server takes, and was left out.",
            "" if size is None else f" of {size} bytes",
        )


def _drops_header(drops: Dict[str, int]) -> Dict[str, str]:
    """What the SDK had to drop since it last said so; the server shows it."""
    if not drops:
        return {}
    return {"x-aisentry-drops": ",".join(f"{reason}={count}" for reason, count in drops.items())}


# The time given to a batch ends its retries; this only keeps a broken clock from retrying for ever.
_ATTEMPTS_MAX = 1000
_DETAIL_CHARACTERS_MAX = 300


def _object_of(body: bytes) -> Dict[str, Any]:
    """A JSON object; empty when the body is anything else."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast(Dict[str, Any], value) if isinstance(value, dict) else {}


def _rejected_of(receipt: Dict[str, Any]) -> List[Any]:
    rejected: List[Any] = receipt.get("rejected", [])
    return rejected if is_a(rejected, list) else []


def _detail(document: Dict[str, Any]) -> str:
    detail = document.get("detail")
    return f": {detail[:_DETAIL_CHARACTERS_MAX]}" if isinstance(detail, str) and detail else ""
