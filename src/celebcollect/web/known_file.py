"""Download a file whose size and SHA-256 are known beforehand, from the first address that has it.

For large files that a person asked for, such as face models: what an interrupted download left is
gone on with, and nothing appears under the file's name before its bytes are proved. A proxy of the
environment is used, unlike for pictures and APIs: the address is ours and not a stranger's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from celebcollect.disk.files import PART, disk_errors, make_folder, sync_folder
from celebcollect.disk.known_file import KnownFile, WrongFile, prove
from celebcollect.domain.errors import ServiceError
from celebcollect.web.http_library import (
    Client,
    HTTPError,
    InvalidURL,
    Response,
    TimeoutException,
    TooManyRedirects,
)
from celebcollect.web.urls import shown_url

log = logging.getLogger(__name__)

_REDIRECTS = 5


def fetch_known_file(
    known: KnownFile,
    target: Path,
    *,
    user_agent: str,
    timeout_s: float,
    received: Callable[[int], None] = lambda _: None,
) -> None:
    """
    Download a file to `target`, which appears only when its bytes are proved.

    `timeout_s` is the longest single wait; `received` is told again and again how many bytes are
    there.

    Raises:
        ServiceError: No address gave it; says why for each.
        WrongFile: All that was given was another file.
        StorageError: It cannot be written.
    """
    part = target.with_name(target.name + PART)
    with disk_errors("write", target):
        make_folder(target.parent)
    failures: list[str] = []
    wrong: WrongFile | None = None
    headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
    with Client(
        headers=headers, timeout=timeout_s, follow_redirects=True, max_redirects=_REDIRECTS
    ) as client:
        for address in known.addresses:
            try:
                _download(client, address, part, known, received)
                prove(part, known)
            except WrongFile as error:
                # Nothing of it can be gone on with.
                part.unlink(missing_ok=True)
                reason, wrong = "another file", error
            except _NotHad as error:
                reason = str(error)
            else:
                _place(part, target)
                return
            failures.append(f"{shown_url(address)}: {reason}")
            log.warning("file not had url=%s reason=%s", shown_url(address), reason)
    if wrong is not None:
        raise wrong
    raise ServiceError(
        f"cannot download {known.name}: {'; '.join(failures)}",
        hint="Check the network and the proxy; run it again to go on, or fetch it by other means.",
    )


def _place(part: Path, target: Path) -> None:
    """Give the proved bytes the file's name."""
    with disk_errors("write", target):
        part.replace(target)
        sync_folder(target.parent)


class _NotHad(Exception):
    """An address did not give the file; the text says why."""


def _download(
    client: Client,
    address: str,
    part: Path,
    known: KnownFile,
    received: Callable[[int], None],
) -> None:
    """Go on with the part, or begin it; what came in before a failure stays."""
    with disk_errors("write", part):
        there = part.stat().st_size if part.is_file() else 0
        if there == known.size:
            return
        if there > known.size:
            part.unlink()
            there = 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    with _told(), client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == 206 and there and _begins_at(answer, there):
            mode = "ab"
        elif answer.status_code == 200:
            mode, there = "wb", 0
        else:
            raise _NotHad(f"HTTP {answer.status_code}")
        with disk_errors("write", part), part.open(mode) as out:
            for piece in _bytes(answer, known.size - there):
                out.write(piece)
                there += len(piece)
                received(there)
    if there < known.size:
        raise _NotHad(f"ended after {there} of {known.size} bytes")


def _bytes(answer: Response, limit: int) -> Iterator[bytes]:
    """Yield the raw body; one that is longer than the file ends in `WrongFile`."""
    size = 0
    for piece in answer.iter_raw():
        size += len(piece)
        if size > limit:
            raise WrongFile(
                f"{answer.url.host} sends more than the file has",
                hint="It is another version; it is not used.",
            )
        yield piece


def _begins_at(answer: Response, start: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {start}-")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TimeoutException as error:
        raise _NotHad("no answer in time") from error
    except TooManyRedirects as error:
        raise _NotHad("redirects in circles") from error
    except (HTTPError, InvalidURL) as error:
        raise _NotHad(str(error)[:120] or type(error).__name__) from error
