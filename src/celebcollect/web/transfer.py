"""One request while libcurl works on it: the calls that it makes, and what came of them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address

from celebcollect.domain.errors import CelebCollectError
from celebcollect.web.addresses import Address
from celebcollect.web.body import Enough
from celebcollect.web.budget import FetchBudget
from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead, bad_response
from celebcollect.web.reasons import FetchReason, UrlReason

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

_OUR_OWN = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
GO_ON, ABORT = None, -1
"""What libcurl is told after each piece."""

SocketPlace = tuple[int, int, int, tuple[str, int]]
"""Family, type, protocol and address of a socket."""


class CutOff(FetchFailed):
    """A body in chunks ended without the last one; all of it may have come all the same."""

    def __init__(self, head: ResponseHead, detail: str) -> None:
        super().__init__(FetchReason.BAD_RESPONSE, detail[:200], transient=True)
        self.head = head


class ConnectionGone(Exception):
    """A kept connection cannot be used any more; nothing was sent over it."""


class Transfer:
    """One request while it is under way: what libcurl calls, and what came of it."""

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

    def open_socket(self, place: SocketPlace) -> socket.socket | None:
        """Return a socket for an address that was checked, None for any other."""
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
        return None

    def raise_error(self) -> None:
        """Raise what went wrong, if anything did."""
        # Let go of it first: its traceback leads back here.
        error, self.error = self.error, None
        if error is not None:
            raise error

    def taken(self, take: Callable[[bytes], None], data: bytes) -> int | None:
        """Take bytes off the budget and hand them on; return what libcurl wants to know."""
        try:
            self.budget.spend(len(data))
            take(data)
        except Enough:
            self.enough = True
            return ABORT
        except BaseException as error:  # noqa: BLE001 - raised after the request
            self.error = error
            return ABORT
        return GO_ON

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


def _not_opened(error: OSError) -> FetchFailed | CelebCollectError:
    detail = error.strerror or str(error)
    if error.errno in _OUR_OWN:
        return no_more_connections(detail)
    return FetchFailed(FetchReason.CONNECTION_FAILED, detail[:200], transient=True)


def no_more_connections(detail: str) -> CelebCollectError:
    """Return the error of a machine that has no connection to give: no fault of the host."""
    return CelebCollectError(
        f"cannot open a connection: {detail}",
        hint="Raise `ulimit -n`, or lower [store] workers, then run the same command again.",
    )
