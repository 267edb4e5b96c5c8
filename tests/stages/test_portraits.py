"""What makes a picture a portrait: what the source's own process has proved, and no message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from celebcollect.bus.base import Message
from celebcollect.catalogue.state import PORTRAITS_SINCE, SearchState
from celebcollect.domain.records import Celebrity, Image, ImageCandidate, Status, image_id, now
from celebcollect.stages.clean.portraits import Portraits
from celebcollect.stages.messages import decode_candidate
from celebcollect.stages.proofs import proved_portraits
from stages.cleaning import World, jpeg

PERSON = Celebrity(
    qid="Q1",
    name="Jane Doe",
    portraits=("http://commons.wikimedia.org/wiki/Special:FilePath/IMG%201234.jpg",),
)
PAGE = "https://commons.wikimedia.org/wiki/File:"


@dataclass
class Renamed:
    """A source like Commons, where the file that Wikidata names has another name now."""

    name: str = "commons"
    topic: str = "urls"

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        yield found("https://upload.example/new.jpg", page_url=f"{PAGE}Jane_Doe_2020.jpg")
        yield found("https://upload.example/other.jpg", page_url=f"{PAGE}Other.jpg")

    def asked_title(self, qid: str, url: str) -> str | None:
        return "File:IMG 1234.jpg" if url.endswith("new.jpg") else None

    def close(self) -> None:
        """Nothing is open."""


def found(url: str, *, source: str = "commons", page_url: str | None = None) -> ImageCandidate:
    return ImageCandidate(
        schema_version=1,
        qid="Q1",
        name="Jane Doe",
        url=url,
        source=source,
        page_url=page_url,
        rank=0,
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.catalogue.save_people([PERSON])
    yield world
    world.close()


def rank(world: World, image: Image) -> int | None:
    return Portraits(world.catalogue, [image.qid]).rank(image)


def searched(world: World, source: str, portraits: dict[str, str] | None) -> None:
    world.catalogue.record_search("Q1", source, SearchState(rounds=1, portraits=portraits))


def test_a_renamed_file_is_still_the_one_that_wikidata_names(world: World) -> None:
    """Case 07: the title that P18 asked for counts, whatever the file is called now."""
    source = Renamed()
    proved = proved_portraits(source, PERSON, list(source.candidates(PERSON, 9)), {})
    searched(world, "commons", proved)

    new = world.put("Q1", jpeg(1), "https://upload.example/new.jpg")
    other = world.put("Q1", jpeg(2), "https://upload.example/other.jpg")

    assert (rank(world, new), rank(world, other)) == (0, None)


@pytest.mark.parametrize("source", ["commons", "tmdb"])
def test_a_message_makes_no_portrait(world: World, source: str) -> None:
    """Neither rank 0 nor a page that Wikidata names is proof, before and after a search."""
    image = world.image("Q1", jpeg(1), "https://evil.example/1.jpg", source=source)
    claimed = image.model_copy(update={"rank": 0, "page_url": f"{PAGE}IMG_1234.jpg"})
    world.catalogue.record_stored([claimed])

    before = rank(world, claimed)
    searched(world, source, {image_id("Q1", "https://upload.example/1.jpg"): ""})

    assert (before, rank(world, claimed)) == (None, None)


def test_the_first_picture_of_a_proved_identity_is_a_portrait() -> None:
    """And only the first; a search that finds nothing takes nothing back."""
    source = Renamed(name="tmdb")
    pictures = [found(f"https://a.example/{n}.jpg", source="tmdb") for n in range(2)]

    proved = proved_portraits(source, PERSON, pictures, {})
    assert proved == {image_id("Q1", "https://a.example/0.jpg"): ""}
    assert proved_portraits(source, PERSON, [], proved) == proved
    assert proved_portraits(Renamed(name="google"), PERSON, pictures, {}) is None


def test_what_an_old_folder_trusted_stays_trusted_until_the_source_is_asked(world: World) -> None:
    """Only what was stored before the catalogue was brought up to date."""
    later = (now() + timedelta(hours=1)).isoformat()
    world.catalogue.set_note(PORTRAITS_SINCE, {"at": later})
    row = world.image("Q1", jpeg(1), "https://upload.example/1.jpg", source="commons")
    row = row.model_copy(update={"page_url": f"{PAGE}IMG_1234.jpg"})
    world.catalogue.record_stored([row])
    searched(world, "commons", None)
    old = rank(world, row)

    searched(world, "commons", {})

    assert (old, rank(world, row)) == (0, None)


def test_another_portrait_in_wikidata_is_trusted_at_once(world: World) -> None:
    """A file that was found long ago is the portrait as soon as Wikidata names it."""
    image = world.put("Q1", jpeg(1), "https://upload.example/1.jpg")
    searched(world, "commons", {image.id: "Later.jpg"})
    before = rank(world, image)
    link = "http://commons.wikimedia.org/wiki/Special:FilePath/later.jpg"

    world.catalogue.save_people([PERSON.model_copy(update={"portraits": (link,)})])

    assert (before, rank(world, image)) == (None, 0)


def test_a_kept_copy_takes_licence_and_author_and_says_from_which(world: World) -> None:
    """Case 15: the larger copy without a licence stays, and names the documented one."""
    licensed = world.image("Q1", jpeg(1), "https://a.example/small.jpg", source="commons")
    licensed = licensed.model_copy(update={"licence": "CC BY-SA 4.0", "author": "Ann"})
    world.folder.put("Q1", licensed.sha256 or "", "jpg", jpeg(1))
    world.catalogue.record_stored([licensed])
    large = world.put("Q1", jpeg(1, side=300), "https://b.example/large.jpg")

    world.run()
    world.catalogue.clean_again(["Q1"])
    world.run()

    kept = world.rows()[large.url]
    assert (kept.licence, kept.author, kept.credit_from) == ("CC BY-SA 4.0", "Ann", licensed.url)
    assert [record["credit_from"] for record in world.live().values()] == [licensed.url]
    assert kept.source == "google"


@pytest.mark.parametrize("source", ["commons", "tmdb", "google", "import"])
def test_no_field_of_a_message_makes_a_portrait(world: World, source: str) -> None:
    """Whatever a message carries, also names of the row's own fields: rank, page, word of proof."""
    lies = {
        "schema_version": 1,
        "rank": 0,
        "qid": "Q1",
        "url": "https://upload.example/IMG_1234.jpg",
        "page_url": f"{PAGE}IMG_1234.jpg",
        "page_title": "File:IMG 1234.jpg",
        "licence": "Public domain",
        "identity": "reference",
        "restored_from": "other_person",
        "stored_at": "1999-01-01T00:00:00Z",
        "found_at": "1999-01-01T00:00:00Z",
        "own_credit": {"page_url": f"{PAGE}IMG_1234.jpg"},
        "status": "accepted",
    }
    rows = []
    for at, claimed in enumerate(sorted({*ImageCandidate.model_fields, *Image.model_fields})):
        told = {"schema": 1, "qid": "Q1", "name": "Jane Doe", "source": source}
        # Rank and page are claimed with each: versions before this one trusted these.
        told |= {"url": f"https://evil.example/{at}.jpg", "rank": 0, "page_url": lies["page_url"]}
        told |= {claimed: lies.get(claimed, told.get(claimed, "reference"))}
        try:
            message = Message("urls", 0, 0, "Q1", json.dumps(told).encode(), 0)
            candidate = decode_candidate(message)
        except ValueError:
            continue  # a text where a number belongs: no candidate
        row = Image.verified(candidate, candidate.url)
        stored = row.model_copy(update={"status": Status.STORED, "stored_at": now()})
        rows.append(stored)
    world.catalogue.record_stored(rows)

    def claims() -> list[str]:
        kept = world.catalogue.images_by_id([row.id for row in rows]).values()
        trusted = Portraits(world.catalogue, ["Q1"])
        return [
            row.url
            for row in kept
            if trusted.rank(row) is not None or row.restored_from is not None
        ]

    before = claims()
    searched(world, source, {image_id("Q1", "https://upload.example/other.jpg"): ""})

    assert len(rows) > 15
    assert (before, claims()) == ([], [])
