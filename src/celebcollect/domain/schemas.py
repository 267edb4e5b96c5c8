"""JSON Schemas of the messages on the topics, for programs that are not ours.

`make docs` writes them to docs/schemas/ from the models.

A message that is no object of its topic's schema is undecodable for this program, as far as JSON
Schema can tell: a name without a printable character, for one, passes the schema and not the
program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from celebcollect.domain.attribute_docstrings import attribute_docstrings
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.records import ImageCandidate, Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class DeadLetterMessage(Record):
    """A message that could not be understood, as it was (`bus.dead` writes it)."""

    schema_version: Literal[1] = Field(alias="schema")
    topic: str
    """Where the message was; with partition and offset, its coordinates."""
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    error: str
    """Why it could not be understood."""
    at: AwareDatetime
    """When that was found out."""
    key: str | None
    """Of the message; null where it had none, or one that is long or no UTF-8 (then see
    `key_base64`)."""
    key_base64: str | None = Field(default=None, json_schema_extra={"contentEncoding": "base64"})
    value_base64: str | None = Field(json_schema_extra={"contentEncoding": "base64"})
    """The bytes of the message; null for an empty one."""
    value_text: str | None
    """The same as text, where it is short and UTF-8."""


MESSAGES: Mapping[str, tuple[type[Record], str]] = {
    "candidate": (
        ImageCandidate,
        (
            "A picture URL that somebody found for a person: the messages on the topics of the"
            " sources, and those on urlsVerifie that `validate` let through. The key is the QID."
            " Anybody may publish them; fields that are not named here are left aside."
        ),
    ),
    "clean": (
        CleanRecord,
        (
            "An accepted picture: the messages on dataclean, which is compacted. The key is"
            " `QID/sha256`; an empty (null) message withdraws the picture of that key. `path` is"
            " relative to `data_dir`."
        ),
    ),
    "dead-letter": (
        DeadLetterMessage,
        (
            "A message that could not be understood: the messages on <topic>.dead. The key is that"
            " of the message. `celebcollect topics replay-dead` delivers them again."
        ),
    ),
}
"""Name of the schema, model of the message, and what it is."""


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by the names of their files."""
    return {
        f"{name}.schema.json": _schema(name, model, what)
        for name, (model, what) in MESSAGES.items()
    }


def write(folder: Path) -> None:
    """Write the schemas to a folder, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(
            json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def _schema(name: str, model: type[Record], what: str) -> dict[str, Any]:
    # By alias, as it is on the wire; definitions of enumerations stay where pydantic puts them.
    written = model.model_json_schema(by_alias=True, mode="validation")
    texts = attribute_docstrings(model)
    for field, info in model.model_fields.items():
        entry = written["properties"][info.alias or field]
        entry.pop("title", None)
        if field in texts:
            entry["description"] = texts[field]
    # What has a default for our own code is always written all the same.
    required = [
        alias
        for alias in written["properties"]
        if alias in written["required"] or alias == "schema"
    ]
    written.update(required=required, additionalProperties=True, description=what, title=name)
    return {"$schema": DIALECT, **written}
