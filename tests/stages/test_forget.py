"""Forgetting a person: what goes, and what stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.bus import dead
from celebcollect.bus.base import Item
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Celebrity
from celebcollect.stages.export import read_index
from celebcollect.stages.forget import Removed
from celebcollect.stages.train import Shelf
from stages.exporting import contents
from stages.forgetting import World, candidate, two_people
from training import School


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "data")
    yield world
    world.bus.close()
    world.catalogue.close()


def test_everything_about_the_person_goes_and_is_told(world: World, tmp_path: Path) -> None:
    """
    Files, quarantine, rows, messages, remembered answers, export entries.

    And nothing of anybody else.
    """
    added = two_people(world)
    world.cached = ["Q1", "Q1", "Q2"]
    world.export(tmp_path / "out")

    removed = world.forget("Q1")

    assert removed == Removed(
        ["Q1"],
        images=3,
        files=3,
        cached=2,
        withdrawn=2,
        messages={"urls": 2, "urlsVerifie": 2},
        exports={str(tmp_path / "out"): 2},
    )
    assert list(world.images.files()) == [added[3].path]
    assert [image.qid for image in world.catalogue.images()] == ["Q2"]
    assert [
        json.loads(value)["qid"]
        for topic in ("urls", "urlsVerifie", "dataclean")
        for value in world.values(topic)
    ] == ["Q2"] * 3


def test_consumers_learn_of_the_withdrawal(world: World) -> None:
    """
    Who has read the pictures already gets a null for each.

    The nulls stay on the topic for those who come later.
    """
    added = two_people(world)
    with world.bus.subscribe(["dataclean"], "scientist") as subscription:
        subscription.commit(subscription.poll(10, 0))

        world.forget("Q1")

        assert [(message.key, message.value) for message in subscription.poll(10, 0)] == [
            (f"Q1/{sha256}", None) for sha256 in sorted(image.sha256 or "" for image in added[:2])
        ]
    assert sum(message.value is None for message in world.bus.read("dataclean")) == 2


def test_pictures_that_only_the_topic_knows_are_withdrawn_too(world: World) -> None:
    """
    A crash may have left what the catalogue never learned.

    Others may have published under keys of their own.
    """
    stray = CleanRecord(
        qid="Q1",
        name="x",
        sha256="ab",
        path="images/Q1/ab.jpg",
        url="https://a.example",
        source="s",
        # fmt: skip  # noqa: RUF028
        ml_use="unspecified",
        bytes=1,
        format="jpeg",
        width_px=1,
        height_px=1,
    )
    world.bus.publish(
        "dataclean",
        [
            ("Q1/ab", stray.to_json()),
            ("odd key", stray.to_json()),
            ("Q1/cd", b"not json"),
            ("Q12/ab", b"{}"),
        ],
    )

    assert world.forget("Q1").withdrawn == 3
    assert world.values("dataclean") == [b"{}"]


ODD: list[tuple[Item, bool]] = [
    (("Q1", b"\xff\x00"), True),
    ((None, candidate("Q1", "https://a.example")), True),
    (("Q2", candidate("Q1", "https://a.example")), True),
    (("Q2", candidate("Q2", "https://a.example/Q1.jpg", page_title="with Q1")), False),
    (("Q12", candidate("Q12", "https://a.example")), False),
    (("Q11", b"broken {Q11"), False),
    ((None, b"broken {Q1"), True),
    ((None, b'["Q1"]'), True),
    ((None, b'{"qid": "\\u00511", "name": "escaped"}'), True),
    ((None, b'{"who": "Q1"}'), True),
    ((None, b'{"qid": 1, "who": "Q2"}'), False),
    (("\ud800 Q1", b"odd key"), True),
    ((None, b"[" * 100_000 + b"Q1"), True),
    ((None, None), False),
    (("Q1", None), True),
]


def test_messages_in_every_disguise_are_found(world: World) -> None:
    """
    Without a key, under another key, broken, escaped, in a list, alone in dead letters.

    Mentions in other people's messages are no harm.
    """
    for topic in ("urls", "mine"):
        world.bus.publish(topic, [item for item, _ in ODD])
    letters = [
        dead.encode(message, "undecodable")
        for message in world.bus.read("mine")
        if message.value is not None
    ]
    world.bus.publish("urls.dead", letters)

    removed = world.forget("Q1")

    kept = [
        (message.raw_key or (message.key or "").encode(), message.value)
        for message in world.bus.read("urls")
    ]
    assert kept == [((key or "").encode(), value) for (key, value), gone in ODD if not gone]
    assert removed.messages["urls"] == removed.messages["mine"] == sum(gone for _, gone in ODD)
    left = [dead.decode(value).value for value in world.values("urls.dead")]
    assert left == [value for (_, value), gone in ODD if not gone and value is not None]


def test_other_items_of_the_same_person_go_too(world: World) -> None:
    """Who shares a TMDB or IMDb id is the same person, in the catalogue now or met later."""
    two_people(world)
    world.people.append(
        Celebrity(qid="Q8", name="Name of Q1", tmdb_ids=("7", "100"), imdb_ids=("nm8",))
    )
    world.add(8, 5)

    removed = world.forget("Q1")

    assert removed.qids == ["Q1", "Q8"]
    assert [image.qid for image in world.catalogue.images()] == ["Q2"]
    assert (
        world.catalogue.save_people(
            [Celebrity(qid="Q9", name="Later", imdb_ids=("nm8",))]
        ).forgotten
        == 1
    )
    assert world.catalogue.forgotten(["Q1", "Q2", "Q8", "Q9"]) == {"Q1", "Q8", "Q9"}


def test_strangers_and_second_times_do_no_harm(world: World) -> None:
    """A person whom nobody knew is remembered; a second time removes nothing."""
    two_people(world)
    world.forget("Q1")

    assert world.forget("Q1") == Removed(["Q1"])
    assert world.forget("Q77") == Removed(["Q77"])
    assert world.catalogue.forgotten(["Q1", "Q2", "Q77"]) == {"Q1", "Q77"}


def test_exports_lose_the_person_and_nothing_else_changes(world: World, tmp_path: Path) -> None:
    """
    Neither what was accepted since then comes in, nor what needs an agreement goes out.

    The shards keep their size.
    """
    two_people(world)
    world.add(2, 50, source="tmdb")
    for layout in ("imagefolder", "webdataset"):
        world.export(tmp_path / layout, layout, ml_use_permitted=["tmdb"], max_shard_bytes=1)
    world.add(2, 51)
    want = {f"Q2/{image.sha256}" for image in [*world.catalogue.person_images("Q2")]}

    removed = world.forget("Q1")

    assert removed.exports == {
        str(tmp_path / layout): 2 for layout in ("imagefolder", "webdataset")
    }
    for layout in ("imagefolder", "webdataset"):
        index = read_index(tmp_path / layout)
        assert index
        assert index.keys() == want
        everything = b"".join(
            [name.encode() + data for name, data in contents(tmp_path / layout).items()]
        )
        assert b"Q1/" not in everything
        assert b"Q1_" not in everything
        assert b"Name of Q1" not in everything
    assert len(list((tmp_path / "webdataset").glob("*.tar"))) == 2


def test_models_that_know_the_person_go(world: World) -> None:
    """
    A model holds faces and names, so it goes.

    The next training makes one without the person.
    """
    two_people(world)
    school = School(world.folder, world.bus)
    school.people(1, 2, 3, with_files=True)
    school.train()

    assert world.forget("Q1").models == 1

    assert not school.file().exists()
    school.train()
    assert [person.qid for person in Shelf(world.folder).load().people] == ["Q2", "Q3"]


def test_galleries_are_written_again(world: World, tmp_path: Path) -> None:
    """One that is gone or refuses is told, and the others are written all the same."""
    two_people(world)
    written: list[str] = []

    def gone() -> None:
        raise FileNotFoundError

    def stuck() -> None:
        raise StorageError("no room", hint="")

    galleries = {
        tmp_path / "gone": gone,
        tmp_path / "stuck": stuck,
        tmp_path / "fine": lambda: written.append("fine"),
    }
    removed = world.forget("Q1", galleries=galleries)

    assert (removed.galleries, written) == ([str(tmp_path / "fine")], ["fine"])
    assert removed.missing == [str(tmp_path / "gone")]
    assert removed.failed == {str(tmp_path / "stuck"): "no room"}
