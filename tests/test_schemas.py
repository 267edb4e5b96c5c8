"""The messages as others see them: schemas as the models are, an example consumer that works."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from celebcollect.bus import dead
from celebcollect.bus.base import Message, TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.records import ImageCandidate, now
from celebcollect.domain.schemas import schemas, write
from celebcollect.domain.terms import MlUse

DOCS = Path(__file__).parents[1] / "docs"
CANDIDATE: dict[str, Any] = {
    "schema": 1,
    "qid": "Q42",
    "name": "Douglas Adams",
    "url": "https://example.org/a.jpg",
    "source": "mine",
}


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = schemas()[f"{name}.schema.json"]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def clean(qid: str = "Q42", place: int = 0, **facts: Any) -> CleanRecord:
    sha256 = hashlib.sha256(f"{qid} {place}".encode()).hexdigest()
    known = {
        "qid": qid,
        "name": "Somebody",
        "sha256": sha256,
        "path": f"images/{qid}/{sha256}.jpg",
        "url": "https://example.org/a.jpg",  # fmt: skip  # noqa: RUF028
        "source": "commons",
        "ml_use": MlUse.UNSPECIFIED,
        "bytes": 1,
        "format": "jpeg",
        "width_px": 200,
        "height_px": 300,
    }
    return CleanRecord(**{**known, **facts})


def test_the_written_schemas_are_those_of_the_models(tmp_path: Path) -> None:
    """Whoever changes a message runs `make docs`."""
    write(tmp_path)

    written = {file.name: file.read_text() for file in (DOCS / "schemas").iterdir()}
    assert written == {file.name: file.read_text() for file in tmp_path.iterdir()}


def test_our_own_messages_fit_their_schemas() -> None:
    """Bare ones and full ones, and dead letters of every kind of garbage."""
    full = ImageCandidate.model_validate(
        {
            **CANDIDATE,
            "rank": 3,
            "licence": "CC0",
            "found_at": now(),
            "width_px": 3,
            "page_title": "見本",
        }
    )
    garbage = [
        (b"garbage", "Q42", None),
        (None, None, None),
        (b"\xff", None, b"\xff"),
        (b"x" * 5000, "k" * 5000, None),
    ]
    letters = [Message("urls", 1, 7, key, value, 0, raw_key) for value, key, raw_key in garbage]

    for text in (ImageCandidate.model_validate(CANDIDATE).to_json(), full.to_json()):
        validator("candidate").validate(json.loads(text))
    for record in (
        clean(),
        clean(
            licence="CC0",
            stored_at=now(),
            phash="00ff00ff00ff00ff",
            phash_version=1,
            ml_use=MlUse.NEEDS_AGREEMENT,
        ),
    ):
        validator("clean").validate(json.loads(record.to_json()))
    for letter in letters:
        validator("dead-letter").validate(json.loads(dead.encode(letter, "why")[1] or b""))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"schema": 2},
        {"schema": None},
        {"qid": "42"},
        {"qid": "Q0"},
        {"qid": None},
        {"name": None},
        {"name": 5},
        {"url": ""},
        {"url": "x" * 8193},
        {"url": "x" * 8192},
        {"source": "x" * 41},
        {"rank": "first"},
        {"rank": 1.5},
        {"rank": None},
        {"licence": None},
        {"licence": []},
        {"found_at": "2026-03-01T00:00:00Z"},
        {"found_at": None},
        {"unknown": {"deep": [1]}},
        {"width_px": -1},
    ],
)
def test_a_schema_says_what_the_program_says(change: dict[str, Any]) -> None:
    """A candidate that fits the schema is taken; one that does not, or lacks a field, is not."""
    for missing in (None, *CANDIDATE):
        message = {key: value for key, value in {**CANDIDATE, **change}.items() if key != missing}

        try:
            ImageCandidate.model_validate_json(json.dumps(message))
            taken = True
        except ValueError:
            taken = False

        assert validator("candidate").is_valid(message) == taken, message


def test_fields_are_explained() -> None:
    """What stands beside a field in the code stands in the schema."""
    properties = schemas()["candidate.schema.json"]["properties"]

    assert properties["rank"]["description"] == "Place in the source's list, from 0."
    assert {"schema", "qid", "name", "url", "source"} == set(
        schemas()["candidate.schema.json"]["required"]
    )
    assert "schema" in schemas()["clean.schema.json"]["required"]


@pytest.mark.slow
def test_the_example_consumer_keeps_its_list_right(tmp_path: Path) -> None:
    """As it stands in the docs: it honours withdrawals and terms, and goes on where it was."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (DOCS / "consumer.md").read_text(), flags=re.DOTALL
    )
    bus = EmbeddedBus(tmp_path / "data" / "log")
    bus.ensure([TopicSpec("dataclean", compacted=True)])
    first, second, tmdb = clean("Q1"), clean("Q2"), clean("Q3", ml_use=MlUse.NEEDS_AGREEMENT)
    bus.publish("dataclean", [(record.key, record.to_json()) for record in (first, second, tmdb)])
    _run(code, tmp_path)
    before = json.loads((tmp_path / "pictures.json").read_text())
    bus.publish("dataclean", [(second.key, None), (clean("Q4").key, clean("Q4").to_json())])

    _run(code, tmp_path)

    assert before.keys() == {first.key, second.key}
    after = json.loads((tmp_path / "pictures.json").read_text())
    assert after.keys() == {first.key, clean("Q4").key}
    assert after[first.key] == {"name": "Somebody", "file": f"data/{first.path}"}
    (info,) = [topic for topic in bus.topics() if topic.name == "dataclean"]
    assert info.lag == {"my-scientist": 0}
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    bus.close()


def _run(code: str, folder: Path) -> None:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "none")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
