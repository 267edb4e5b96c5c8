"""The catalogue in MongoDB when the server is not there or refuses: told, without secrets."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalogue.fake_mongo import fake_mongo, refusal
from celebcollect.catalogue.mongo import MongoCatalogue
from celebcollect.config.sections import MongoConfig
from celebcollect.domain.errors import CatalogueError, ConfigError

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
