"""A person is collected, exported and forgotten: no byte is left, no run brings it back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.demo.cast import CAST, Player
from celebcollect.demo.tmdb import tmdb_file
from celebcollect.demo.web import SmallWeb
from local_web import Collection

pytestmark = pytest.mark.slow

RUN = ("run-all", "--sources", "tmdb,commons", "--limit", "4")
GONE, STAYS = CAST[1], CAST[3]
"""A name with quotes, which JSON escapes, and one that is not Latin."""


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb() as web:
        yield web


@dataclass(frozen=True)
class Forgotten:
    """A collection without the person, and what was told of the removal."""

    collection: Collection
    told: dict[str, Any]


@pytest.fixture(scope="module")
def removed(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Forgotten:
    """A collection with exports, a gallery and dead letters, in which one was forgotten."""
    collection = Collection(tmp_path_factory.mktemp("forget") / "it", web)
    collection.run(*RUN)
    collection.run("export", str(collection.folder / "data" / "folder"))
    collection.run("export", str(collection.folder / "data" / "tars"), "--format", "webdataset")
    collection.run("gallery", str(collection.folder / "data" / "page"))
    for player in (GONE, STAYS):
        for topic, value in (
            ("urls", _candidate(player, web)),
            ("urls", {**_candidate(player, web), "schema": 9}),
            ("dataclean", _stray(player)),
        ):
            _publish(collection, topic, value)
        _plant(collection, player)
    collection.run("validate")
    assert all(_found(collection, trace) for trace in traces(GONE, web)), (
        "everything must be there before"
    )
    return Forgotten(collection, json.loads(collection.run("forget", GONE.qid, "--json")))


def _candidate(player: Player, web: SmallWeb) -> dict[str, Any]:
    return {
        "schema": 1,
        "qid": player.qid,
        "name": player.name,
        "url": f"{web.base}/by-hand/{player.number}.jpg",
        "source": "hand",
    }


def _stray(player: Player) -> dict[str, Any]:
    """What a former program may have left on the topic of clean pictures."""
    return {
        "schema": 1,
        "qid": player.qid,
        "name": player.name,
        "sha256": hashlib.sha256(player.name.encode()).hexdigest(),
        "path": "x",
    }


def _publish(collection: Collection, topic: str, value: dict[str, Any]) -> None:
    bus = EmbeddedBus(collection.folder / "data" / "log")
    key = f"{value['qid']}/{value['sha256']}" if "sha256" in value else value["qid"]
    bus.publish(topic, [(key, json.dumps(value).encode())])
    bus.close()


def _plant(collection: Collection, player: Player) -> None:
    """Put files where the browser's source keeps its answers and pages."""
    for file in (
        f"cache/google/{player.qid}-0123456789abcdef.json",
        f"pages/20260101T000000-000001-unknown-{player.qid}.html",
    ):
        path = collection.folder / "data" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"about {player.name}")


def traces(player: Player, web: SmallWeb) -> set[bytes]:
    """Return what would betray the person: names, addresses and file names."""
    escaped = json.dumps(player.name)[1:-1]
    names = {
        player.name,
        player.name.casefold(),
        escaped,
        json.dumps(player.name, ensure_ascii=False)[1:-1],
    }
    addresses = {
        f"/commons/{player.number}/",
        f"Portrait {player.number} shot",
        f"/by-hand/{player.number}.jpg",
        f"/person/{player.tmdb_id}",
    }
    addresses |= {f"{kind} {player.number} shot" for kind in ("Group", "Landscape")}
    addresses |= {tmdb_file(picture) for picture in web.albums.of(player, "tmdb")[:2]}
    return {text.encode() for text in names | addresses}


def _files(collection: Collection) -> Iterator[Path]:
    return (file for file in (collection.folder / "data").rglob("*") if file.is_file())


def _found(collection: Collection, trace: bytes) -> list[str]:
    return [str(file) for file in _files(collection) if trace in file.read_bytes()]


@pytest.fixture
def forgotten(removed: Forgotten) -> Collection:
    return removed.collection


