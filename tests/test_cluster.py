"""Several workers on Apache Kafka and a server of MongoDB's protocol: the same pictures as on one workstation, whatever dies."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from celebcollect.demo.drawing import encode, portrait
from celebcollect.demo.web import SmallWeb
from local_web import Collection
from services.kafka_broker import Kafka, kafka_broker, kafka_cluster
from services.mongo_service import MongoServer, running

__all__ = ["kafka_broker", "kafka_cluster"]

pytestmark = [pytest.mark.kafka, pytest.mark.mongo, pytest.mark.slow]


def services(kafka: Kafka, mongo: MongoServer, *, partitions: int = 6, replication: int = 1) -> str:
    """Return the configuration of a place of one's own on shared servers: topics and a database with names that nobody else has."""
    own = uuid.uuid4().hex[:8]
    names = "\n".join(f'{key} = "{own}-{key}"' for key in ("google", "tmdb", "commons", "verified", "clean"))
    return (
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap}"\npartitions = {partitions}\nreplication_factor = {replication}\ntimeout_s = 30\n'
        f'[topics]\n{names}\n[mongo]\nuri = "{mongo.uri}"\ndatabase = "test-{own}"\ntimeout_s = 30\n'
    )


@dataclass
class Pictures:
    """A site with one small picture per number, each with bytes of its own; every tenth is missing."""

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
        return self._plain[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + self._plain[2:]

    def files(self, total: int, people: int = 50) -> dict[str, bytes]:
        """Return the files that all candidates together lead to, as one undisturbed worker names them."""
        bodies = ((number % people + 1, self.body(number)) for number in range(total) if number % 10)
        return {f"images/Q{person}/{hashlib.sha256(body).hexdigest()}.jpg": body for person, body in bodies}

    def candidates(self, numbers: range, people: int = 50) -> bytes:
        """Return candidate messages, spread over people; some appear twice, as they do on the real web."""
        lines = []
        for number in numbers:
            person = number % people + 1
            url = f"{self.base}/{number}.jpg"
            lines.append(json.dumps({"schema": 1, "qid": f"Q{person}", "name": f"Person {person}", "url": url, "source": "test"}))
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
            self.running.append((stage, self.collection.start(stage, "--follow", stdout=subprocess.DEVNULL, stderr=log)))

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
            assert process.poll() is None, f"{stage} ended with {process.returncode}: {self.log_lines()[-30:]}"

    def log_lines(self) -> list[str]:
        return [line for file in sorted(self.collection.folder.glob("*.log")) for line in file.read_text(errors="replace").splitlines()]


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


def publish(collection: Collection, topic: str, lines: bytes) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "celebcollect", "--config", str(collection.config), "topics", "publish", topic],
        input=lines, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr.decode()


def topic_of(collection: Collection, key: str) -> str:
    import tomllib

    name: str = tomllib.loads(collection.config.read_text())["topics"][key]
    return name


