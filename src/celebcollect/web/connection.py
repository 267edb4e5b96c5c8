"""Requests over libcurl, which speaks HTTP and TLS for us; the only module that knows pycurl.

What a downloader must not have is switched off: redirects by itself, cookies, proxies and passwords
of the environment, other protocols, decompression. Every socket is opened here, to an address that
the caller has checked.
"""

from __future__ import annotations

import math
import select
from collections.abc import Collection, Mapping
from ipaddress import IPv6Address

import certifi
import pycurl

from celebcollect.domain.errors import CelebCollectError
from celebcollect.web.addresses import Address
from celebcollect.web.budget import FetchBudget
from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead, bad_response
from celebcollect.web.reasons import FetchReason
from celebcollect.web.request_target import RequestTarget
from celebcollect.web.transfer import (
    ConnectionGone,
    CutOff,
    OnHead,
    SocketPlace,
    Transfer,
    no_more_connections,
)

_IDLE_S = 20
"""How long an unused connection is kept; servers commonly close them after 5 to 75 s."""

_BUFFER_BYTES = 131_072


class Connection:
    """
    One libcurl handle, with the one connection that it keeps. For one thread at a time.

    The handle also keeps the certificate authorities (1 MB, 7 ms to read), so a connection that has
    ended is worth using for another host.
    """

    def __init__(self, ca_file: str | None = None) -> None:
        """Open nothing yet; `ca_file` replaces certifi's list of certificate authorities."""
        self.origin = ""
        self.is_open = False
        """Another request for the same origin may follow."""
        self.is_spare = True
        """There is no connection left, and the handle can be used for another host."""
        self._socket = -1
        self._ca_file = ca_file
        self._pinned: list[str] = []
        self._transfer = _NO_TRANSFER
        self._curl = curl = pycurl.Curl()
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.NOPROXY, "*")
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.HTTP09_ALLOWED, 0)
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PATH_AS_IS, 1)
        curl.setopt(pycurl.MAXCONNECTS, 1)
        curl.setopt(pycurl.MAXAGE_CONN, _IDLE_S)
        curl.setopt(pycurl.BUFFERSIZE, _BUFFER_BYTES)
        curl.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        curl.setopt(pycurl.HEADERFUNCTION, self._header)
        curl.setopt(pycurl.WRITEFUNCTION, self._write)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    def connect_for(
        self,
        target: RequestTarget,
        addresses: Collection[Address],
        headers: Mapping[str, str],
        budget: FetchBudget,
        on_head: OnHead,
    ) -> ResponseHead:
        """
        Ask over a new connection to one of these addresses; return the head at the end.

        Raises:
            FetchFailed: No answer, a broken one, or what a sink raised.
            CelebCollectError: This machine has no more connections to give.
        """
        curl = self._curl
        self.origin = target.origin
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        if target.scheme == "https":
            curl.setopt(pycurl.CAINFO, self._ca_file or certifi.where())
        # libcurl resolves nothing: it finds the name in its cache. What other hosts left goes out.
        places = ",".join(f"[{ip}]" if isinstance(ip, IPv6Address) else str(ip) for ip in addresses)
        name = f"{target.host}:{target.connection_port}"
        curl.setopt(pycurl.RESOLVE, [*self._pinned, f"{name}:{places}"])
        self._pinned = [f"-{name}"]
        return self._ask(Transfer(frozenset(addresses), budget, on_head), target, headers)

    def reuse_for(
        self,
        target: RequestTarget,
        headers: Mapping[str, str],
        budget: FetchBudget,
        on_head: OnHead,
    ) -> ResponseHead:
        """
        Ask over the connection that is open already.

        Raises:
            ConnectionGone: The server has closed it, or said something unasked.
            FetchFailed: As `connect_for` does.
        """
        # libcurl looks only now and then, and would take what waits there for the answer.
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        if waiting.poll(0):
            self.is_open = False
            raise ConnectionGone
        self._curl.setopt(pycurl.FRESH_CONNECT, 0)
        return self._ask(Transfer(None, budget, on_head), target, headers)

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def _ask(
        self, transfer: Transfer, target: RequestTarget, headers: Mapping[str, str]
    ) -> ResponseHead:
        curl, budget = self._curl, transfer.budget
        left_s = budget.left_s()
        curl.setopt(pycurl.URL, target.url)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
        curl.setopt(pycurl.TIMEOUT_MS, math.ceil(left_s * 1000))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil(min(left_s, budget.timeout_s) * 1000))
        curl.setopt(pycurl.LOW_SPEED_TIME, math.ceil(budget.timeout_s))
        self._transfer, self.is_open, self.is_spare = transfer, False, False
        try:
            curl.perform()
        except pycurl.error as error:
            code, text = error.args
            self._judge(transfer, code, text, error)
        finally:
            self._transfer = _NO_TRANSFER  # lets go of the body
            self._socket = curl.getinfo(pycurl.ACTIVESOCKET)
            self.is_spare = self._socket == -1
        transfer.raise_error()
        if not transfer.head.done:
            raise bad_response("headers without an end")
        doubtful = transfer.enough or transfer.head.is_ambiguous
        self.is_open = not self.is_spare and not doubtful
        return transfer.head

    def _judge(self, transfer: Transfer, code: int, text: str, error: pycurl.error) -> None:
        """Raise what a failed request means; return when it has given all that was wanted."""
        transfer.raise_error()
        if transfer.enough:
            return
        cut_off = code == pycurl.E_PARTIAL_FILE and transfer.head.chunked
        if cut_off and not transfer.unwanted:
            raise CutOff(transfer.head, text) from error
        raise _failure(code, text, self._curl.getinfo(pycurl.OS_ERRNO)) from error

    # What libcurl calls.

    def _open(self, _purpose: int, place: SocketPlace) -> object:
        return self._transfer.open_socket(place) or pycurl.SOCKET_BAD

    def _header(self, line: bytes) -> int | None:
        return self._transfer.taken(self._transfer.take_header, line)

    def _write(self, piece: bytes) -> int | None:
        return self._transfer.taken(self._transfer.take_piece, piece)


_NO_TRANSFER = Transfer(None, FetchBudget(0, 0, 0), lambda _: None)

_OF_THIS_MACHINE = frozenset(
    # without a file descriptor for its own use, or for the certificate authorities
    (pycurl.E_FAILED_INIT, pycurl.E_OUT_OF_MEMORY, pycurl.E_SSL_CACERT_BADFILE)
)
_TLS = frozenset(
    (pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CIPHER)
)
_NO_CONNECTION = frozenset((pycurl.E_COULDNT_CONNECT, pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR))


def _failure(code: int, text: str, system_error: int) -> FetchFailed | CelebCollectError:
    """Return what an error of libcurl means (its numbers: libcurl-errors(3))."""
    detail = text[:200]
    if code in _OF_THIS_MACHINE:
        return no_more_connections(detail)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return FetchFailed(FetchReason.TIMEOUT, detail, transient=True)
    if code in _TLS:
        # A certificate does not get better by asking again; a connection that breaks off may.
        broke = code == pycurl.E_SSL_CONNECT_ERROR and ("EOF" in text or "eof" in text)
        return FetchFailed(FetchReason.TLS_ERROR, detail, transient=broke)
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return FetchFailed(FetchReason.UNRESOLVABLE, detail, transient=True)
    if code in _NO_CONNECTION or (code == pycurl.E_RECV_ERROR and system_error):
        return FetchFailed(FetchReason.CONNECTION_FAILED, detail, transient=True)
    return bad_response(detail)
