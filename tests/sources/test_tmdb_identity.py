"""Whom the TMDB source takes for whom, in how many requests, and the order of portraits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from api_server import Reply
from celebcollect.domain.records import Image, ImageCandidate, now
from celebcollect.domain.terms import MlUse
from celebcollect.sources.terms import ml_permitted, ml_use, must_go
from celebcollect.sources.tmdb import api
from sources.tmdb_world import PICTURES, TmdbWorld, celebrity, person, picture


@pytest.fixture
def tmdb() -> Iterator[TmdbWorld]:
    """A TMDB that knows nobody."""
    with TmdbWorld() as world:
        yield world


@pytest.mark.parametrize(
    ("theirs", "ours", "proved"),
    [
        ({"wikidata_id": "Q1"}, {}, True),
        ({"imdb_id": "nm0000001"}, {"imdb_ids": ("nm0000009", "nm0000001")}, True),
        ({"wikidata_id": "Q99", "imdb_id": "nm0000001"}, {"imdb_ids": ("nm0000001",)}, True),
        ({"birthday": "1955-03-19"}, {"births": ("1955-03-19",)}, True),
        ({"birthday": "1955-03-19"}, {"births": ("1954-12-31", "1955-03-19T00:00:00Z")}, True),
        ({"birthday": "1955-03-19", "imdb_id": "nm0000001"}, {"births": ("1955-03-19",)}, True),
        ({"birthday": "1955-03-19", "wikidata_id": ""}, {"births": ("1955-03-19",)}, True),
        ({}, {}, False),
        ({"birthday": "1955-01-01"}, {"births": ("1955-01-01",)}, False),
        ({"birthday": "1955-03-19"}, {"births": ("1955-03-20",)}, False),
        ({"birthday": "1955"}, {"births": ("1955",)}, False),
        ({"birthday": ""}, {"births": ("",)}, False),
        ({"birthday": None}, {"births": ()}, False),
        ({"birthday": "1955-03-19"}, {"births": ("-1955-03-19",)}, False),
        ({"birthday": "1955-03-19", "wikidata_id": "Q2"}, {"births": ("1955-03-19",)}, False),
        (
            {"birthday": "1955-03-19", "imdb_id": "nm0000001"},
            {"births": ("1955-03-19",), "imdb_ids": ("nm0000002",)},
            False,
        ),
        ({"imdb_id": ""}, {"imdb_ids": ("",)}, False),
    ],
)
def test_proofs_of_identity(
    tmdb: TmdbWorld, theirs: dict[str, Any], ours: dict[str, Any], proved: bool
) -> None:
    """
    Wikidata id or IMDb id prove a person, else a birthday that no id contradicts.

    Whoever is not proved is counted.
    """
    tmdb.people(person(7, **theirs))

    found = list(tmdb.source().candidates(celebrity("Q1", tmdb_ids=("7",), **ours), 10))

    assert len(found) == (3 if proved else 0)
    assert tmdb.tally.reasons == ({} if proved else {"tmdb_identity_unproved": 1})
    assert tmdb.asked() == ["/person/7"]


def test_several_ids_are_tried_until_one_proves(tmdb: TmdbWorld) -> None:
    """
    With two TMDB ids, one of them somebody else's, the right one is found.

    With none right, nobody is.
    """
    tmdb.people(
        person(111, wikidata_id="Q5"),
        person(222, wikidata_id="Q900000001"),
        person(333, wikidata_id="Q6"),
    )
    source = tmdb.source()

    assert (
        len(list(source.candidates(celebrity("Q900000001", tmdb_ids=("111", "222", "333")), 10)))
        == 3
    )
    assert list(source.candidates(celebrity("Q7", tmdb_ids=("111", "333")), 10)) == []
    assert tmdb.asked() == ["/person/111", "/person/222", "/person/111", "/person/333"]
    assert tmdb.tally.reasons == {"tmdb_identity_unproved": 1}


def test_one_id_at_two_people(tmdb: TmdbWorld) -> None:
    """Of two Wikidata items with one TMDB id, only the one that TMDB names gets the portraits."""
    tmdb.people(person(287, wikidata_id="Q35332", imdb_id="nm0000093"))
    source = tmdb.source()

    assert list(source.candidates(celebrity("Q900000002", tmdb_ids=("287",)), 10)) == []
    assert len(list(source.candidates(celebrity("Q35332", tmdb_ids=("287",)), 10))) == 3


def test_gone_id_leads_on(tmdb: TmdbWorld) -> None:
    """A TMDB id that is gone is counted, and the IMDb id tried."""
    tmdb.people(person(8, imdb_id="nm0000008"))
    tmdb.server.on("/3/person/7", Reply({"success": False, "status_code": 34}, 404))
    tmdb.found_by_imdb("nm0000008", 8)

    assert (
        len(list(tmdb.source().candidates(celebrity(tmdb_ids=("7",), imdb_ids=("nm0000008",)), 10)))
        == 3
    )
    assert tmdb.asked() == ["/person/7", "/find/nm0000008", "/person/8"]
    assert tmdb.tally.reasons == {"tmdb_gone": 1}


def test_search_looks_at_the_two_best(tmdb: TmdbWorld) -> None:
    """Of many namesakes, those of exactly the name or an alias come first; two are looked at."""
    tmdb.found_by_name(
        {"id": 1, "name": "Jane Doe-Smith"},
        {"id": 2, "name": "J. Doe", "original_name": "Джейн Доу"},
        {"id": 3, "name": "jane DOE"},
        {"id": 4},
    )
    tmdb.people(
        *(person(number, birthday="1980-05-05" if number == 3 else None) for number in (1, 2, 3, 4))
    )

    assert (
        len(
            list(
                tmdb.source().candidates(
                    celebrity(aliases=("джейн доу",), births=("1980-05-05",)), 10
                )
            )
        )
        == 3
    )
    assert tmdb.asked() == ["/search/person", "/person/2", "/person/3"]


def test_no_more_than_two_namesakes_are_looked_at(tmdb: TmdbWorld) -> None:
    """A common name does not cost more than three requests."""
    tmdb.found_by_name(*({"id": number, "name": "Jane Doe"} for number in range(1, 21)))
    tmdb.people(*(person(number) for number in range(1, 21)))

    assert list(tmdb.source().candidates(celebrity(births=("1980-05-05",)), 10)) == []
    assert tmdb.asked() == ["/search/person", "/person/1", "/person/2"]


def test_nobody_is_asked_for_twice(tmdb: TmdbWorld) -> None:
    """Whoever turned out to be gone is not asked for again when another id leads there."""
    tmdb.server.on("/3/person/7", Reply({"success": False, "status_code": 34}, 404))
    tmdb.found_by_imdb("nm0000007", 7)
    tmdb.found_by_name({"id": 7, "name": "Jane Doe"})

    assert (
        list(tmdb.source().candidates(celebrity(tmdb_ids=("7", "7"), imdb_ids=("nm0000007",)), 10))
        == []
    )
    assert tmdb.asked() == ["/person/7", "/find/nm0000007", "/search/person"]


@pytest.mark.parametrize(
    "name",
    [
        "Conan O'Brien",
        'Dwayne "The Rock" Johnson',
        "أم كلثوم",
        "宮崎 駿",
        "Sammy Davis, Jr.",
        "AND OR site:x & y=z #1 100%?",
        "../../etc/passwd",
    ],
)
def test_any_name_can_be_searched(tmdb: TmdbWorld, name: str) -> None:
    """Names of every script and with every sign reach TMDB as they are."""
    tmdb.found_by_name({"id": 9, "name": name})
    tmdb.people(person(9, wikidata_id="Q1"))

    assert len(list(tmdb.source().candidates(celebrity(name=name), 10))) == 3
    assert tmdb.server.requests[0].query["query"] == name


def test_ids_that_are_none_are_not_sent(tmdb: TmdbWorld) -> None:
    """An id from Wikidata that could become another path is never sent."""
    person_with_bad_ids = celebrity(
        tmdb_ids=("../account", "7?x=", "", "٧"), imdb_ids=("tt0088247", "nm1/../x")
    )

    assert list(tmdb.source().candidates(person_with_bad_ids, 10)) == []
    assert tmdb.asked() == ["/search/person"]
    assert tmdb.tally.reasons == {"tmdb_bad_id": 4, "tmdb_not_found": 1}


def test_adults_are_left_out(tmdb: TmdbWorld) -> None:
    """Portraits of people whom TMDB flags as adult are not taken."""
    tmdb.people(person(7, wikidata_id="Q1", adult=True))

    assert list(tmdb.source().candidates(celebrity(tmdb_ids=("7",)), 10)) == []
    assert tmdb.tally.reasons == {"tmdb_adult": 1}


def test_best_portraits_first(tmdb: TmdbWorld) -> None:
    """
    TMDB's own first portrait leads, then come the best voted, equals in TMDB's order.

    The limit cuts the end.
    """
    votes = {
        "/a.jpg": (5.0, 1),
        "/b.jpg": (5.3, 9),
        "/c.png": (0.0, 0),
        "/d.jpg": (5.3, 40),
        "/e.jpg": (5.0, 1),
    }
    profiles = [
        picture(path, vote_average=average, vote_count=count)
        for path, (average, count) in votes.items()
    ]
    tmdb.people(
        person(
            7,
            wikidata_id="Q1",
            profile_path="/c.png",
            images={"profiles": [*profiles, picture("/a.jpg")]},
        )
    )
    source = tmdb.source()

    urls = [one.url for one in source.candidates(celebrity(tmdb_ids=("7",)), 10)]
    assert urls == [
        f"{PICTURES}original{path}" for path in ("/c.png", "/d.jpg", "/b.jpg", "/a.jpg", "/e.jpg")
    ]
    assert [(one.url, one.rank) for one in source.candidates(celebrity(tmdb_ids=("7",)), 2)] == [
        (urls[0], 0),
        (urls[1], 1),
    ]
    assert list(source.candidates(celebrity(tmdb_ids=("7",)), 0)) == []
    assert tmdb.asked() == ["/person/7"] * 2


def test_small_size(tmdb: TmdbWorld) -> None:
    """Size h632 changes URL and size, without enlarging."""
    profiles = [
        picture("/big.jpg", width=2000, height=3000),
        picture("/small.jpg", width=300, height=450),
        picture("/unknown.jpg", width=None, height=None),
    ]
    tmdb.people(person(7, wikidata_id="Q1", images={"profiles": profiles}))
    found = list(tmdb.source(image_size="h632").candidates(celebrity(tmdb_ids=("7",)), 10))

    assert [one.url for one in found] == [
        f"{PICTURES}h632/{name}.jpg" for name in ("big", "small", "unknown")
    ]
    assert [(one.width_px, one.height_px) for one in found] == [
        (421, 632),
        (300, 450),
        (None, None),
    ]


def test_terms_follow_the_picture(tmdb: TmdbWorld) -> None:
    """
    A TMDB picture needs an agreement for machine learning, and is stale after 180 days.

    Others never are.
    """
    tmdb.people(person(7, wikidata_id="Q1"))
    candidate = next(tmdb.source().candidates(celebrity(tmdb_ids=("7",)), 1))
    image = Image.verified(ImageCandidate.model_validate_json(candidate.to_json()), candidate.url)
    old = image.model_copy(update={"stored_at": now() - timedelta(days=180, seconds=5)})

    assert ml_use(image.source, image.url) is MlUse.NEEDS_AGREEMENT
    assert not must_go(image, at=now())
    assert must_go(old, at=now())
    assert must_go(image, at=now() + timedelta(days=181))
    assert not must_go(
        old.model_copy(update={"source": "commons", "url": "https://upload.wikimedia.org/a.jpg"}),
        at=now(),
    )


def test_a_host_of_the_source_makes_a_picture_its_content() -> None:
    """Whoever found it: the agreement that counts is that of the host's owner."""
    theirs, near = "https://image.tmdb.org./a.jpg", "https://nottmdb.org/a.jpg"

    assert ml_use("google", theirs) is MlUse.NEEDS_AGREEMENT
    assert ml_use("google", near) is MlUse.UNSPECIFIED
    assert ml_use(" TMDB", near) is MlUse.NEEDS_AGREEMENT
    assert ml_use("nobody we know", "http://[half/an/address") is MlUse.UNSPECIFIED
    assert not ml_permitted("google", theirs, ["google"])
    assert ml_permitted("google", theirs, ["Tmdb "])


def test_a_message_can_forbid_and_not_permit() -> None:
    """What a message tells of its terms counts only where it is stricter than those we know."""
    strict, lax = MlUse.NEEDS_AGREEMENT, MlUse.UNSPECIFIED

    assert not ml_permitted("tmdb", "https://e.org/a.jpg", [], told=lax)
    assert not ml_permitted("theirs", "https://e.org/a.jpg", ["tmdb"], told=strict)
    assert ml_permitted("theirs", "https://e.org/a.jpg", ["theirs"], told=strict)


def test_full_dates() -> None:
    """Only whole dates that are not 1 January count."""
    assert api.full_dates(
        [
            "1990-02-03",
            "1990-02-03T00:00:00Z",
            "1990-01-01",
            "1990",
            "1990-02",
            "x1990-02-03",
            "1990-02-031",
        ]
    ) == {"1990-02-03"}
