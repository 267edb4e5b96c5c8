"""No stage does anything about the forgotten.

It makes no difference who asks it to, and when they were forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from celebcollect.domain.records import Celebrity, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean.stage import clean_people
from celebcollect.stages.collect import collect, find_people
from picture_web import PictureWeb, Request, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def web() -> Iterator[PictureWeb]:
    with serve() as web:
        web.routes.update(
            {f"/{name}.jpg": answer(picture(seed)) for seed, name in enumerate("abc")}
        )
        yield web


class Everybody:
    """A source of people, and of one picture of each of them."""

    name = topic = "urls"

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.asked: list[str] = []

    def people(self) -> Iterator[list[Celebrity]]:
        yield [
            Celebrity(qid=f"Q{number}", name=f"Person {number}", tmdb_ids=(str(number),))
            for number in (1, 2)
        ]

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        self.asked.append(person.qid)
        yield candidate(f"https://example.org/{person.qid}.jpg", person.qid)

    def merged_into(self, qids: Collection[str]) -> dict[str, str]:
        """Nobody's item was merged."""
        return {}

    def close(self) -> None:
        """Nothing is open."""


def test_people_are_not_found_again(bench: Bench) -> None:
    """Wikidata names them, the tally says that they were passed over."""
    bench.catalogue.forbid(["Q1"])
    tally = Tally()

    everybody = Everybody(bench)
    find_people(everybody, bench.catalogue, tally, stop=threading.Event())  # type: ignore[arg-type]

    assert [person.qid for person in bench.catalogue.people()] == ["Q2"]
    assert (tally.counts["new"], tally.reasons) == (1, {"forgotten": 1})


def test_people_are_not_searched_by_who_knew_them_before(bench: Bench) -> None:
    """A run does not ask for a person who was forgotten after it chose its people."""
    source, tally = Everybody(bench), Tally()
    (people,) = source.people()
    bench.catalogue.save_people(people)
    bench.catalogue.forget("Q1")

    collect(source, people, bench.catalogue, bench.bus, tally, per_search=3, stop=threading.Event())

    assert source.asked == ["Q2"]
    assert [message.key for message in bench.bus.read("urls")] == ["Q2"]
    assert tally.reasons == {"forgotten": 1}


def test_candidates_are_not_let_through(bench: Bench) -> None:
    """Whoever publishes them; the others of the batch pass."""
    bench.catalogue.forbid(["Q1"])
    bench.publish(
        "urls",
        *(candidate(f"https://example.org/{n}.jpg", qid) for n in range(3) for qid in ("Q1", "Q2")),
    )

    tally = bench.validate()

    assert [message.key for message in bench.bus.read(VERIFIED)] == ["Q2"] * 3
    assert {image.qid for image in bench.catalogue.images()} == {"Q2"}
    assert (tally.counts, tally.reasons) == ({"verified": 3}, {"forgotten": 3})


def test_pictures_are_not_downloaded(bench: Bench, web: PictureWeb) -> None:
    """What waits on a topic that cannot be purged is not even asked for."""
    bench.publish(
        VERIFIED,
        candidate(web.url("/a.jpg"), "Q1"),
        candidate(web.url("/b.jpg"), "Q2"),
        candidate(web.url("/c.jpg"), "Q1"),
    )
    bench.catalogue.forbid(["Q1"])

    tally = bench.store()

    assert [request.path for request in web.requests if request.path.endswith(".jpg")] == ["/b.jpg"]
    assert {path.split("/")[1] for path in bench.files()} == {"Q2"}
    assert tally.reasons == {"forgotten": 2}
    assert bench.lag() == 0


def test_a_picture_that_is_under_way_leaves_nothing(bench: Bench, web: PictureWeb) -> None:
    """
    The person is forgotten while the server still sends.

    Neither file nor row is left, and the others of the batch are kept.
    """

    def slowly(request: Request) -> bytes:
        bench.catalogue.forget("Q1")
        bench.folder.forget("Q1")
        return answer(picture(7))

    web.routes["/slow.jpg"] = slowly
    bench.publish(
        VERIFIED, candidate(web.url("/slow.jpg"), "Q1"), candidate(web.url("/b.jpg"), "Q2")
    )

    bench.store()

    assert {path.split("/")[1] for path in bench.files()} == {"Q2"}
    assert {image.qid for image in bench.catalogue.images()} == {"Q2"}


def test_what_is_left_of_an_interrupted_forgetting_is_not_cleaned(
    bench: Bench, web: PictureWeb
) -> None:
    """Between the request and its end nothing about the person is published."""
    bench.publish(VERIFIED, candidate(web.url("/a.jpg"), "Q1"), candidate(web.url("/b.jpg"), "Q2"))
    bench.store()
    bench.catalogue.forbid(["Q1"])

    clean_people(
        bench.catalogue,
        bench.folder,
        bench.bus,
        [],
        topic="dataclean",
        tally=Tally(),
        stop=threading.Event(),
    )

    assert [str(message.key).partition("/")[0] for message in bench.bus.read("dataclean")] == ["Q2"]
