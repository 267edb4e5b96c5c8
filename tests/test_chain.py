"""The whole chain with photographs: from Wikidata's people to the name of a new face."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from cluster import services
from local_web import Collection
from photo_web import STRANGER, PhotoWeb
from services.mongo_service import running
from support import missing
from training import need_engine

ONE_WORKSTATION, CLUSTER = "one workstation", "Kafka and MongoDB"


@pytest.fixture
def photos(shared_data: Path) -> PhotoWeb:
    """Real photographs of three people, and an engine that can look at them."""
    need_engine()
    if not (shared_data / "faces").is_dir():
        missing("the captured photographs")
    return PhotoWeb(shared_data / "faces")


@pytest.fixture
def measured_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the demonstration sets for drawings is set back to what photographs need."""
    monkeypatch.setenv("CELEBCOLLECT_CLEAN__IDENTITY_THRESHOLD", "")
    monkeypatch.setenv("CELEBCOLLECT_TRAIN__UNKNOWN_DISTANCE", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", [ONE_WORKSTATION, pytest.param(CLUSTER, marks=[pytest.mark.kafka, pytest.mark.mongo])]
)
def test_the_right_person_is_named(
    place: str,
    photos: PhotoWeb,
    measured_thresholds: None,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Wrong people and things are gone, unseen faces get names, and a stranger none."""
    config = (
        ""
        if place == ONE_WORKSTATION
        else services(request.getfixturevalue("kafka_broker"), running("java"))
    )
    with photos.serve() as web:
        collection = Collection(tmp_path / "it", web, config, faces=True)

        collection.run("run-all", "--sources", "tmdb,commons", "--limit", "3", "--max-rounds", "1")
        trained = json.loads(collection.run("train", "--json"))
        files = [photos.unseen(player) for player in photos.people] + [photos.photos(STRANGER)[0]]
        seen = [
            json.loads(line)
            for line in collection.run("identify", "--json", *map(str, files)).splitlines()
        ]

        left = {
            (row["qid"], row["sha256"])
            for row in collection.images()
            if row["status"] == "accepted"
        }
        status = collection.status()
    planted = [picture for player in photos.people for picture in photos.album(player)]
    want = {
        (picture.player.qid, hashlib.sha256(photos.data(picture)[2]).hexdigest())
        for picture in planted
        if not picture.reasons
    }
    assert left == want
    assert status["reasons"] == Counter(reason for picture in planted for reason in picture.reasons)
    assert (status["log"], status["catalogue"]) == (
        ("embedded", "embedded") if place == ONE_WORKSTATION else ("kafka", "mongo")
    )
    assert (trained["people"], trained["left_out"]) == (3, {"needs_agreement": 3})
    assert [face["qid"] for face in seen] == [player.qid for player in photos.people] + [None]
    assert seen[-1]["name"] == "unknown"
