"""Apache Kafka itself for tests: brokers in KRaft mode on free ports of 127.0.0.1.

The jars that kafka/pom.xml names are fetched once, by Maven, into the user's cache folder, and a
broker's classes are kept there as Java has them in memory, which halves what a start costs. Brokers
die with this process, however it ends.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from filelock import FileLock

from services.ports import free_ports
from support import missing

HERE = Path(__file__).parent / "kafka"
START_S = 60.0
SASL_USER, SASL_PASSWORD = "tester", "correct-horse"
"""The only account on a broker's `sasl` port. It may do everything, until a test adds an access
rule about a topic or group."""

# Small and quick: few threads, one partition for the offsets, groups without a waiting time, short
# sessions, dead brokers soon noticed.
SETTINGS = """
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \\
  required user_{user}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=1
offsets.topic.replication.factor={replication}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor={replication}
transaction.state.log.min.isr=1
min.insync.replicas={in_sync}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=5000
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=8388608
"""


class Kafka:
    """A broker, or several that form a cluster with replication."""

    def __init__(self, folder: Path, brokers: int = 1, *, archive: Path | None = None) -> None:
        """Start nothing yet; `archive` holds the classes as Java has them in memory."""
        self._folder = folder
        self._options = [f"-XX:SharedArchiveFile={archive}"] if archive else []
        self._class_path = f"{jars()}/*"
        ports = free_ports(3 * brokers)
        self._ports = [ports[3 * number : 3 * number + 3] for number in range(brokers)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        voters = ",".join(
            f"{number + 1}@127.0.0.1:{controller}"
            for number, (_, controller, _) in enumerate(self._ports)
        )
        for number, (port, controller, sasl) in enumerate(self._ports):
            own = {
                "node.id": number + 1,
                "controller.quorum.voters": voters,
                "listeners": (
                    f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},"
                    f"SASL://127.0.0.1:{sasl}"
                ),
                "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl}",
                "log.dirs": folder / f"data-{number}",
            }
            common = SETTINGS.format(
                user=SASL_USER,
                password=SASL_PASSWORD,
                replication=min(brokers, 3),
                in_sync=2 if brokers > 2 else 1,
            )
            (folder / f"{number}.properties").write_text(
                common + "\n".join(f"{name}={value}" for name, value in own.items())
            )

    @property
    def bootstrap(self) -> str:
        """All brokers, as `bootstrap_servers` wants them."""
        return ",".join(f"127.0.0.1:{port}" for port, _, _ in self._ports)

    @property
    def sasl(self) -> str:
        """The first broker's port that wants a name and a password."""
        return f"127.0.0.1:{self._ports[0][2]}"

    def format(self) -> None:
        """Prepare the data folders of all brokers."""
        # The first byte is 0, so that the text begins with an A: one that begins with a dash is
        # taken for an option.
        cluster = base64.urlsafe_b64encode(b"\0" + os.urandom(15)).decode().rstrip("=")
        tools = [
            self._java(
                number,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster,
                "-c",
                str(self._folder / f"{number}.properties"),
            )
            for number in range(len(self._ports))
        ]
        for number, tool in enumerate(tools):
            assert tool.wait(START_S) == 0, self.log(number)

    def start(self, *numbers: int) -> None:
        """Start the named brokers without waiting until they answer."""
        for number in numbers:
            self._processes[number] = self._java(
                number, "kafka.Kafka", str(self._folder / f"{number}.properties")
            )

    def start_missing(self) -> None:
        """Start the brokers that were killed."""
        self.start(*(number for number in range(len(self._ports)) if number not in self._processes))

    def wait(self) -> None:
        """Wait until every started broker is a member of the cluster and the cluster answers."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        deadline = time.monotonic() + START_S
        while True:
            for number, process in self._processes.items():
                assert process.poll() is None, f"broker {number} ended: {self.log(number)}"
            with contextlib.suppress(KafkaException):
                if len(admin.list_topics(timeout=1).brokers) == len(self._processes):
                    return
            assert time.monotonic() < deadline, (
                f"no answer from {self.bootstrap}: {self.log(next(iter(self._processes)))}"
            )
            time.sleep(0.05)

    def kill(self, *numbers: int) -> None:
        """Kill the named brokers or all (SIGKILL); `start` brings them back with their data."""
        ended = [self._processes.pop(number) for number in numbers or tuple(self._processes)]
        for process in ended:
            process.kill()
        for process in ended:
            process.wait(30)

    def keep_classes(self, archive: Path) -> None:
        """Let the first broker write the archive of its classes when it ends (JEP 350)."""
        self.format()
        self._options = [f"-XX:ArchiveClassesAtExit={archive}"]
        self.start(0)
        try:
            self.wait()
            self._processes[0].terminate()
            self._processes[0].wait(START_S)
        finally:
            self.kill()
        assert archive.stat().st_size, "an empty archive"

    def log(self, number: int) -> str:
        """Return the end of a broker's log."""
        return (self._folder / f"{number}.log").read_text(errors="replace")[-3000:]

    def _java(self, number: int, *arguments: str) -> subprocess.Popen[bytes]:
        logs = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        options = [*self._options, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", logs]
        with (self._folder / f"{number}.log").open("ab") as log:
            return _starter.submit(
                subprocess.Popen,
                ["java", *options, "-cp", self._class_path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            ).result()


@contextlib.contextmanager
def kafka(brokers: int = 1) -> Iterator[Kafka]:
    """Run a cluster for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="kafka-"))
    servers = None
    try:
        servers = Kafka(folder, brokers, archive=_archive())
        servers.format()
        servers.start_missing()
        servers.wait()
        yield servers
    finally:
        if servers is not None:
            servers.kill()
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def jars() -> Path:
    """Return the folder with a broker's jars, fetched if need be; skip the test without."""
    java = shutil.which("java")
    if java is None:
        missing("Java (a JRE of version 17 or newer, for the Kafka broker)")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    if (version := re.search(r'version "(\d+)', said)) is None or int(version[1]) < 17:
        missing("Java 17 or newer (for the Kafka broker)")
    pom = (HERE / "pom.xml").read_text()
    cache = platformdirs.user_cache_path("celebcollect-tests", ensure_exists=True)
    folder = cache / f"kafka-{re.findall(r'<kafka.version>(.+?)<', pom)[0]}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            maven = shutil.which("mvn")
            if maven is None:
                missing("Maven (to fetch the Kafka broker)")
            fetched = Path(tempfile.mkdtemp(dir=cache))
            command = [
                maven,
                "-B",
                "-q",
                "-f",
                str(HERE / "pom.xml"),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={fetched}",
            ]
            result = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=600
            )
            if result.returncode:
                shutil.rmtree(fetched)
                missing(
                    f"the Kafka broker ({(result.stdout + result.stderr).strip().splitlines()[0]})"
                )
            fetched.rename(folder)
    return folder


@functools.cache
def _archive() -> Path | None:
    """Return the archive of a broker's classes, made once; None where that failed."""
    version = subprocess.run(["java", "-version"], capture_output=True, check=False).stderr
    archive = jars().with_name(f"{jars().name}-{hashlib.sha256(version).hexdigest()[:12]}.jsa")
    new, tried = archive.with_suffix(".new"), archive.with_suffix(".tried")
    with FileLock(f"{archive}.lock"):
        if not tried.exists():
            tried.touch()
            with (
                tempfile.TemporaryDirectory(prefix="kafka-") as folder,
                contextlib.suppress(AssertionError, OSError, subprocess.SubprocessError),
            ):
                Kafka(Path(folder)).keep_classes(new)
                # never half a file under its name, nor an empty one: Java crashes on that
                new.replace(archive)
    return archive if archive.exists() else None


_libc = ctypes.CDLL(None)
_starter = ThreadPoolExecutor(1, "broker-starter")
"""Starts all brokers: for the kernel, their parent is the thread that started them, and this one
lives as long as the process."""


def _die_with_parent() -> None:
    # prctl(PR_SET_PDEATHSIG): the kernel ends the broker when pytest is gone, even after kill -9.
    _libc.prctl(1, signal.SIGKILL)
