"""What makes a picture a portrait: what the source's own process has proved, and no message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from celebcollect.catalogue.state import PORTRAITS_SINCE, SearchState
from celebcollect.domain.records import Celebrity, Image, ImageCandidate, image_id, now
from celebcollect.stages.clean.portraits import Portraits
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
