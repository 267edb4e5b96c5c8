"""What keys of the configuration are made of: the base of sections, and types with their rules.

Sources of other packages build their settings from these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

DEAD = ".dead"
"""Suffix of the topic that takes a topic's undecodable messages."""

MAX_TOPIC_CHARS = 249


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname
        _ = parts.port
    except ValueError:
        usable = None
    if not usable:
        raise ValueError("must be an http or https URL")
    return value


def _http_url_or_empty(value: str) -> str:
    return _http_url(value) if value else value


def _folder(value: Path) -> Path:
    if "\0" in str(value):
        raise ValueError("must not hold a NUL character")
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError("begins with the home folder of somebody who has none") from None


def _topic(value: str) -> str:
    # Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic), which keeps the
    # embedded log portable.
    if (
        not value
        or value in (".", "..")
        or len(value) > MAX_TOPIC_CHARS
        or not all(c.isascii() and (c.isalnum() or c in "._-") for c in value)
    ):
        raise ValueError("must be 1 to 249 of the characters a-z A-Z 0-9 . _ -")
    return value


def empty_is_none(value: object) -> object:
    """Read "" as no value: TOML has no null."""
    return None if value == "" else value


def dotted(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values of a table in tables under dotted names."""
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{rest}", deeper) for rest, deeper in dotted(value))
        else:
            yield name, value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
HttpUrlOrEmpty = Annotated[str, AfterValidator(_http_url_or_empty)]
Folder = Annotated[Path, AfterValidator(_folder)]
Topic = Annotated[str, AfterValidator(_topic)]


class Section(BaseModel):
    """
    Base of the sections: frozen, unknown keys are errors.

    The text below a key says what it is for (`config.example.meanings` reads it).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def written_order(cls) -> tuple[str, ...]:
        """Return the keys in the order in which a person finds them in the file."""
        return tuple(cls.model_fields)