def wait_until_settled(collection: Collection, total: int, timeout_s: float, each: Any = lambda: None) -> dict[str, Any]:
    """Look at `status` until all candidates are stored or failed, calling `each` in between; fail when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        status = collection.status()
        done = status["images"]["stored"] + status["images"]["failed"]
        if done == total and status["images"]["verified"] == 0:
            return status
        assert time.monotonic() < deadline, status
        each()


def test_run_all_gives_the_same_pictures_as_on_one_workstation(kafka_broker: Kafka, tmp_path: Path) -> None:
    """Kafka and MongoDB in the configuration, and nothing else changed: the same images, files and messages."""
    with SmallWeb() as web:
        embedded = Collection(tmp_path / "embedded", web)
        embedded.run("run-all", "--sources", "tmdb,commons")
        cluster = Collection(tmp_path / "cluster", web, services(kafka_broker, running("java")))
        cluster.run("run-all", "--sources", "tmdb,commons")
        want = embedded.data_set()
        have = cluster.data_set(topic_of(cluster, "clean"))
        again = cluster.downloads()
        cluster.run("run-all", "--sources", "tmdb,commons")

        assert have == want
        assert cluster.status()["log"] == "kafka"
        assert cluster.status()["catalogue"] == "mongo"
        assert cluster.downloads() == again, "a second run downloads nothing"


@pytest.mark.timeout(900)
def test_workers_that_are_killed_lose_nothing(kafka_broker: Kafka, tmp_path: Path, pictures: Pictures, workers: list[Workers]) -> None:
    """10,000 candidates through 3 validate and 3 store processes on 6 partitions, killed and started again at random."""
    total = 10_000
    collection = Collection(tmp_path / "it", SmallWebStub(pictures.base), services(kafka_broker, running("java")))
    publish(collection, topic_of(collection, "tmdb"), pictures.candidates(range(total)))
    publish(collection, topic_of(collection, "google"), pictures.candidates(range(0, total, 20)))  # every twentieth once more
    crew = Workers(collection)
    workers.append(crew)
    for stage in ("validate", "store") * 3:
        crew.start(stage)
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    last_kill = time.monotonic()

    def sometimes_kill() -> None:
        nonlocal last_kill
        if crew.killed < 12 and time.monotonic() - last_kill > dice.uniform(1, 6):
            crew.kill_one(dice)
            last_kill = time.monotonic()

    status = wait_until_settled(collection, total, 600, sometimes_kill)
    codes = crew.stop()
    rows = collection.images()

    print(f"seed {seed}: {crew.killed} workers killed; {status['images']}; {sum(pictures.asked.values())} requests for {total} pictures")  # noqa: T201 - the counts are asked for
    assert crew.killed >= 6
    assert codes == [0] * 6, "SIGTERM is how a worker ends"
    assert len(rows) == len({row["url"] for row in rows}) == total
    assert Counter(row["status"] for row in rows) == {"stored": total * 9 // 10, "failed": total // 10}
    assert collection.files() == {row["path"] for row in rows if row["path"]}
    assert collection.contents() == pictures.files(total), "exactly the same bytes under the same names"


@pytest.mark.timeout(900)
def test_servers_that_go_away_are_waited_for(kafka_cluster: Kafka, tmp_path: Path, pictures: Pictures, workers: list[Workers]) -> None:
    """Three brokers: one dies and comes back, then all for 30 s, then MongoDB for 20 s; the workers wait, say so once, and finish."""
    mongo = MongoServer("java", tmp_path / "mongo").start()
    try:
        total = 3000
        collection = Collection(tmp_path / "it", SmallWebStub(pictures.base), services(kafka_cluster, mongo, replication=3))
        first, second, third, fourth = (range(start, start + total // 4) for start in range(0, total, total // 4))
        topic = topic_of(collection, "tmdb")
        publish(collection, topic, pictures.candidates(first))
        crew = Workers(collection)
        workers.append(crew)
        for stage in ("validate", "store") * 2:
            crew.start(stage)
        wait_until_settled(collection, len(first), 120, crew.must_live)

        publish(collection, topic, pictures.candidates(second))
        kafka_cluster.kill(0)
        wait_until_settled(collection, 2 * len(first), 120, crew.must_live)
        kafka_cluster.start_missing()
        kafka_cluster.wait()

        publish(collection, topic, pictures.candidates(third))
        kafka_cluster.kill()
        time.sleep(30)
        crew.must_live()
        kafka_cluster.start_missing()
        kafka_cluster.wait()
        wait_until_settled(collection, 3 * len(first), 180, crew.must_live)

        publish(collection, topic, pictures.candidates(fourth))
        mongo.stop()
        time.sleep(20)
        crew.must_live()
        mongo.start()
        wait_until_settled(collection, total, 180, crew.must_live)
        assert crew.stop() == [0] * 4
        rows = collection.images()
    finally:
        mongo.stop()

    assert len(rows) == len({row["url"] for row in rows}) == total
    assert Counter(row["status"] for row in rows) == {"stored": total * 9 // 10, "failed": total // 10}
    assert collection.files() == {row["path"] for row in rows if row["path"]}
    assert collection.contents() == pictures.files(total)
    assert not any("Traceback" in line for line in crew.log_lines())


@dataclass
class SmallWebStub:
    """Where a collection without the demonstration's web points its settings."""

    base: str
    requests: Counter[str] = field(default_factory=Counter)
