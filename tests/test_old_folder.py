"""A data folder that version 0.1 wrote is opened, brought up to date and gone on with."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_web import Collection
from training import need_engine

pytestmark = pytest.mark.slow

ARCHIVE = Path(__file__).parent / "fixtures" / "folder-0.1.tar.xz"
"""What `fixtures/folder_0_1.py` made, with what version 0.1 said of it beside the data."""
NOBODY = SimpleNamespace(base="http://127.0.0.1:9", requests={})
"""The web of that time is gone; nothing here asks it."""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """The folder as version 0.1 left it, and today's program."""
    # Its limit for all engines; today each has one of its own.
    monkeypatch.setenv("CELEBCOLLECT_CLEAN__MIN_FACE_PX", "80")
    collection = Collection(tmp_path / "old", NOBODY, faces=True)
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(collection.folder, filter="data")
    for row in measured(collection).values():
        touched = row["facts"]["readable"]["mtime_ns"]  # the archive has it less exactly
        os.utime(collection.folder / "data" / row["path"], ns=(touched, touched))
    return collection


def rows(old: Collection) -> dict[str, dict[str, Any]]:
    """Return everything that the catalogue's file holds about each picture, by its id."""
    with closing(sqlite3.connect(old.folder / "data" / "catalogue.sqlite3")) as connection:
        found = connection.execute("SELECT id, status, data FROM images").fetchall()
    return {id_: {"status": status, **json.loads(data)} for id_, status, data in found}


def measured(old: Collection) -> dict[str, dict[str, Any]]:
    """Return the pictures that a cleaner has looked at, without the time of its verdict."""
    return {
        id_: {name: fact for name, fact in row.items() if name != "cleaned_at"}
        for id_, row in rows(old).items()
        if row["status"] in ("accepted", "rejected")
    }


def test_it_is_told_as_version_0_1_told_it(old: Collection) -> None:
    """`status` and `images` give every fact that they gave then."""
    then = [json.loads(line) for line in (old.folder / "images.jsonl").read_text().splitlines()]

    told = old.status()
    assert told.pop("in_doubt") == 0  # said since
    assert told == json.loads((old.folder / "status.json").read_text())
    assert old.images() == then


def test_work_goes_on_where_it_stopped(old: Collection) -> None:
    """`validate` reads the one message that waited, and `clean` the pictures that were stored."""
    need_engine()

    old.run("validate")
    said = old.run("clean")

    status = old.status()
    assert said == "clean: 6 unchanged, 3 accepted, 1 rejected (1 no_face)\n"
    assert status["images"] == {
        "verified": 2, "stored": 0, "accepted": 7, "rejected": 3, "failed": 2,
    }  # fmt: skip
    assert status["topics"]["urls"]["lag"] == {"validate": 0}
    assert status["topics"]["urlsVerifie"]["lag"] == {"store": 2}
    assert status["topics"]["dataclean"]["messages"] == 7
    # Hashed anew: version 0.1 hashed the pixels as they lie in the file.
    assert {row["phash_version"] for row in measured(old).values()} == {2}


def test_what_changes_is_told_before_it_happens(
    old: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another limit: told, nothing written, no old picture measured, and then so."""
    need_engine()
    monkeypatch.setenv("CELEBCOLLECT_CLEAN__MIN_FACE_PX", "400")
    before, contents, topic = rows(old), old.contents(), old.peek("dataclean")

    told = json.loads(old.run("clean", "--dry-run", "--json"))
    said = old.run("clean", "--dry-run")

    assert (rows(old), old.contents(), old.peek("dataclean")) == (before, contents, topic)
    assert told["measured"] == 4  # what was stored and not cleaned yet
    assert told["total"]["withdrawn"] == {"face_too_small": 4}
    changes = {
        picture["picture"]: (picture["status"][1], picture["reason"][1])
        for person in told["people"]
        for picture in person["pictures"]
    }
    for person in told["people"]:
        assert f"{person['qid']} {person['name']}: " in said
    assert said.splitlines()[-1] == old.run("clean").strip()
    after = {f"{row['qid']}/{row['sha256']}": row for row in old.images() if row["sha256"]}
    assert {name: (after[name]["status"], after[name]["reason"]) for name in changes} == changes
    old_rows = [row for row in before.values() if row["status"] in ("accepted", "rejected")]
    for row in old_rows:
        name = f"{row['qid']}/{row['sha256']}"
        now = (after[name]["status"], after[name]["reason"])
        assert now == changes.get(name, (row["status"], row.get("reason")))


def test_what_was_measured_then_is_not_measured_again(old: Collection) -> None:
    """
    Cleaning looks into no file that version 0.1 has looked at: each could be anything of its size.

    They are read once, to be hashed anew, and are not what was stored.
    """
    need_engine()
    before = measured(old)
    for row in before.values():
        file = old.folder / "data" / row["path"]
        touched = file.stat().st_mtime_ns
        file.write_bytes(b"x" * row["bytes"])
        os.utime(file, ns=(touched, touched))

    old.run("clean")

    after = measured(old)
    assert len(after) == len(before) + 4
    assert {id_: after[id_] for id_ in before} == before


@pytest.mark.parametrize("file", ["catalogue.sqlite3", "log/log.sqlite3"])
def test_a_newer_one_is_refused(old: Collection, file: str) -> None:
    """Both files tell the version of a program that is not out yet: one error, nothing changed."""
    path = old.folder / "data" / file
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    content = path.read_bytes()

    process = old.start("status", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = process.communicate(timeout=60)[1].decode()

    assert process.returncode == 3
    assert f"{path} was written by a newer celebcollect (version 99, this program knows" in said
    assert "Update celebcollect" in said
    assert path.read_bytes() == content
