"""Servers of MongoDB's protocol for tests, built once, kept in the user's cache.

MongoDB's own server is in no registry. Two others stand in for it, so that only what both
understand gets into the code:

- `java`: mongo-java-server (Maven Central) on an H2 file. Its writes are atomic, as MongoDB's are.
- `ferretdb`: FerretDB 1.24 (Go) on SQLite. It reads a document, changes it and writes it back
  without a lock, so tests of several processes at once do not run on it.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import platformdirs
import pymongo
from filelock import FileLock
from pymongo.errors import PyMongoError

from services.ports import free_ports
from support import missing

HERE = Path(__file__).parent / "mongo"
CACHE = platformdirs.user_cache_path("celebcollect-tests")
START_S = 60.0
STAND_IN_INDEX = "only for the stand-in"


class MongoServer:
    """One server process with its data in a folder; it can be started again on its port."""

    def __init__(self, kind: str, folder: Path, *, heap_mb: int = 512) -> None:
        self._command = {"java": _java, "ferretdb": _ferretdb}[kind](heap_mb)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.kind = kind
        (self.port,) = free_ports(1)
        self.uri = f"mongodb://127.0.0.1:{self.port}/"

    def start(self) -> Self:
        """Start the server and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        data = self._folder / "data.mv" if self.kind == "java" else self._folder
        with (self._folder / "server.log").open("ab") as log:
            # The pipe is what ends the server: it closes when this process ends, in whatever way.
            self._process = subprocess.Popen(
                [*self._command, str(self.port), str(data)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_S
        with pymongo.MongoClient[dict[str, object]](
            self.uri, serverSelectionTimeoutMS=200
        ) as client:
            while True:
                try:
                    client.admin.command("ping")
                    return self
                except PyMongoError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        self.stop()
                        raise AssertionError(
                            (self._folder / "server.log").read_text(errors="replace")
                        ) from None

    def new_database(self, *, own_bytes: bool = False) -> str:
        """
        Make an empty database for one test and return its name.

        Args:
            own_bytes: No two pictures of the test have the same bytes, so that the stand-in, which
                knows only unique indexes, finds them by one.
        """
        name = f"test-{uuid.uuid4().hex[:12]}"
        if self.kind == "java":
            # MongoDB finds a row by its id and then looks at its status; this server would look at
            # every row of the collection, unless an index has exactly these two fields. It changes
            # no result.
            with pymongo.MongoClient[dict[str, object]](self.uri) as client:
                client[name].images.create_index(
                    [("_id", 1), ("status", 1)], unique=True, name=STAND_IN_INDEX
                )
                if own_bytes:
                    client[name].images.create_index(
                        [("sha256", 1)], unique=True, sparse=True, name=f"{STAND_IN_INDEX}: bytes"
                    )
        return name

    def stop(self) -> None:
        """End the server in an orderly way; what it holds is on the disk afterwards."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            if self.kind == "ferretdb":
                # It waits seconds for its clients; SQLite keeps what it has acknowledged all the
                # same.
                self._process.kill()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


@functools.cache
def running(kind: str) -> MongoServer:
    """Return the server of this kind that all tests of this process share."""
    folder = Path(tempfile.mkdtemp(prefix=f"celebcollect-{kind}-"))
    server = MongoServer(kind, folder).start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return server


def _java(heap_mb: int) -> list[str]:
    classes = _java_classes()
    return [
        "java",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-cp",
        f"{classes}{os.pathsep}{classes}/*",
        "MongoServer",
    ]


def _ferretdb(heap_mb: int) -> list[str]:
    return [str(_ferretdb_binary())]


@functools.cache
def _java_classes() -> Path:
    sources = [HERE / "pom.xml", HERE / "MongoServer.java"]
    folder, done = _cached("mongo-java-server", ("java", "javac", "mvn"), sources)
    if not done:
        _run(
            [
                "mvn",
                "-q",
                "-B",
                "-f",
                str(HERE / "pom.xml"),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={folder}",
            ]
        )
        _run(["javac", "-cp", f"{folder}/*", "-d", str(folder), str(HERE / "MongoServer.java")])
        (folder / "done").touch()
    return folder


@functools.cache
def _ferretdb_binary() -> Path:
    sources = [HERE / "ferretdb" / name for name in ("go.mod", "go.sum", "main.go")]
    folder, done = _cached("ferretdb", ("go",), sources)
    if not done:
        _run(["go", "build", "-o", str(folder / "ferretdb"), "."], cwd=HERE / "ferretdb")
        (folder / "done").touch()
    return folder / "ferretdb"


def _cached(name: str, tools: Sequence[str], sources: Sequence[Path]) -> tuple[Path, bool]:
    """Return the folder of what is made from these sources, and whether it was made already."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    if not (folder / "done").exists():
        lacking = [tool for tool in tools if not shutil.which(tool)]
        if lacking:
            missing(f"{' and '.join(lacking)} (to get a server of MongoDB's protocol)")
        folder.mkdir(parents=True, exist_ok=True)
    return folder, (folder / "done").exists()


def _run(command: list[str], cwd: Path | None = None) -> None:
    # One at a time over all test processes: they share the registries' caches.
    with FileLock(CACHE / "build.lock"):
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(
            f"a server of MongoDB's protocol ({command[0]} failed:"
            f" {(done.stderr or done.stdout)[-500:]})"
        )
