"""Forgetting a person while others work, the disk refuses, or the process dies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from celebcollect.domain.errors import Busy, StorageError
from celebcollect.domain.records import Celebrity
from celebcollect.stages import forget as forgetting
from celebcollect.stages.export import imagefolder, read_index
from stages.forgetting import TASKS, World, candidate, two_people

OTHER_PROCESS = "elsewhere|1|1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "data")
    yield world
    world.bus.close()
    world.catalogue.close()


@pytest.mark.parametrize("task", TASKS)
def test_whoever_works_on_the_person_is_waited_for(world: World, task: str) -> None:
    """It is remembered at once, and nothing is removed under somebody's hands."""
    two_people(world)
    world.save()
    world.catalogue.claim(task, ["Q1"], owner=OTHER_PROCESS, lease_s=60)

    with pytest.raises(Busy, match=r"Q1.*" + task):
        world.forget("Q1")

    assert world.catalogue.forgotten(["Q1"]) == {"Q1"}
    assert len(world.catalogue.person_images("Q1")) == 3
    assert world.catalogue.claim(
        TASKS[0] if task != TASKS[0] else TASKS[1], ["Q1"], owner=OTHER_PROCESS, lease_s=60
    ) == ["Q1"], "ours are given back"
    for one in TASKS:
        world.catalogue.release(one, ["Q1"], owner=OTHER_PROCESS)
    assert world.forget("Q1").images == 3


def test_an_export_that_is_gone_is_told_and_one_that_refuses_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is done all the same."""
    two_people(world)
    for name in ("moved", "stuck", "fine"):
        world.export(tmp_path / name)
    (tmp_path / "moved").rename(tmp_path / "elsewhere")
    (tmp_path / "stuck" / ".celebcollect-export.json").write_text("broken")

    removed = world.forget("Q1")

    assert removed.missing == [str(tmp_path / "moved")]
    assert removed.failed.keys() == {str(tmp_path / "stuck")}
    assert removed.exports == {str(tmp_path / "fine"): 2}
    assert world.catalogue.person_images("Q1") == []


class Died(BaseException):
    """A process that is gone."""


@pytest.mark.parametrize("step", range(1, 9))
def test_it_may_die_anywhere(
    world: World, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    After a crash at any step nobody collects the person any more.

    The same command does the rest.
    """
    two_people(world)
    world.people.append(Celebrity(qid="Q8", name="Name of Q8", tmdb_ids=("100",)))
    world.add(8, 5)
    world.export(tmp_path / "out")
    steps = 0

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def after(*arguments: Any, **named: Any) -> Any:
            nonlocal steps
            result = call(*arguments, **named)
            steps += 1
            if steps == step:
                raise Died
            return result

        return after

    with monkeypatch.context() as patch:
        patch.setattr(world.catalogue, "forbid", dying(world.catalogue.forbid))
        patch.setattr(world.catalogue, "forget", dying(world.catalogue.forget))
        patch.setattr(world.bus, "publish", dying(world.bus.publish))
        patch.setattr(world.images, "forget", dying(world.images.forget))
        patch.setattr("celebcollect.stages.export.imagefolder.write", dying(imagefolder.write))
        patch.setattr("celebcollect.stages.forget._purge", dying(forgetting._purge))
        with pytest.raises(Died):
            world.forget("Q1")
    assert world.catalogue.forgotten(["Q1", "Q8"]) == {"Q1", "Q8"}
    assert world.catalogue.need_search("google", target=99) == ["Q2"]

    # The claims are those of a live process here, as after a kill they are those of a dead one:
    # both are free for it.
    world.forget("Q1")

    assert {image.qid for image in world.catalogue.images()} == {"Q2"}
    assert [path.split("/")[1] for path in world.images.files()] == ["Q2"]
    assert not [
        message
        for topic in ("urls", "urlsVerifie")
        for message in world.bus.read(topic)
        if message.key in ("Q1", "Q8")
    ]
    assert {
        message.key for message in world.bus.read("dataclean") if message.value is not None
    } == {f"Q2/{image.sha256}" for image in world.catalogue.images()}
    index = read_index(tmp_path / "out")
    assert index
    assert index.pictures.keys() == {"Q2"}


def test_a_folder_that_is_a_link_is_removed_and_not_followed(world: World, tmp_path: Path) -> None:
    """Whoever put it there, what it leads to is not the person's."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (world.folder / "images").mkdir(parents=True)
    (world.folder / "images" / "Q1").symlink_to(tmp_path / "precious")

    world.forget("Q1")

    assert (tmp_path / "precious" / "file").read_text() == "x"
    assert not (world.folder / "images" / "Q1").exists()


def test_a_message_that_slips_in_meanwhile_goes_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A batch of `validate` publishes after the log was purged.

    It had asked before the person was forbidden.
    """
    two_people(world)
    forget = world.catalogue.forget

    def late(qid: str) -> int:
        world.bus.publish("urlsVerifie", [("Q1", candidate("Q1", "https://late.example"))])
        return forget(qid)

    monkeypatch.setattr(world.catalogue, "forget", late)

    assert world.forget("Q1").messages["urlsVerifie"] == 3
    assert [json.loads(value)["qid"] for value in world.values("urlsVerifie")] == ["Q2"]


def test_a_disk_that_refuses_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next time it goes on."""
    two_people(world)

    def refuse(folder: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("celebcollect.images.folder.shutil.rmtree", refuse)
        with pytest.raises(StorageError, match="Read-only"):
            world.forget("Q1")

    assert world.forget("Q1").files == 3
