"""Requests over libcurl, which speaks HTTP and TLS for us; the only module that knows pycurl.

What a downloader must not have is switched off: redirects by itself, cookies, proxies and passwords
of the environment, other protocols, decompression. Every socket is opened here, to an address that
the caller has checked.
"""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv6Address, ip_address

import certifi
import pycurl

from celebcollect.domain.errors import CelebCollectError
from celebcollect.web.addresses import Address
from celebcollect.web.body import Enough
from celebcollect.web.budget import FetchBudget
from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead, bad_response
from celebcollect.web.reasons import FetchReason, UrlReason
from celebcollect.web.urls import Target

Sink = Callable[[bytes], None]
"""Takes the pieces of a body; raises `FetchFailed`, or `Enough` to leave the rest aside."""

OnHead = Callable[[ResponseHead], Sink | None]
"""Called with a complete head; returns where its body goes, None for one that is not wanted."""

_DRAIN_BYTES = 65_536
"""An unwanted body up to this size is read, so that its connection can be used again; a longer one
is cut off with the connection."""

_MAX_PIECES = 100_000
"""Of a body; servers send 4 to 64 KB at once. Chunks of one byte would take 15 s of work for the
largest picture."""

_IDLE_S = 20
"""How long an unused connection is kept; servers commonly close them after 5 to 75 s."""

_BUFFER_BYTES = 131_072
_OUR_OWN = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_GO_ON, _ABORT = None, -1


_Place = tuple[int, int, int, tuple[str, int]]
"""Family, type, protocol and address of a socket."""


class CutOff(FetchFailed):
    """A body in chunks ended without the last one; all of it may have come all the same."""

    def __init__(self, head: ResponseHead, detail: str) -> None:
        super().__init__(FetchReason.BAD_RESPONSE, detail[:200], transient=True)
        self.head = head


class ConnectionGone(Exception):
    """A kept connection cannot be used any more; nothing was sent over it."""


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
        self._ca_file = ca_file
        self._pinned: list[str] = []
        self._request = _NO_REQUEST
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
        target: Target,
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
        return self._ask(_Request(frozenset(addresses), budget, on_head), target, headers)

    def reuse_for(
        self, target: Target, headers: Mapping[str, str], budget: FetchBudget, on_head: OnHead
    ) -> ResponseHead:
        """
        Ask over the connection that is open already.

        Raises:
            ConnectionGone: The server has closed it.
            FetchFailed: As `connect_for` does.
        """
        self._curl.setopt(pycurl.FRESH_CONNECT, 0)
        return self._ask(_Request(None, budget, on_head), target, headers)

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def _ask(self, request: _Request, target: Target, headers: Mapping[str, str]) -> ResponseHead:
        curl, budget = self._curl, request.budget
        left_s = budget.left_s()
        curl.setopt(pycurl.URL, target.url)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
        curl.setopt(pycurl.TIMEOUT_MS, math.ceil(left_s * 1000))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil(min(left_s, budget.timeout_s) * 1000))
        curl.setopt(pycurl.LOW_SPEED_TIME, math.ceil(budget.timeout_s))
        self._request, self.is_open = request, False
        try:
            curl.perform()
        except pycurl.error as error:
            code, text = error.args
            self._judge(request, code, text, error)
        finally:
            self._request = _NO_REQUEST  # lets go of the body
        if request.error is not None:
            raise request.error
        if not request.head.done:
            raise bad_response("headers without an end")
        reusable = not request.enough and not request.head.is_ambiguous
        self.is_open = reusable and curl.getinfo(pycurl.ACTIVESOCKET) != -1
        return request.head

    def _judge(self, request: _Request, code: int, text: str, error: pycurl.error) -> None:
        """Raise what a failed request means; return when it has given all that was wanted."""
        if request.error is not None:
            raise request.error from error
        if request.enough:
            return
        cut_off = code == pycurl.E_PARTIAL_FILE and request.head.chunked
        if cut_off and not request.unwanted:
            raise CutOff(request.head, text) from error
        raise _failure(code, text, self._curl.getinfo(pycurl.OS_ERRNO)) from error

    # What libcurl calls.

    def _open(self, _purpose: int, place: _Place) -> object:
        return self._request.open_socket(place)

    def _header(self, line: bytes) -> int | None:
        return self._request.taken(self._request.take_header, line)

    def _write(self, piece: bytes) -> int | None:
        return self._request.taken(self._request.take_piece, piece)


class _Request:
    """What is known of a request while it is under way."""

    def __init__(
        self, addresses: frozenset[Address] | None, budget: FetchBudget, on_head: OnHead
    ) -> None:
        self.addresses = addresses
        """Where it may connect to; None: it must use the connection that is open."""
        self.budget = budget
        self.head = ResponseHead()
        self.error: BaseException | None = None
        """Nothing may be raised where libcurl calls: it is kept, and raised after the request."""
        self.enough = False
        self.unwanted = False
        self._on_head = on_head
        self._sink: Sink | None = None
        self._pieces = 0

    def open_socket(self, place: _Place) -> object:
        """Return a socket for an address that was checked, and for no other."""
        family, kind, protocol, (host, *_) = place
        if self.addresses is None:
            self.error = ConnectionGone()
        elif ip_address(host) not in self.addresses:
            self.error = FetchFailed(UrlReason.PRIVATE_ADDRESS, f"{host} was not checked")
        else:
            try:
                return socket.socket(family, kind, protocol)
            except OSError as error:
                self.error = _not_opened(error)
        return pycurl.SOCKET_BAD

    def taken(self, take: Callable[[bytes], None], data: bytes) -> int | None:
        """Take bytes off the budget and hand them on; return what libcurl wants to know."""
        try:
            self.budget.spend(len(data))
            take(data)
        except Enough:
            self.enough = True
            return _ABORT
        except BaseException as error:  # noqa: BLE001 - raised after the request
            self.error = error
            return _ABORT
        return _GO_ON

    def take_header(self, line: bytes) -> None:
        """Take a line of the head, and ask at its end where the body goes."""
        was_done = self.head.done
        self.head.add(line)
        if not self.head.done or was_done:
            return
        self._sink = self._on_head(self.head)
        self.unwanted = self._sink is None
        length = self.head.length
        if self.unwanted and (length is None or length > _DRAIN_BYTES):
            raise Enough

    def take_piece(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._pieces += 1
        if self._pieces > _MAX_PIECES:
            raise bad_response(f"more than {_MAX_PIECES} pieces")
        if self._sink is not None:
            self._sink(piece)


_NO_REQUEST = _Request(None, FetchBudget(0, 0, 0), lambda _: None)

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
        return _no_more_connections(detail)
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


def _not_opened(error: OSError) -> FetchFailed | CelebCollectError:
    detail = error.strerror or str(error)
    if error.errno in _OUR_OWN:
        return _no_more_connections(detail)
    return FetchFailed(FetchReason.CONNECTION_FAILED, detail[:200], transient=True)


def _no_more_connections(detail: str) -> CelebCollectError:
    return CelebCollectError(
        f"cannot open a connection: {detail}",
        hint="Raise `ulimit -n`, or lower [store] workers, then run the same command again.",
    )
