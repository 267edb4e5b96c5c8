"""The catalogue in MongoDB when the server is not there, refuses or goes away.

Another worker may be faster, too.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from catalogue.catalogue_backends import Backend, new_backend
from catalogue.catalogue_samples import accepted, candidate, failed, person, stored
from catalogue.fake_mongo import fake_mongo, refusal
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.mongo import MongoCatalogue, commands, connection
from celebcollect.config.sections import MongoConfig
from celebcollect.domain.errors import CatalogueError, CelebCollectError, ConfigError, Interrupted
from celebcollect.domain.records import Status
from services.mongo_service import MongoServer

PASSWORD = "s3cr3t"


def settings(uri: str, timeout_s: float = 15) -> MongoConfig:
    return MongoConfig(uri=SecretStr(uri), database="test", timeout_s=timeout_s)


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that a user could come to see: the error, what it was raised from, and the log."""
    return (
        "".join(traceback.format_exception(error))
        + repr(vars(error))
        + repr((error.__cause__, error.__context__))
        + caplog.text
    )


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        yield int(deaf.getsockname()[1])


@pytest.mark.parametrize("port", ["dead_port", "deaf_port"])
def test_a_server_that_is_not_there_is_told_in_time(
    port: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Nobody there, or somebody who never answers.

    An error within the time limit that names the place and no password.
    """
    caplog.set_level(logging.DEBUG)
    where = f"127.0.0.1:{request.getfixturevalue(port)}"
    began = time.monotonic()

    with pytest.raises(CatalogueError, match=where) as caught:
        MongoCatalogue(settings(f"mongodb://collector:{PASSWORD}@{where}/", timeout_s=1))

    assert time.monotonic() - began < 15  # half of what the driver waits by itself
    assert "mongo.uri" in caught.value.hint
    assert PASSWORD not in everything_said(caught.value, caplog)


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (18, "Authentication failed.", "password"),
        (13, "not authorized on test to execute command", "readWrite"),
        (14031, "available disk space is less than required", "room"),
        (20, "something else", ""),
    ],
)
def test_a_server_that_refuses_is_told(
    code: int, words: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What a server answers when it refuses is passed on in a line, with advice.

    The line does not hold the password.
    """
    caplog.set_level(logging.DEBUG)
    with fake_mongo(
        lambda command: {"ok": 1.0} if "ping" in command else refusal(code, "No", words)
    ) as port:
        uri = f"mongodb://127.0.0.1:{port}/?appName={PASSWORD}"
        with pytest.raises(CatalogueError, match=words) as caught:
            MongoCatalogue(settings(uri, timeout_s=5))

    assert f"127.0.0.1:{port}" in caught.value.message
    assert hint in caught.value.hint
    assert PASSWORD not in everything_said(caught.value, caplog)


def test_a_wrong_password_is_told_without_it(caplog: pytest.LogCaptureFixture) -> None:
    """A server that does not know us: the error says so and shows neither user nor password."""
    caplog.set_level(logging.DEBUG)
    with fake_mongo(
        lambda _: refusal(18, "AuthenticationFailed", "Authentication failed.")
    ) as port:
        uri = f"mongodb://collector:{PASSWORD}@127.0.0.1:{port}/?authMechanism=SCRAM-SHA-256"
        with pytest.raises(CatalogueError, match="refuses us") as caught:
            MongoCatalogue(settings(uri, timeout_s=5))

    assert "Check user, password" in caught.value.hint
    assert PASSWORD not in everything_said(caught.value, caplog)
    assert "collector" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://user:{PASSWORD}:x@host/",
        f"mongodb://user:{PASSWORD}/x@host/db",
        f"mongodb://user:x/{PASSWORD}@host/db",
        f"mongodb://{PASSWORD}:12345?x=y@127.0.0.1/",
        f"mongodb://{PASSWORD}:12345/x@127.0.0.1",
        f"mongodb://user:{PASSWORD}@x@host/",
        f"mongodb://user:%zz{PASSWORD}@host/",
        f"mongodb://user:{PASSWORD}@host:port/",
        f"mongodb://user:{PASSWORD}@host:99999/",
        f"mongodb://user:{PASSWORD}@",
        f"mongodb://host/?tlsCertificateKeyFilePassword={PASSWORD}&w",
        f"mongodb://host/?replicaSet={PASSWORD}&maxPoolSize=x&tls=false&tls=true",
        f"http://user:{PASSWORD}@host/",
        PASSWORD,
        "mongodb://",
    ],
)
def test_an_unusable_uri_is_told_without_its_secrets(
    uri: str, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """However the URI is broken, the error says that it is, and no part of it is shown anywhere."""
    caplog.set_level(logging.DEBUG)

    with pytest.raises(ConfigError, match=r"mongo\.uri") as caught:
        MongoCatalogue(settings(uri, timeout_s=1))

    assert PASSWORD not in everything_said(caught.value, caplog) + str(
        [str(warning.message) for warning in recwarn]
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("option", ["tlsCAFile", "tlsCertificateKeyFile"])
@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_a_certificate_that_cannot_be_used_is_told(
    tmp_path: Path, option: str, content: bytes | None
) -> None:
    """
    A file that is missing or no certificate is a mistake in the configuration.

    It is not a fault of the program.
    """
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"mongo\.uri") as caught:
        MongoCatalogue(
            settings(
                f"mongodb://user:{PASSWORD}@127.0.0.1:1/?tls=true&{option}={file}", timeout_s=1
            )
        )

    assert caught.value.exit_code == 2
    assert PASSWORD not in str(caught.value)


def test_servers_that_dns_does_not_name_are_no_mistake_in_the_uri(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With mongodb+srv no name server is a service that cannot be reached."""
    resolver = pytest.importorskip("dns.resolver")

    def nobody(*_: object, **__: object) -> None:
        raise resolver.NoNameservers

    monkeypatch.setattr(resolver, "resolve", nobody)

    with pytest.raises(CatalogueError, match="DNS") as caught:
        MongoCatalogue(settings(f"mongodb+srv://user:{PASSWORD}@cluster.example.org/", timeout_s=1))

    assert caught.value.exit_code == 3
    assert PASSWORD not in everything_said(caught.value, caplog)


@pytest.mark.mongo
@pytest.mark.parametrize("kind", ["java", "ferretdb"])
def test_the_work_waits_for_a_server_that_goes_away(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A server that is away for some seconds loses nothing.

    Two threads wait, the log says so once, and the work goes on.
    """
    caplog.set_level(logging.INFO)
    server = MongoServer(kind, tmp_path).start()
    people = 30
    done = threading.Semaphore(0)
    errors: list[Exception] = []

    def work(catalogue: Catalogue, first: int) -> None:
        try:
            for number in range(first, first + people):
                catalogue.add_verified([candidate(number, place) for place in range(3)])
                catalogue.record_stored([stored(number, place) for place in range(3)])
                done.release()
                time.sleep(0.02)
        except CelebCollectError as error:
            errors.append(error)

    with closing(MongoCatalogue(settings(server.uri, timeout_s=2))) as catalogue:
        threads = [threading.Thread(target=work, args=(catalogue, first)) for first in (1, 1001)]
        for thread in threads:
            thread.start()
        for _ in range(people // 3):
            done.acquire(timeout=60)
        server.stop()
        time.sleep(3)
        server.start()
        for thread in threads:
            thread.join(120)
        counts = catalogue.counts()
        needy = catalogue.need_cleaning("v1")
        rows = list(catalogue.images())
    server.stop()

    assert errors == []
    assert (
        len(rows) == len({row.id for row in rows}) == counts.images[Status.STORED] == people * 2 * 3
    )
    assert len(needy) == people * 2
    told = [record.getMessage() for record in caplog.records if record.name == connection.__name__]
    assert [text.partition(" where")[0] for text in told] == [
        "MongoDB does not answer, waiting for it",
        "MongoDB answers again",
    ]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with new_backend("java", tmp_path) as backend:
        yield backend


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server that shuts down in the middle and stays away is given up some time.

    The error says how long we waited.
    """
    monkeypatch.setattr(connection, "PATIENCE_S", 0.5)
    going = refusal(11600, "InterruptedAtShutdown", "the server is going down")
    with fake_mongo(
        lambda command: (
            {"ok": 1.0, "version": "8.0.0"}
            if {"ping", "buildInfo", "buildinfo"} & set(command)
            else going
        )
    ) as port:
        uri = f"mongodb://127.0.0.1:{port}/"
        with pytest.raises(CatalogueError, match="stayed away") as caught:
            MongoCatalogue(settings(uri, timeout_s=0.5))

    assert f"127.0.0.1:{port}" in caught.value.message


@pytest.mark.parametrize("port", ["dead_port", "deaf_port"])
def test_whoever_waits_for_a_server_can_be_stopped(
    port: str, request: pytest.FixtureRequest
) -> None:
    """At the start no server answers: a stop is seen long before `mongo.timeout_s` is over."""
    stop = threading.Event()
    uri = f"mongodb://127.0.0.1:{request.getfixturevalue(port)}/?connectTimeoutMS=500"
    begin = time.monotonic()
    threading.Timer(0.5, stop.set).start()

    with pytest.raises(Interrupted, match="stopped while waiting for MongoDB"):
        MongoCatalogue(settings(uri, timeout_s=60), stop=stop)

    assert time.monotonic() - begin < 30  # half of timeout_s


@pytest.mark.mongo
def test_a_stop_ends_the_waiting_in_the_middle_of_the_work(tmp_path: Path) -> None:
    """
    The server is gone and stays away.

    A stop ends the waiting, and what was asked is not said to be done.
    """
    stop, server = threading.Event(), MongoServer("java", tmp_path).start()
    with closing(MongoCatalogue(settings(server.uri), stop=stop)) as catalogue:
        server.stop()
        begin = time.monotonic()
        threading.Timer(1, stop.set).start()

        with pytest.raises(Interrupted):
            catalogue.counts()

        assert time.monotonic() - begin < 30  # half of timeout_s


@pytest.mark.mongo
def test_a_worker_that_dies_before_the_last_step_repeats_it(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A picture is cleaned although its worker died after writing the row.

    The worker had not sent the person to cleaning; the message comes again.
    """
    with closing(backend.open()) as catalogue:
        assert isinstance(catalogue, MongoCatalogue)
        with monkeypatch.context() as dying:
            dying.setattr(type(catalogue._all.celebrities), "update_many", Dies())
            with pytest.raises(Died):
                catalogue.record_stored([stored(1, 0)])
        before = catalogue.need_cleaning("v1"), catalogue.person_images("Q1")

        catalogue.record_stored([stored(1, 0)])

        assert before == ([], [stored(1, 0)])
        assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


class Died(BaseException):
    """The process ends here."""


class Dies:
    """A step at which the process dies."""

    def __call__(self, *_: object, **__: object) -> None:
        raise Died


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("faster", "outcome"),
    [
        (lambda other: other.add_verified([candidate(1, 0)]), stored(1, 0)),
        (lambda other: other.record_stored([stored(1, 0, bytes=7)]), stored(1, 0, bytes=7)),
    ],
)
def test_a_row_that_another_worker_inserts_in_between_is_settled_all_the_same(
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    faster: Callable[[Catalogue], object],
    outcome: Any,
) -> None:
    """
    Between the look and the write another worker inserts the row.

    A verified one is replaced, a stored one stays, and the person is cleaned.
    """
    insert = commands.insert
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:

        def late(collection: Any, rows: Any) -> set[str]:
            if collection.name == "images":
                monkeypatch.setattr(commands, "insert", insert)
                faster(other)
            return insert(collection, rows)

        monkeypatch.setattr(commands, "insert", late)
        catalogue.record_stored([stored(1, 0)])

        assert catalogue.person_images("Q1") == [outcome]
        assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


@pytest.mark.mongo
def test_a_row_that_another_worker_settles_in_between_stays(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between the look and the write another worker stores the picture and `clean` accepts it.

    The slower download overrides nothing.
    """
    replace = MongoCatalogue._replace
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:
        catalogue.add_verified([candidate(1, 0), candidate(1, 1)])

        def late(self: MongoCatalogue, seen: Any, rows: Any) -> set[str]:
            monkeypatch.setattr(MongoCatalogue, "_replace", replace)
            other.record_stored([stored(1, 0)])
            other.record_verdicts([accepted(1, 0)])
            return replace(self, seen, rows)

        monkeypatch.setattr(MongoCatalogue, "_replace", late)
        catalogue.record_stored([failed(1, 0), stored(1, 1)])

        assert {row.id: row for row in catalogue.images()} == {
            row.id: row for row in (accepted(1, 0), stored(1, 1))
        }


@pytest.mark.mongo
def test_nothing_written_at_the_moment_of_forgetting_stays(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that asked before the person was forgotten, and writes after, leaves no row."""
    insert = commands.insert
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:

        def late(collection: Any, rows: Any) -> set[str]:
            if collection.name == "images":
                monkeypatch.setattr(commands, "insert", insert)
                other.forget("Q1")
            return insert(collection, rows)

        monkeypatch.setattr(commands, "insert", late)
        catalogue.add_verified([candidate(1, 0), candidate(2, 0)])

        assert [row.qid for row in catalogue.images()] == ["Q2"]
        assert [known.qid for known in catalogue.people()] == ["Q2"]


@pytest.mark.mongo
def test_people_and_images_can_be_read_with_other_tools(backend: Backend) -> None:
    """
    In the collections named in the contract lie the records' own fields.

    People and images lie under their ids.
    """
    with closing(backend.open()) as catalogue:
        assert isinstance(catalogue, MongoCatalogue)
        catalogue.save_people([person(1)])
        catalogue.record_stored([stored(1, 0)])
        catalogue.record_verdicts([accepted(1, 0)])
        celebrity = catalogue._all.celebrities.find_one({"_id": "Q1"})
        image = catalogue._all.images.find_one({"_id": stored(1, 0).id})

    assert celebrity is not None
    assert image is not None
    assert (celebrity["name"], celebrity["sitelinks"]) == ("Person 1", 20)
    assert (image["qid"], image["status"], image["sha256"], image["width_px"]) == (
        "Q1",
        "accepted",
        stored(1, 0).sha256,
        300,
    )
