"""The catalogue in MongoDB when the server goes away, and comes back or does not."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalogue.catalogue_samples import candidate, stored
from catalogue.fake_mongo import fake_mongo, refusal
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.mongo import MongoCatalogue, connection
from celebcollect.config.sections import MongoConfig
from celebcollect.domain.errors import CatalogueError, CelebCollectError, Interrupted
from celebcollect.domain.records import Status
from services.mongo_service import MongoServer


def settings(uri: str, timeout_s: float = 15) -> MongoConfig:
    return MongoConfig(uri=SecretStr(uri), database="test", timeout_s=timeout_s)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        yield int(deaf.getsockname()[1])


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
