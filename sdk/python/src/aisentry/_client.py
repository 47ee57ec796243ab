"""What a log call does: freeze the event, decide on the sample, queue it; and the worker behind."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from ._answer import Answer, NoAnswer
from ._delivery import Delivery
from ._event import Composer, Logged, describe_error, timestamp_text
from ._ids import new_event_id
from ._limits import Limits, usual_limits
from ._plain import safe_text, type_name
from ._queue import Queue
from ._redact import Scrubber
from ._report import Reporter
from ._sampling import run_is_kept, went_wrong
from ._scope import Who, current
from ._settings import Settings
from ._snapshot import freeze
from ._tally import Stats, Tally

if TYPE_CHECKING:
    from ._http import Http
    from ._spool import Spool

_PLAIN_TIMES = (type(None), float, int, str)
# What an event takes in memory beside its fields, about.
_EVENT_BYTES = 1024


class Client:
    """One DSN's queue and worker. Every method may be called by any thread, and none raises."""

    def __init__(
        self, settings: Settings, reporter: Reporter, limits: Optional[Limits] = None
    ) -> None:
        self.settings = settings
        self.limits = limits or usual_limits()
        # Of events outside of a run. The tags of init() stay whatever is set later.
        self.who = Who(settings.user_id, settings.session_id)
        self._reporter = reporter
        defaults = {
            "project_id": settings.dsn.project_id,
            "release": settings.release,
            "env": settings.env,
            "service": settings.service,
        }
        self._composer = Composer(
            {name: value for name, value in defaults.items() if value is not None},
            settings.tags,
            settings.before_send,
            reporter,
            Scrubber(settings.redactors, settings.capture_content),
        )
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._tally = Tally(self.settings.on_drop)
        self._queue: Queue[Logged] = Queue(self.limits)
        folder = self.settings.spool_dir
        self._spool: Optional[Spool] = None
        if folder:
            from ._spool import Spool

            self._spool = Spool(folder, self.settings.dsn, self.limits)
        self._delivery = Delivery(self._post, self.limits, self._tally, self._reporter, self._spool)
        self._http: Optional[Http] = None
        self._start_lock = threading.RLock()
        self._worker: Optional[threading.Thread] = None
        self._worker_id = 0

    def begin_in_child(self) -> None:
        """After a fork: the queue and the connection are the parent's, and so is what they hold."""
        self._begin()

    def log(
        self, event_type: str, fields: Dict[str, Any], who: Optional[Who] = None
    ) -> Optional[str]:
        """The event's id; None when it will not be sent. `fields` becomes the client's own.

        With `who` it says itself where it belongs; otherwise to the span that the caller is in.
        """
        try:
            return self._log(event_type, fields, who)
        except Exception as error:
            self._tally.drop("internal_error")
            self._reporter.warn_once(
                "internal_error", "An event was not logged (%s: %s).", type_name(error), error
            )
            return None

    def _log(self, event_type: str, fields: Dict[str, Any], who: Optional[Who]) -> Optional[str]:
        if threading.get_ident() == self._worker_id:
            return None  # A hook that logs would go on for ever.
        stopped = self._delivery.stopped
        if stopped is not None or self._is_closed:
            self._tally.drop(stopped or "closed")
            return None
        time_ns = time.time_ns()
        if who is None:
            who = self._place(fields)
        stack = None
        if fields.get("error") is not None:
            fields["error"], stack = describe_error(fields["error"])
        # Numbers are left to the worker; a datetime may be of a class of the program's own.
        if type(fields.get("timestamp")) not in _PLAIN_TIMES:
            fields["timestamp"] = timestamp_text(fields["timestamp"])
        event_id = fields.get("event_id")
        if type(event_id) is not str or not event_id:
            event_id = fields["event_id"] = new_event_id(time_ns)
        is_failure = went_wrong(event_type, fields)
        rate = self.settings.sample_rate
        if (
            rate < 1.0
            and not is_failure
            and not run_is_kept(fields.get("run_id") or event_id, rate)
        ):
            self._tally.drop("sampled_out")
            return None
        frozen, size = freeze(fields)
        logged = (time_ns, event_id, event_type, frozen, who.tags, stack)
        dropped = self._queue.put(logged, size + _EVENT_BYTES, is_failure)
        if dropped:
            self._tell_full(dropped)
        if self._worker is None:
            self._start()
        return event_id

    def _place(self, fields: Dict[str, Any]) -> Who:
        """Adds what the run that the caller is in says about the event."""
        scope = current.get()
        run_id = fields.get("run_id")
        if run_id is not None and type(run_id) is not str:
            run_id = fields["run_id"] = safe_text(run_id)
        who = self.who
        if scope is not None:
            who = scope.who
            if not run_id:
                run_id = fields["run_id"] = scope.run_id
            if run_id == scope.run_id and _is_absent(fields.get("parent_span_id")):
                span_id = fields.get("span_id")
                if type(span_id) is not str or span_id != scope.span_id:
                    fields["parent_span_id"] = scope.span_id
        if who.user_id is not None and _is_absent(fields.get("user_id")):
            fields["user_id"] = who.user_id
        if who.session_id is not None and _is_absent(fields.get("session_id")):
            fields["session_id"] = who.session_id
        return who

    def _tell_full(self, dropped: int) -> None:
        self._tally.drop("queue_full" if not self._is_closed else "closed", dropped)
        self._reporter.warn_once(
            "queue_full", "More is logged than the server takes: the oldest events are dropped."
        )

    def flush(self, timeout_s: float) -> bool:
        """Waits until all that was logged before is on the server's disk or dropped and counted."""
        if threading.get_ident() == self._worker_id:
            return False
        self._delivery.hurry.set()
        return self._queue.flush(timeout_s)

    def retire(self) -> None:
        """Takes nothing more in; the worker makes one attempt at what waits, and ends."""
        self._is_closed = True
        self._queue.close()
        self._delivery.closing.set()

    def close(self, timeout_s: float) -> bool:
        """Sends what waits within the time given, drops the rest; False when there was a rest."""
        self._is_closed = True
        self._queue.close()
        self._delivery.closing.set()
        self._delivery.hurry.set()
        if threading.get_ident() == self._worker_id:
            return False
        if self._worker is None:
            # Nothing was logged, or no thread could be started: so it is at a program's very end.
            half = timeout_s / 2
            self.limits = replace(self.limits, connect_s_max=half, answer_s_max=half)
            self._work()
        is_settled = self._queue.flush(timeout_s)
        if not is_settled:
            self._delivery.stopped = "closed"
            left = self._queue.clear()
            if self._spool is None:
                self._tally.drop("closed", len(left))
            elif left:
                self._delivery.keep(self._lines(left))
        lost = self._tally.dropped.get("closed", 0) + len(self._queue)
        if lost:
            self._reporter.warn_once("closed", "%s events were not sent in time.", lost)
        return is_settled

    def stats(self) -> Stats:
        return self._tally.stats(len(self._queue))

    def _start(self) -> None:
        with self._start_lock:
            if self._worker is not None:
                return
            self._worker = threading.Thread(target=self._work, name="aisentry", daemon=True)
            try:
                self._worker.start()
            except RuntimeError:  # The interpreter is ending, or allows no such thread.
                self._worker = None
                return
        _watch_multiprocessing(self)

    def _work(self) -> None:
        self._worker_id = threading.get_ident()
        queue = self._queue
        while True:
            batch = queue.take()
            if batch is None:
                break
            try:
                self._delivery.deliver(self._lines(batch))
            except Exception as error:
                self._reporter.warn_once(
                    "internal_error", "Events were not sent (%s: %s).", type_name(error), error
                )
            finally:
                queue.settle()
        self._worker_id = 0
        if self._http is not None:
            self._http.close()

    def _lines(self, batch: List[Logged]) -> List[bytes]:
        lines: List[bytes] = []
        for logged in batch:
            try:
                line = self._composer.line(logged)
            except Exception as error:
                self._tally.drop("internal_error")
                self._reporter.warn_once(
                    "internal_error", "An event was not sent (%s: %s).", type_name(error), error
                )
                continue
            if line is None:
                self._tally.drop("before_send")
            else:
                lines.append(line)
        return lines

    def _post(self, body: bytes, more: Mapping[str, str]) -> Union[Answer, NoAnswer]:
        if self._http is None:
            # It takes longer to load than the rest of the package, and only the worker needs it.
            from ._http import Http

            self._http = Http(self.settings.dsn, self.limits)
        return self._http.post(body, more)


def _is_absent(value: object) -> bool:
    # An object of the caller's may answer == in its own way, or raise.
    return value is None or type(value) is str and not value


def _watch_multiprocessing(client: Client) -> None:
    """A forked process of multiprocessing ends without atexit, but runs finalizers of its own."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, client.close, args=(client.limits.exit_s_max,), exitpriority=0)
