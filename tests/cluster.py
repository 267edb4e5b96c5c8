"""Workers on Kafka and a server of MongoDB's protocol, and a site with their pictures."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from celebcollect.demo.drawing import encode, portrait
from local_web import Collection
from services.kafka_broker import Kafka
from services.kafka_keeper import Broker
from services.mongo_service import MongoServer


def services(
    kafka: Broker | Kafka,
    mongo: MongoServer,
    *,
    partitions: int = 6,
    replication: int = 1,
    own_bytes: bool = False,
) -> str:
    """Return a configuration with topics and a database of its own on shared servers."""
    own = uuid.uuid4().hex[:8]
    names = "\n".join(
        f'{key} = "{own}-{key}"' for key in ("google", "tmdb", "commons", "verified", "clean")
    )
    return (
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap}"\npartitions ='
        f" {partitions}\nreplication_factor = {replication}\ntimeout_s ="
        f' 30\n[topics]\n{names}\n[mongo]\nuri = "{mongo.uri}"\ndatabase ='
        f' "{mongo.new_database(own_bytes=own_bytes)}"\ntimeout_s = 30\n'
    )


@dataclass
class Pictures:
    """A site with one small picture per number, all different; every tenth is missing."""

    asked: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._plain = encode(portrait(1, 1, 128))
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2].removesuffix(".jpg")
                number = int(name) if name.isdigit() else 0
                site.asked[number] += 1
                body = site.body(number)
                status = 200 if number % 10 else 404
                self.send_response(status)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(body) if status == 200 else 0))
                self.end_headers()
                if status == 200:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def body(self, number: int) -> bytes:
        """Return the picture of a number."""
        comment = f"number {number}".encode()
        # A JPEG comment behind the start marker: other bytes, the same picture.
        return (
            self._plain[:2]
            + b"\xff\xfe"
            + (len(comment) + 2).to_bytes(2, "big")
            + comment
            + self._plain[2:]
        )

    def files(self, total: int, people: int = 50) -> dict[str, bytes]:
        """Return the files to which all candidates lead, as one undisturbed worker names them."""
        bodies = (
            (number % people + 1, self.body(number)) for number in range(total) if number % 10
        )
        return {
            f"images/Q{person}/{hashlib.sha256(body).hexdigest()}.jpg": body
            for person, body in bodies
        }

    def candidates(self, numbers: range, people: int = 50) -> bytes:
        """Return candidates, spread over people; some appear twice, as on the real web."""
        lines = []
        for number in numbers:
            person = number % people + 1
            url = f"{self.base}/{number}.jpg"
            lines.append(
                json.dumps(
                    {
                        "schema": 1,
                        "qid": f"Q{person}",
                        "name": f"Person {person}",
                        "url": url,
                        "source": "test",
                    }
                )
            )
        return "\n".join(lines).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Workers:
    """Worker processes that are killed and started again; their log lines are kept."""

    collection: Collection
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    started: int = 0
    killed: int = 0

    def start(self, stage: str) -> None:
        self.started += 1
        with (self.collection.folder / f"{stage}-{self.started}.log").open("wb") as log:
            self.running.append(
                (
                    stage,
                    self.collection.start(stage, "--follow", stdout=subprocess.DEVNULL, stderr=log),
                )
            )

    def kill_one(self, dice: random.Random) -> None:
        """End a worker with SIGKILL and start another one in its place."""
        stage, process = self.running.pop(dice.randrange(len(self.running)))
        process.kill()
        process.wait()
        self.killed += 1
        self.start(stage)

    def stop(self) -> list[int]:
        """End all workers with SIGTERM, as a supervisor does; return their exit codes."""
        for _, process in self.running:
            process.send_signal(signal.SIGTERM)
        codes = []
        for _, process in self.running:
            try:
                codes.append(process.wait(60))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        self.running.clear()
        return codes

    def must_live(self) -> None:
        """Fail with its last words when a worker ended by itself."""
        for stage, process in self.running:
            assert process.poll() is None, (
                f"{stage} ended with {process.returncode}: {self.log_lines()[-30:]}"
            )

    def log_lines(self) -> list[str]:
        return [
            line
            for file in sorted(self.collection.folder.glob("*.log"))
            for line in file.read_text(errors="replace").splitlines()
        ]


def publish(collection: Collection, topic: str, lines: bytes) -> None:
    process = subprocess.run(
        [
            sys.executable, "-m", "celebcollect", "--config", str(collection.config),
            "topics", "publish", topic, "--raw",
        ],
        input=lines, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr.decode()


def topic_of(collection: Collection, key: str) -> str:
    name: str = tomllib.loads(collection.config.read_text())["topics"][key]
    return name


def wait_until_settled(
    collection: Collection, site: Pictures, total: int, timeout_s: float, each: Any = lambda: None
) -> None:
    """Wait until all candidates are stored or failed, calling `each` in between."""
    deadline = time.monotonic() + timeout_s
    while True:
        # A look at `status` is a process of its own and a count in the database: not before every
        # picture was asked for.
        status = collection.status() if len(site.asked) >= total else {}
        images = status.get("images", {})
        if images and images["stored"] + images["failed"] == total and images["verified"] == 0:
            return
        assert time.monotonic() < deadline, (
            status or f"{len(site.asked)} of {total} pictures were asked for"
        )
        each()
        time.sleep(2 if status else 0.2)


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    pictures = Pictures()
    yield pictures
    pictures.close()


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[list[Workers]]:
    """Whatever is appended here is ended with the test, also when it fails."""
    started: list[Workers] = []
    yield started
    for some in started:
        for _, process in some.running:
            process.kill()
            process.wait()


@dataclass
class SmallWebStub:
    """Where a collection without the demonstration's web points its settings."""

    base: str
    requests: Counter[str] = field(default_factory=Counter)