def test_no_byte_about_the_person_is_left(forgotten: Collection, web: SmallWeb) -> None:
    """Every file is searched, whole: free pages, gaps, write-ahead logs, shards, cards."""
    for trace in traces(GONE, web):
        assert not _found(forgotten, trace), trace
    assert not [file for file in _files(forgotten) if GONE.qid in str(file)]
    for trace in traces(STAYS, web):
        assert _found(forgotten, trace), trace


def test_only_the_withdrawals_still_name_the_item(forgotten: Collection) -> None:
    """The QID is left in the keys of nulls, and as a number in the list of the forgotten."""
    files = {
        Path(name).name: Path(name).read_bytes().count(GONE.qid.encode())
        for name in _found(forgotten, GONE.qid.encode())
    }

    assert files.keys() == {"log.sqlite3"}
    with sqlite3.connect(f"file:{forgotten.folder}/data/log/log.sqlite3?mode=ro", uri=True) as log:
        keys = [key for (key,) in log.execute("SELECT key FROM messages WHERE value IS NULL")]
    withdrawn = [key for key in keys if key.startswith(GONE.qid.encode())]
    assert len(withdrawn) == 8, "seven pictures and a stray one"
    assert files["log.sqlite3"] == 2 * len(withdrawn), (
        "once as a message, once in the index of newest messages"
    )


def test_what_was_removed_is_told(removed: Forgotten) -> None:
    """Numbers for everything, and the exports by folder."""
    told, data = removed.told, removed.collection.folder / "data"

    assert told["qids"] == [GONE.qid]
    assert (told["files"], told["cached"], told["withdrawn"]) == (told["images"] - 1, 2, 8)
    assert told["exports"] == {str(data / "folder"): 4, str(data / "tars"): 4}
    assert told["galleries"] == [str(data / "page")]
    assert told["messages"].keys() == {
        "urls",
        "urls.dead",
        "urlsFromTmdb",
        "urlsFromCommons",
        "urlsVerifie",
    }


def test_the_others_are_as_they_were(forgotten: Collection) -> None:
    """Three people, their pictures, their exports."""
    rows = forgotten.images()
    accepted = Counter(row["qid"] for row in rows if row["status"] == "accepted")

    assert accepted == {player.qid: 7 for player in CAST[:4] if player != GONE}
    assert forgotten.files() == {row["path"] for row in rows if row["path"]}
    index = json.loads(
        (forgotten.folder / "data" / "folder" / ".celebcollect-export.json").read_text()
    )
    assert index["pictures"].keys() == accepted.keys()


def test_no_run_brings_the_person_back(forgotten: Collection, web: SmallWeb) -> None:
    """Wikidata names them, the web has pictures, somebody publishes: nothing comes of it."""
    before = sum(
        n
        for path, n in web.requests.items()
        if f"/{GONE.number}/" in path or str(GONE.tmdb_id) in path
    )
    forgotten.run("run-all", "--sources", "tmdb,commons", "--limit", "6")
    forgotten.run("run-all", "--sources", "tmdb,commons", "--celebrities", "all")
    forgotten.run("export", str(forgotten.folder / "data" / "folder"))

    assert GONE.qid not in {row["qid"] for row in forgotten.images()}
    assert (
        sum(
            n
            for path, n in web.requests.items()
            if f"/{GONE.number}/" in path or str(GONE.tmdb_id) in path
        )
        == before
    ), "nobody asked for them"
    for trace in traces(GONE, web):
        assert not _found(forgotten, trace), trace


def test_a_candidate_from_outside_is_dropped(forgotten: Collection, web: SmallWeb) -> None:
    """A message is counted as forgotten and passes nowhere; a second `forget` removes it."""
    _publish(forgotten, "urls", {**_candidate(GONE, web), "url": f"{web.base}/by-hand/late.jpg"})

    process = forgotten.start("validate", "--json", stdout=-1, stderr=-1)
    out, _ = process.communicate(timeout=60)

    assert json.loads(out)["reasons"] == {"forgotten": 1}
    told = json.loads(forgotten.run("forget", GONE.qid, "--json"))
    assert told["messages"] == {"urls": 1}
    assert not _found(forgotten, b"/by-hand/late.jpg")
