"""How the bus meets its cluster.

An unreachable or refusing one is told in time, with what to do.
"""

from __future__ import annotations

import socket
import time

import pytest

from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import BusError
from services.kafka_broker import SASL_PASSWORD, SASL_USER
from services.kafka_keeper import Broker

SASL = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.username": SASL_USER,
}


LIBRDKAFKAS_OWN_S = 60
"""How long the library waits for an answer when nobody tells it otherwise."""


def refused(servers: str, timeout_s: float = 1.5, **client: str) -> tuple[BusError, float]:
    """The error of a bus that cannot start, and how long it took."""
    start = time.monotonic()
    with pytest.raises(BusError) as raised:
        KafkaBus(KafkaConfig(bootstrap_servers=servers, timeout_s=timeout_s, client=client))
    return raised.value, time.monotonic() - start


def test_a_closed_port_is_told_in_time(dead_port: int) -> None:
    """Nobody listens: exit code 3 within the timeout, naming the servers and the reason."""
    error, took_s = refused(f"127.0.0.1:{dead_port}")

    assert error.exit_code == 3
    assert f"127.0.0.1:{dead_port}" in error.message
    assert "refused" in error.message
    assert "bootstrap_servers" in error.hint
    assert took_s < LIBRDKAFKAS_OWN_S / 4


def test_a_server_that_says_nothing_is_told_in_time() -> None:
    """A port that accepts and never answers does not hold the program for long."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        error, took_s = refused(f"127.0.0.1:{server.getsockname()[1]}")

    assert "bootstrap_servers" in error.hint
    assert took_s < LIBRDKAFKAS_OWN_S / 4


@pytest.mark.parametrize(
    "servers",
    ["no-such-host.invalid:9092", "::::", "127.0.0.1:notaport", "http://127.0.0.1:1", " ", ","],
)
def test_an_address_that_is_none_is_told(servers: str) -> None:
    """Names that do not resolve and addresses that are none end as an expected error."""
    error, took_s = refused(servers)

    assert error.hint
    assert took_s < LIBRDKAFKAS_OWN_S / 4


@pytest.mark.kafka
def test_a_wrong_password_is_told_at_once(kafka_broker: Broker) -> None:
    """A broker that refuses the login is not waited for; the password is not shown."""
    error, took_s = refused(
        kafka_broker.sasl, LIBRDKAFKAS_OWN_S, **SASL, **{"sasl.password": "wrong-horse"}
    )

    assert "uthentication" in error.message
    assert "wrong-horse" not in error.message
    assert error.hint == "Check sasl.* in [kafka.client]."
    assert took_s < LIBRDKAFKAS_OWN_S / 4


@pytest.mark.kafka
def test_no_login_where_one_is_wanted_is_told(kafka_broker: Broker) -> None:
    """A client without security settings at a port that wants them gets a hint at them."""
    error, _ = refused(kafka_broker.sasl)

    assert "security.protocol" in error.message + error.hint


@pytest.mark.kafka
def test_a_login_works_for_every_client(kafka_broker: Broker, topic: str, group: str) -> None:
    """Publishing, making topics, consuming, lag and reading all use the configured login."""
    bus = KafkaBus(
        KafkaConfig(
            bootstrap_servers=kafka_broker.sasl, client={**SASL, "sasl.password": SASL_PASSWORD}
        )
    )
    bus.publish(topic, [("Q1", b"hello")])
    with bus.subscribe([topic], group) as subscription:
        messages = subscription.poll(1, 10)
        subscription.commit(messages)
        lag = subscription.lag()
    read = list(bus.read(topic))
    bus.close()

    assert (
        [message.value for message in messages] == [message.value for message in read] == [b"hello"]
    )
    assert lag == 0
