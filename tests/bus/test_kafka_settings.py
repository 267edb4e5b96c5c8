"""What `[kafka.client]` may say.

Security and tuning pass through, safety does not, mistakes are named, secrets are not shown.
"""

from __future__ import annotations

import tomllib

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import ValidationError

from celebcollect.bus.kafka import KafkaBus
from celebcollect.bus.kafka.settings import KafkaSettings
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import ConfigError

NOWHERE = "127.0.0.1:1"
SECRET = "correct-horse-battery"


def opened(**client: str | int | float | bool) -> ConfigError:
    """The error of a bus with these client settings."""
    with pytest.raises(ConfigError) as raised:
        KafkaBus(KafkaConfig(bootstrap_servers=NOWHERE, timeout_s=0.1, client=client))
    return raised.value


@pytest.mark.parametrize(
    "name",
    [
        "acks",
        "enable.idempotence",
        "enable.auto.commit",
        "auto.offset.reset",
        "group.id",
        "bootstrap.servers",
        "message.timeout.ms",
        "transactional.id",
        "error_cb",
        "logger",
    ],
)
def test_what_keeps_messages_safe_cannot_be_set(name: str) -> None:
    """A setting that loses messages, has its own key or takes a function is refused by name."""
    error = opened(**{name: "1"})

    assert error.exit_code == 2
    assert error.message.startswith(f"[kafka.client] {name} cannot be set: ")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("sasl.pasword", "x", "No such configuration property"),
        ("security.protocol", "TELNET", 'Invalid value "TELNET"'),
        ("linger.ms", "soon", "Invalid value"),
        ("linger.ms", -5, "outside allowed range"),
        ("compression.type", "zip", 'Invalid value "zip"'),
        ("socket.keepalive.enable", "maybe", "true or false"),
        ("default.topic.config", "x", "not a setting that a file can give"),
    ],
)
def test_a_wrong_setting_is_named_as_the_user_wrote_it(
    name: str, value: str | int, reason: str
) -> None:
    """The error says which of the settings, even where librdkafka knows it by another name."""
    error = opened(**{"client.id": "mine", name: value})

    assert error.message.startswith(f"[kafka.client] {name}: ")
    assert reason in error.message
    assert error.hint


def test_settings_that_only_fail_together_are_told() -> None:
    """Where no single setting is wrong, librdkafka's own words say what is missing."""
    error = opened(**{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"})

    assert error.message == "[kafka.client]: sasl.username and sasl.password must be set"


@pytest.mark.parametrize("name", ["ssl.key.pem", "ssl.certificate.pem"])
def test_a_secret_is_never_shown(name: str) -> None:
    """A wrong value that may be a secret is named, not repeated."""
    error = opened(**{"security.protocol": "SSL", name: SECRET})

    assert name in error.message
    assert SECRET not in error.message + error.hint


def test_a_secret_in_somebody_elses_words_is_masked() -> None:
    """Texts of librdkafka and of brokers lose the secrets that they repeat."""
    settings = KafkaSettings(
        KafkaConfig(
            bootstrap_servers=NOWHERE, client={"sasl.password": SECRET, "client.id": "mine"}
        )
    )

    assert settings.mask(f"mine: login with\n{SECRET} failed") == "mine: login with *** failed"


def test_the_users_settings_reach_every_client() -> None:
    """
    Security settings are passed on as they are.

    Defaults of ours that are no matter of safety give way.
    """
    user = {
        "security.protocol": "SSL",
        "ssl.ca.location": "/etc/ca.pem",
        "session.timeout.ms": 30000,
        "socket.keepalive.enable": True,
    }
    settings = KafkaSettings(KafkaConfig(bootstrap_servers=NOWHERE, client=user))

    for options in (
        settings.producer(print),
        settings.consumer("g", print),
        settings.reader(),
        settings.admin(),
    ):
        assert options["security.protocol"] == "SSL"
        assert options["ssl.ca.location"] == "/etc/ca.pem"
        assert options["session.timeout.ms"] == "30000"
        assert options["socket.keepalive.enable"] == "true"
        assert options["bootstrap.servers"] == NOWHERE


def test_librdkafka_knows_all_our_settings() -> None:
    """A misspelled setting of ours would make every start fail."""
    settings = KafkaSettings(KafkaConfig(bootstrap_servers=NOWHERE))

    settings.make(Producer, settings.producer(print))
    settings.make(Consumer, settings.consumer("g", print)).close()
    settings.make(Consumer, settings.reader()).close()


@pytest.mark.parametrize(
    "toml",
    [
        (
            '"sasl.mechanism" = "PLAIN"\n"ssl.key.location" ='
            ' "k"\n"ssl.endpoint.identification.algorithm" = "none"'
        ),
        (
            'sasl.mechanism = "PLAIN"\nssl.key.location ='
            ' "k"\nssl.endpoint.identification.algorithm = "none"'
        ),
        (
            'sasl = {mechanism = "PLAIN"}\nssl = {key.location = "k", "endpoint.identification" ='
            ' {algorithm = "none"}}'
        ),
    ],
    ids=["quoted", "bare", "tables"],
)
def test_dotted_names_need_no_quotes(toml: str) -> None:
    """However TOML nests a name with dots, it is librdkafka's setting."""
    config = KafkaConfig(client=tomllib.loads(toml))

    assert config.client == {
        "sasl.mechanism": "PLAIN",
        "ssl.key.location": "k",
        "ssl.endpoint.identification.algorithm": "none",
    }


@pytest.mark.parametrize("client", ["text", [1], {"debug": []}, {"debug": {}}, {"debug": None}])
def test_a_setting_that_is_no_plain_value_is_refused(client: object) -> None:
    """Lists and empty tables are no settings."""
    with pytest.raises(ValidationError):
        KafkaConfig.model_validate({"client": client})
