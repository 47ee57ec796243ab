"""One POST to the server and its answer. Owned by one thread; the connection is kept for the next.

Certificates are verified, http_proxy, https_proxy and no_proxy are honoured (never for this machine
itself), and no redirect is followed: the key goes to the address of the DSN and nowhere else.
"""

from __future__ import annotations

import base64
import socket
import ssl
import time
import zlib
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Dict, Mapping, Optional, Union, cast
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ._answer import Answer, NoAnswer
from ._dsn import Dsn
from ._limits import Limits
from ._version import __version__


class Http:
    def __init__(self, dsn: Dsn, limits: Limits) -> None:
        self._limits = limits
        self._dsn = dsn
        self._headers = {
            "Authorization": f"Bearer {dsn.key}",
            "Content-Type": "application/json",
            "User-Agent": f"aisentry-python/{__version__}",
        }
        self._proxy = _proxy_for(dsn)
        self._target = dsn.path
        if self._proxy is not None and dsn.scheme == "http":
            self._target = dsn.origin + dsn.path
            self._headers.update(_proxy_authorization(self._proxy))
        self._connection: Optional[HTTPConnection] = None

    def post(self, body: bytes, more: Mapping[str, str]) -> Union[Answer, NoAnswer]:
        """Sends a JSON body, and more headers. Failures of the network are values."""
        headers = {**self._headers, **more}
        if len(body) > self._limits.gzip_bytes_min:
            deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
            body = deflate.compress(body) + deflate.flush()
            headers = {**headers, "Content-Encoding": "gzip"}
        kept = self._connection is not None and self._connection.sock is not None
        answer = self._attempt(body, headers)
        if isinstance(answer, NoAnswer) and kept and not answer.timed_out:
            # A connection that was kept may have been closed meanwhile; events are idempotent by
            # their id.
            answer = self._attempt(body, headers)
        return answer

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _attempt(self, body: bytes, headers: Dict[str, str]) -> Union[Answer, NoAnswer]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            connection = cast(Any, self._connection)
            is_open: bool = connection.sock is not None
            if not is_open:
                connection.connect()
                connection.sock.settimeout(self._limits.answer_s_max)
            connection.request("POST", self._target, body, headers)
            return self._read(connection.getresponse())
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            return NoAnswer(f"{type(error).__name__}: {error}", isinstance(error, socket.timeout))

    def _read(self, response: HTTPResponse) -> Answer:
        body = response.read(self._limits.answer_bytes_max)
        if not response.isclosed():
            # More than any answer of ours: not worth reading, and the connection cannot be used
            # again.
            self.close()
        return Answer(
            response.status,
            retry_after_s(response.getheader("Retry-After"), time.time()),
            body,
            response.getheader("Location"),
        )

    def _connect(self) -> HTTPConnection:
        dsn, proxy = self._dsn, self._proxy
        host, port, timeout_s = dsn.host, dsn.port, self._limits.connect_s_max
        if proxy is not None and proxy.hostname is not None:
            host, port = proxy.hostname, proxy.port or 80
        if dsn.scheme == "http":
            return HTTPConnection(host, port, timeout=timeout_s)
        secure = HTTPSConnection(
            host, port, timeout=timeout_s, context=ssl.create_default_context()
        )
        if proxy is not None:
            secure.set_tunnel(dsn.host, dsn.port, _proxy_authorization(proxy))
        return secure


# Prompts shrink to about a third at the fastest levels; higher ones cost more than they save.
_GZIP_LEVEL = 3


def retry_after_s(header: Optional[str], now_s: float) -> Optional[float]:
    """Seconds from a Retry-After header, which holds seconds or an HTTP date; None for nonsense."""
    if header is None:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:10])
    try:
        return max(parsedate_to_datetime(header).timestamp() - now_s, 0.0)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _proxy_for(dsn: Dsn) -> Optional[SplitResult]:
    """The environment's proxy; an unreadable one counts as none."""
    if dsn.host in ("localhost", "::1") or dsn.host.startswith("127."):
        return None
    try:
        address = getproxies().get(dsn.scheme)
        if not address or proxy_bypass(f"{dsn.host}:{dsn.port}") or proxy_bypass(dsn.host):
            return None
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        # Reading the port raises when it is none.
        return proxy if proxy.hostname and proxy.scheme == "http" and proxy.port != 0 else None
    except (OSError, ValueError):
        return None


def _proxy_authorization(proxy: SplitResult) -> Dict[str, str]:
    if proxy.username is None:
        return {}
    name, password = unquote(proxy.username), unquote(proxy.password or "")
    token = base64.b64encode(f"{name}:{password}".encode("utf-8")).decode("ascii")
    return {"Proxy-Authorization": f"Basic {token}"}
