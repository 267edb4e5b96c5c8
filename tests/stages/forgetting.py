"""A collection with a log, in which people are forgotten."""

from __future__ import annotations

import json
from typing import Any

from celebcollect.bus.base import TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.tasks import CLEAN, search_task
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.records import Celebrity, Image, Status
from celebcollect.sources.terms import ml_use
from celebcollect.stages.forget import ForgetContext, Removed, forget_person
from stages.exporting import ABOUT, Shelf

TASKS = (search_task("google"), search_task("tmdb"), CLEAN)


class World(Shelf):
    """A collection with a log, and what is needed to forget people in it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bus = EmbeddedBus(self.folder / "log")
        self.bus.ensure(
            [
                TopicSpec(name, compacted=name == "dataclean")
                for name in ("urls", "urlsVerifie", "dataclean")
            ]
        )
        self.cached: list[str] = []

    def publish(self, image: Image) -> None:
        record = CleanRecord.model_validate(
            image.model_dump(exclude={"facts"}) | {"ml_use": ml_use(image.source, image.url)}
        )
        self.bus.publish("dataclean", [(record.key, record.to_json())])
        for topic in ("urls", "urlsVerifie"):
            self.bus.publish(topic, [(image.qid, candidate(image.qid, image.url))])

    def forget(self, qid: str, **changes: Any) -> Removed:
        self.save()
        caches = [lambda one: len([name for name in self.cached if name == one])]
        context = ForgetContext(
            self.catalogue,
            self.bus,
            self.images,
            self.folder,
            ABOUT,
            "dataclean",
            TASKS,
            caches=caches,
            **{"wait_s": 0.3, **changes},
        )
        return forget_person(context, qid)

    def values(self, topic: str) -> list[bytes]:
        return [message.value for message in self.bus.read(topic) if message.value is not None]


def candidate(qid: str, url: str, **more: Any) -> bytes:
    return json.dumps(
        {"schema": 1, "qid": qid, "name": f"Name of {qid}", "url": url, "source": "test", **more}
    ).encode()


def two_people(world: World) -> list[Image]:
    """Q1 has three pictures, one of them in quarantine; Q2 has one."""
    for number in (1, 2):
        world.people.append(
            Celebrity(
                qid=f"Q{number}", name=f"Name of Q{number}", sitelinks=9, tmdb_ids=(f"{number}00",)
            )
        )
    added = [
        world.add(1, 1),
        world.add(1, 2),
        world.add(1, 3, status=Status.REJECTED),
        world.add(2, 4),
    ]
    for image in (added[0], added[1], added[3]):
        world.publish(image)
    world.images.place(added[2].path or "", quarantined=True)
    return added
