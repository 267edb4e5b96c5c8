"""Downloads of files that are known beforehand: whole, resumed, cut off, changed, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from celebcollect.disk.known_file import KnownFile, WrongFile, prove
from celebcollect.domain.errors import ServiceError
from celebcollect.web.known_file import fetch_known_file

DATA = bytes(range(256)) * 8000


@dataclass
class Mirror:
    """A server of one file that can be told to misbehave."""

    url: str = ""
    data: bytes = DATA
    cut_at: int | None = None
    """Closes the connection after so many bytes of a body."""
    ranges: bool = True
    status: int = 200
    asked: list[str] = field(default_factory=list)
    """The Range header of each request."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET for its mirror; a whole URL in the request line makes it a proxy."""

    mirror: Mirror

    def do_GET(self) -> None:
        mirror, wanted = self.mirror, self.headers.get("Range", "")
        mirror.asked.append(wanted)
        if self.path.endswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"{mirror.url}/file")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if mirror.ranges else 0
        body = mirror.data[start:]
        self.send_response(206 if start else mirror.status)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.end_headers()
        self.wfile.write(body[: mirror.cut_at])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    handler = type("MirrorHandler", (Handler,), {"mirror": mirror})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield mirror
        server.shutdown()
        thread.join()


def known(*addresses: str) -> KnownFile:
    return KnownFile("model.onnx", len(DATA), hashlib.sha256(DATA).hexdigest(), addresses)


def fetch(file: KnownFile, target: Path, seen: list[int] | None = None) -> None:
    received = (seen if seen is not None else []).append
    fetch_known_file(file, target, user_agent="test", timeout_s=5, received=received)


def part(target: Path) -> Path:
    return target.with_name("model.onnx.part")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "model.onnx"


def test_a_file_arrives_whole(mirror: Mirror, target: Path) -> None:
    """It has its bytes, progress was told, and no part is left."""
    seen: list[int] = []

    fetch(known(f"{mirror.url}/moved"), target, seen)

    assert target.read_bytes() == DATA
    assert seen[-1] == len(DATA)
    assert sorted(target.parent.iterdir()) == [target]


def test_what_came_in_before_a_break_is_gone_on_with(mirror: Mirror, target: Path) -> None:
    """The second try asks for the rest only."""
    mirror.cut_at = 700_000
    with pytest.raises(ServiceError, match=r"cannot download model\.onnx"):
        fetch(known(f"{mirror.url}/file"), target)
    had = part(target).stat().st_size
    mirror.cut_at = None

    fetch(known(f"{mirror.url}/file"), target)

    assert 0 < had <= 700_000
    assert mirror.asked == ["", f"bytes={had}-"]
    assert target.read_bytes() == DATA


def test_a_server_that_knows_no_ranges_sends_it_all_again(mirror: Mirror, target: Path) -> None:
    """A whole answer to a request for the rest replaces the part."""
    target.parent.mkdir()
    part(target).write_bytes(b"x" * 1000)
    mirror.ranges = False

    fetch(known(f"{mirror.url}/file"), target)

    assert target.read_bytes() == DATA


@pytest.mark.parametrize("data", [DATA[:-1] + b"!", DATA + b"more"], ids=["changed", "longer"])
def test_another_file_is_not_taken(mirror: Mirror, target: Path, data: bytes) -> None:
    """It is a clear error, nothing stays, and the next try begins anew."""
    mirror.data = data

    with pytest.raises(WrongFile):
        fetch(known(f"{mirror.url}/file"), target)

    assert list(target.parent.iterdir()) == []


def test_a_part_of_another_file_is_thrown_away(mirror: Mirror, target: Path) -> None:
    """Resuming on wrong bytes is noticed by the digest."""
    target.parent.mkdir()
    part(target).write_bytes(b"x" * 1000)

    with pytest.raises(WrongFile):
        fetch(known(f"{mirror.url}/file"), target)
    fetch(known(f"{mirror.url}/file"), target)

    assert target.read_bytes() == DATA


def test_the_next_address_is_asked_when_one_refuses(
    mirror: Mirror, target: Path, dead_port: int
) -> None:
    """Refused, unreachable, then one that has it."""
    dead = f"http://127.0.0.1:{dead_port}/file"

    fetch(known(dead, f"{mirror.url}/file"), target)

    assert target.read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_says_who_and_why(mirror: Mirror, target: Path, status: int) -> None:
    """The error names address and status, and says what to do."""
    mirror.status = status

    with pytest.raises(ServiceError, match=f"{mirror.url}/file: HTTP {status}") as caught:
        fetch(known(f"{mirror.url}/file"), target)

    assert "run it again" in caught.value.hint
    assert caught.value.exit_code == 3


def test_no_network_is_a_clear_error(target: Path, dead_port: int) -> None:
    """A closed port, and no address at all that could be asked."""
    with pytest.raises(ServiceError, match="cannot download"):
        fetch(known(f"http://127.0.0.1:{dead_port}/file"), target)


def test_a_proxy_of_the_environment_is_used(
    mirror: Mirror, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy no other way leads out."""
    monkeypatch.setenv("http_proxy", mirror.url)

    fetch(known("http://models.invalid/file"), target)

    assert target.read_bytes() == DATA
    assert mirror.asked == [""]


def test_proof_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    """Cut off, changed, and right."""
    file = tmp_path / "model.onnx"
    file.write_bytes(DATA[:100])
    with pytest.raises(WrongFile, match="has 100 bytes"):
        prove(file, known())
    file.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(WrongFile, match="SHA-256"):
        prove(file, known())
    file.write_bytes(DATA)
    prove(file, known())
