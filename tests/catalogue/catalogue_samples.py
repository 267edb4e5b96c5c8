"""Records to fill a catalogue with."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import PersonFace, SearchState
from celebcollect.disk.owners import this_owner
from celebcollect.domain.records import Celebrity, Image, Status, image_id

FOUND_AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def person(number: int, **facts: Any) -> Celebrity:
    """A person Q<number>, with facts of Wikidata."""
    return Celebrity(
        **{
            "qid": f"Q{number}",
            "name": f"Person {number}",
            "sitelinks": 20,
            "professions": ("actor",),
            **facts,
        }
    )


def candidate(number: int, place: int, **facts: Any) -> Image:
    """The row of a candidate that `validate` lets through: a picture of Q<number>."""
    url = f"https://pictures.example/{number}/{place}.jpg"
    row = {
        "id": image_id(f"Q{number}", url),
        "qid": f"Q{number}",
        "name": f"Person {number}",
        "status": Status.VERIFIED,
        "source": "google",
        "url": url,
        "found_at": FOUND_AT,
    }
    return Image(**{**row, **facts})


def stored(number: int, place: int, **facts: Any) -> Image:
    """The same picture as `store` leaves it."""
    sha256 = hashlib.sha256(f"{number}/{place}".encode()).hexdigest()
    found = {
        "status": Status.STORED,
        "sha256": sha256,
        "path": f"images/Q{number}/{sha256}.jpg",
        "bytes": 1234,
        "format": "jpeg",
        "width_px": 300,
        "height_px": 400,
        "phash": "00ff00ff00ff00ff",
        "phash_version": 1,
        "stored_at": FOUND_AT,
    }
    return candidate(number, place, **{**found, **facts})


def accepted(number: int, place: int, **facts: Any) -> Image:
    """The same picture as `clean` leaves it when it is good."""
    return stored(number, place, **{"status": Status.ACCEPTED, "cleaned_at": FOUND_AT, **facts})


def rejected(number: int, place: int, **facts: Any) -> Image:
    """The same picture as `clean` leaves it when it is not."""
    return accepted(
        number,
        place,
        **{"status": Status.REJECTED, "reason": "too_small", "detail": "9x9 px", **facts},
    )


def failed(number: int, place: int, **facts: Any) -> Image:
    """The same picture as `store` leaves it when it cannot be had."""
    return candidate(
        number,
        place,
        **{"status": Status.FAILED, "reason": "not_found", "detail": "404", "attempts": 1, **facts},
    )


def workout(catalogue: Catalogue) -> set[str]:
    """
    Call every method, with and without its options, so that every query is sent at least once.

    Return the methods' names.
    """
    called: set[str] = set()

    class Recorded:
        def __getattr__(self, name: str) -> Any:
            called.add(name)
            return getattr(catalogue, name)

    everything: Any = Recorded()
    everything.save_people([person(1, aliases=("Uno",)), person(2)])
    everything.save_people([person(1, name="New Name"), person(3, origin="google")])
    everything.people()
    everything.people(["Q1", "Q9"], limit=2)
    everything.find_people("uno")
    everything.record_search("Q1", "tmdb", SearchState(rounds=1, offered=2))
    everything.record_round("Q1", rounds=1, finished=False)
    rows = [candidate(number, place) for number in (1, 2, 7) for place in range(4)]
    everything.add_verified(rows)
    everything.known([row.id for row in rows])
    everything.images_by_id([row.id for row in rows])
    everything.record_stored([stored(1, 0), failed(1, 1), stored(2, 0), stored(2, 1), stored(8, 0)])
    everything.record_stored([stored(1, 0), failed(1, 1), stored(2, 2)])
    everything.with_bytes([str(stored(1, 0).sha256)])
    everything.similar([str(stored(1, 0).phash)], version=1, bits=6)
    everything.states(["Q1", "Q2", "Q9"])
    everything.need_search("tmdb", target=3)
    everything.need_search("tmdb", target=3, limit=1)
    everything.need_cleaning("v1")
    everything.need_cleaning("v1", qids=["Q1"], limit=1)
    everything.claim("clean", ["Q1", "Q2"], owner="elsewhere|1|1", lease_s=60)
    everything.claim("clean", ["Q1", "Q3"], owner=this_owner(), lease_s=60)
    everything.release("clean", ["Q3"], owner=this_owner())
    everything.record_verdicts([accepted(1, 0), rejected(2, 0), accepted(2, 1)])
    for cleaning in catalogue.need_cleaning("v1"):
        everything.record_cleaned(cleaning, "v1")
    everything.clean_again(["Q1"])
    everything.person_images("Q2")
    list(everything.images())
    list(everything.images(status=Status.FAILED))
    list(everything.images(qid="Q1", status=Status.FAILED))
    everything.record_face(PersonFace("Q1", "v", b"1234", trusted=True, image=stored(1, 0).id))
    everything.record_face(
        PersonFace("Q2", "v", b"1234", trusted=False, image=stored(2, 0).id, held_against="Q1")
    )
    everything.faces_of(["Q1", "Q9"])
    everything.faces_held_against("Q1")
    everything.faces_since(0)
    everything.counts()
    everything.set_note("a", {"n": 1})
    everything.set_note("b", {"n": 1})
    everything.note("a")
    everything.set_note("a", None)
    everything.change_note("c", lambda _: {"n": 1})
    everything.change_note("c", lambda noted: {**noted, "m": 2})
    everything.change_note("c", lambda _: {})
    everything.forbid(["Q5"], ["tmdb/5"])
    everything.forgotten(["Q1", "Q5"])
    everything.all_forgotten()
    everything.forgotten_ids()
    everything.forbid(["Q7"], ["tmdb/7"])
    everything.allow(["Q7"], ["tmdb/7"])
    everything.save_people([person(6, tmdb_ids=("5",))])
    return called
