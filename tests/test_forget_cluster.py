"""A person is forgotten on Kafka and a server of MongoDB's protocol, for good."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from celebcollect.demo.cast import CAST
from celebcollect.demo.web import SmallWeb
from cluster import services
from local_web import Collection
from services.kafka_keeper import Broker
from services.mongo_service import running

pytestmark = [pytest.mark.kafka, pytest.mark.mongo, pytest.mark.slow]

RUN = ("run-all", "--sources", "tmdb,commons", "--limit", "2")
GONE, STAYS = CAST[0], CAST[1]


def newest(collection: Collection, topic: str) -> dict[str, bool]:
    """Return for each key of clean pictures whether its newest message is a picture."""
    return {message["key"]: message["value"] is not None for message in collection.peek(topic)}


def test_forgetting_on_a_cluster(kafka_broker: Broker, tmp_path: Path) -> None:
    """What Kafka cannot remove is withdrawn or passed over, and told."""
    with SmallWeb() as web:
        config = services(kafka_broker, running("java"))
        clean = next(
            line.split('"')[1] for line in config.splitlines() if line.startswith("clean =")
        )
        collection = Collection(tmp_path / "it", web, config)
        collection.run(*RUN)
        collection.run("export", str(tmp_path / "out"))
        before = {key for key, live in newest(collection, clean).items() if live}

        process = collection.start(
            "forget", GONE.qid, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, error = process.communicate(timeout=120)

        assert process.returncode == 0, error.decode()
        told = json.loads(out)
        assert (told["withdrawn"], told["messages"], told["exports"]) == (
            7,
            {},
            {str(tmp_path / "out"): 4},
        )
        assert "Kafka keeps earlier messages" in error.decode()
        assert {key for key, live in newest(collection, clean).items() if live} == {
            key for key in before if not key.startswith(GONE.qid)
        }
        assert {row["qid"] for row in collection.images()} == {STAYS.qid}
        asked = sum(
            n
            for path, n in web.requests.items()
            if f"/{GONE.number}/" in path or str(GONE.tmdb_id) in path
        )
        collection.run("run-all", "--sources", "tmdb,commons", "--limit", "3")
        assert GONE.qid not in {row["qid"] for row in collection.images()}
        assert (
            sum(
                n
                for path, n in web.requests.items()
                if f"/{GONE.number}/" in path or str(GONE.tmdb_id) in path
            )
            == asked
        )
        assert not [
            file for file in (collection.folder / "data").rglob("*") if GONE.qid in str(file)
        ]
        assert json.loads(collection.run("forget", GONE.qid, "--json"))["withdrawn"] == 0
