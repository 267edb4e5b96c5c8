"""The catalogue in MongoDB when a worker dies between two steps, or another one is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalogue.catalogue_backends import Backend, new_backend
from catalogue.catalogue_samples import accepted, candidate, failed, person, stored
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.mongo import MongoCatalogue, commands


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with new_backend("java", tmp_path) as backend:
        yield backend


@pytest.mark.mongo
def test_a_worker_that_dies_before_the_last_step_repeats_it(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A picture is cleaned although its worker died after writing the row.

    The worker had not sent the person to cleaning; the message comes again.
    """
    with closing(backend.open()) as catalogue:
        assert isinstance(catalogue, MongoCatalogue)
        with monkeypatch.context() as dying:
            dying.setattr(type(catalogue._all.celebrities), "update_many", Dies())
            with pytest.raises(Died):
                catalogue.record_stored([stored(1, 0)])
        before = catalogue.need_cleaning("v1"), catalogue.person_images("Q1")

        catalogue.record_stored([stored(1, 0)])

        assert before == ([], [stored(1, 0)])
        assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


class Died(BaseException):
    """The process ends here."""


class Dies:
    """A step at which the process dies."""

    def __call__(self, *_: object, **__: object) -> None:
        raise Died


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("faster", "outcome"),
    [
        (lambda other: other.add_verified([candidate(1, 0)]), stored(1, 0)),
        (lambda other: other.record_stored([stored(1, 0, bytes=7)]), stored(1, 0, bytes=7)),
    ],
)
def test_a_row_that_another_worker_inserts_in_between_is_settled_all_the_same(
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    faster: Callable[[Catalogue], object],
    outcome: Any,
) -> None:
    """
    Between the look and the write another worker inserts the row.

    A verified one is replaced, a stored one stays, and the person is cleaned.
    """
    insert = commands.insert
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:

        def late(collection: Any, rows: Any) -> set[str]:
            if collection.name == "images":
                monkeypatch.setattr(commands, "insert", insert)
                faster(other)
            return insert(collection, rows)

        monkeypatch.setattr(commands, "insert", late)
        catalogue.record_stored([stored(1, 0)])

        assert catalogue.person_images("Q1") == [outcome]
        assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


@pytest.mark.mongo
def test_a_row_that_another_worker_settles_in_between_stays(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between the look and the write another worker stores the picture and `clean` accepts it.

    The slower download overrides nothing.
    """
    replace = MongoCatalogue._replace
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:
        catalogue.add_verified([candidate(1, 0), candidate(1, 1)])

        def late(self: MongoCatalogue, seen: Any, rows: Any) -> set[str]:
            monkeypatch.setattr(MongoCatalogue, "_replace", replace)
            other.record_stored([stored(1, 0)])
            other.record_verdicts([accepted(1, 0)])
            return replace(self, seen, rows)

        monkeypatch.setattr(MongoCatalogue, "_replace", late)
        catalogue.record_stored([failed(1, 0), stored(1, 1)])

        assert {row.id: row for row in catalogue.images()} == {
            row.id: row for row in (accepted(1, 0), stored(1, 1))
        }


@pytest.mark.mongo
def test_nothing_written_at_the_moment_of_forgetting_stays(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that asked before the person was forgotten, and writes after, leaves no row."""
    insert = commands.insert
    with closing(backend.open()) as catalogue, closing(backend.open()) as other:

        def late(collection: Any, rows: Any) -> set[str]:
            if collection.name == "images":
                monkeypatch.setattr(commands, "insert", insert)
                other.forget("Q1")
            return insert(collection, rows)

        monkeypatch.setattr(commands, "insert", late)
        catalogue.add_verified([candidate(1, 0), candidate(2, 0)])

        assert [row.qid for row in catalogue.images()] == ["Q2"]
        assert [known.qid for known in catalogue.people()] == ["Q2"]


@pytest.mark.mongo
def test_people_and_images_can_be_read_with_other_tools(backend: Backend) -> None:
    """
    In the collections named in the contract lie the records' own fields.

    People and images lie under their ids.
    """
    with closing(backend.open()) as catalogue:
        assert isinstance(catalogue, MongoCatalogue)
        catalogue.save_people([person(1)])
        catalogue.record_stored([stored(1, 0)])
        catalogue.record_verdicts([accepted(1, 0)])
        celebrity = catalogue._all.celebrities.find_one({"_id": "Q1"})
        image = catalogue._all.images.find_one({"_id": stored(1, 0).id})

    assert celebrity is not None
    assert image is not None
    assert (celebrity["name"], celebrity["sitelinks"]) == ("Person 1", 20)
    assert (image["qid"], image["status"], image["sha256"], image["width_px"]) == (
        "Q1",
        "accepted",
        stored(1, 0).sha256,
        300,
    )
