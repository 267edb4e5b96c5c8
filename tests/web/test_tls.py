"""Encrypted downloads: certificates are checked, and a broken handshake is told."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import answer, picture, serve
from support import missing


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` that signs itself, with its key in the same file."""
    if not shutil.which("openssl"):
        missing("openssl")
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run(
        [*command, "-keyout", file, "-out", file.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture
def server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> Iterator[Fetcher]:
    """A fetcher that trusts the certificate."""
    made = Fetcher(
        StoreConfig(allow_private_addresses=True),
        HttpConfig(timeout_s=2),
        ca_file=str(certificate),
    )
    yield made
    made.close()


def failure(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(url)
    return failed.value


def test_a_picture_comes_over_tls(trusting: Fetcher, server: ssl.SSLContext) -> None:
    """With a certificate that is trusted and names the host, the bytes come."""
    with serve(tls=server) as web:
        web.routes["/x.jpg"] = answer(picture())

        assert trusting.get(web.url("/x.jpg", "localhost")).data == picture()


def test_a_certificate_of_another_host_is_refused(
    trusting: Fetcher, server: ssl.SSLContext
) -> None:
    """Trust in the signer is not enough: the certificate must name the host of the URL."""
    with serve(tls=server) as web:
        found = failure(trusting, web.url("/x.jpg", "127.0.0.1"))

    assert (found.reason, found.transient) == ("tls_error", False)
    assert web.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(server: ssl.SSLContext) -> None:
    """By default only the public certificate authorities are trusted."""
    fetcher = Fetcher(StoreConfig(allow_private_addresses=True), HttpConfig(timeout_s=2))
    with serve(tls=server) as web:
        found = failure(fetcher, web.url("/x.jpg", "localhost"))

    assert (found.reason, found.transient) == ("tls_error", False)
    fetcher.close()


def test_a_server_that_does_not_speak_tls_is_told(trusting: Fetcher) -> None:
    """Plain HTTP behind an https URL is an error of the host for good."""
    with serve() as web:
        found = failure(trusting, web.url("/x.jpg", "localhost").replace("http:", "https:"))

    assert found.reason in ("tls_error", "connection_failed")


def test_a_redirect_from_tls_to_plain_http_is_followed(
    trusting: Fetcher, server: ssl.SSLContext
) -> None:
    """Pictures are public; what counts is their bytes."""
    with serve(tls=server) as web, serve() as plain:
        plain.routes["/x.jpg"] = answer(picture())
        web.routes["/x.jpg"] = answer(status=302, Location=plain.url("/x.jpg"))

        assert trusting.get(web.url("/x.jpg", "localhost")).final_url == plain.url("/x.jpg")
