"""Which files of Commons become candidates, in how many requests, and with which facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import Reply
from celebcollect import __version__
from celebcollect.sources.commons.settings import THUMBNAIL_WIDTHS_PX, CommonsConfig
from sources.commons_world import CommonsWorld, original, thumbnail


@pytest.fixture
def commons() -> Iterator[CommonsWorld]:
    """A Commons without files."""
    with CommonsWorld() as world:
        yield world


def test_portrait_with_licence_author_and_restrictions(commons: CommonsWorld) -> None:
    """
    A portrait takes one request.

    It brings licence, licence URL, author as text, restrictions, page and size.
    """
    artist = (
        '<a href="//commons.wikimedia.org/wiki/User:Ann">Ann &amp; <b>Bob</b></a><span'
        ' style="display:none">hidden</span>'
    )
    commons.add(
        "Jane Doe 2020.jpg", meta={"Artist": artist, "Restrictions": "personality|trademarked"}
    )

    (found,) = commons.find("Jane Doe 2020.jpg")

    assert found.url == thumbnail("Jane Doe 2020.jpg", 1280)
    assert (found.width_px, found.height_px) == (1280, 960)
    assert (found.licence, found.licence_url) == (
        "CC BY-SA 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0",
    )
    assert (found.author, found.restrictions) == ("Ann & Bob", "personality|trademarked")
    assert found.page_url == "https://commons.wikimedia.org/wiki/File:Jane_Doe_2020.jpg"
    assert (found.page_title, found.source, found.rank, found.profession) == (
        "File:Jane Doe 2020.jpg",
        "commons",
        0,
        "actor",
    )
    (request,) = commons.server.requests
    assert request.headers["user-agent"] == f"celebcollect/{__version__} (me@example.org)"


def test_recorded_answer(commons: CommonsWorld, shared_data: Path) -> None:
    """
    The recorded answer about Douglas Adams's portrait is read whole.

    Older versions of the file are not asked for.
    """
    body = json.loads(
        (shared_data / "commons" / "imageinfo_extmetadata_Q42_P18.json").read_text(encoding="utf-8")
    )["body"]
    commons.server.on("/w/api.php", Reply(body))

    (found,) = commons.find("Douglas adams portrait cropped.jpg")

    assert (
        found.url
        == "https://upload.wikimedia.org/wikipedia/commons/c/c0/Douglas_adams_portrait_cropped.jpg"
    )
    assert (found.width_px, found.height_px) == (333, 386)
    assert (found.licence, found.licence_url) == (
        "CC BY-SA 2.0",
        "https://creativecommons.org/licenses/by-sa/2.0",
    )
    assert (
        found.author
        == "Douglas_adams_portrait.jpg: michael hughes from berlin, germany derivative work: Beao"
    )
    assert found.restrictions is None
    assert len(commons.server.requests) == 1


NAMES = [
    'KBS "The Producers" press conference, 11 May 2015.jpg',
    "MKr347546 Lupita Nyong'o (Jury, Berlinale 2024) crop.jpg",
    'A+B & "C" #1 100% é.jpg',
    "Ж портрет.png",
    "宮崎 駿.webp",
    "a?b=c;d.jpeg",
    "Ünïcode ß.JPG",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file(commons: CommonsWorld, name: str) -> None:
    """
    Names are asked for and found as they are.

    They have quotes, plus, ampersand, hash, percent and letters of every script.
    """
    mime = {"png": "image/png", "webp": "image/webp"}.get(name.rpartition(".")[2], "image/jpeg")
    title = f"{name[0].upper()}{name[1:]}"
    commons.add(title, mime=mime)

    (found,) = commons.find(name)

    assert commons.server.requests[0].query["titles"] == f"File:{name}"
    assert found.page_title == f"File:{title}"


def test_portraits_come_before_the_category(commons: CommonsWorld) -> None:
    """
    Portraits come in Wikidata's order, then the category by title.

    A file in both comes once; two requests do.
    """
    for name in ("B.jpg", "A.jpg"):
        commons.add(name)
    for name in ("Z.jpg", "C.jpg", "A.jpg"):
        commons.add(name, category="Jane Doe")

    found = commons.find("B.jpg", "A.jpg", category="Jane Doe")

    assert [one.page_title for one in found] == [
        "File:B.jpg",
        "File:A.jpg",
        "File:C.jpg",
        "File:Z.jpg",
    ]
    assert [one.rank for one in found] == [0, 1, 2, 3]
    assert len(commons.server.requests) == 2
    assert commons.server.requests[1].query["gcmtype"] == "file"
    assert commons.tally.counts == {"commons_requests": 2}


def test_no_more_requests_than_the_limit_needs(commons: CommonsWorld) -> None:
    """
    When the portraits are enough, the category is not asked for.

    A full page of the category is not followed by another one.
    """
    commons.add("P.jpg")
    for number in range(120):
        commons.add(f"C{number:03}.jpg", category="Jane Doe")

    assert len(commons.find("P.jpg", category="Jane Doe", limit=1)) == 1
    assert len(commons.server.requests) == 1
    assert len(commons.find("P.jpg", category="Jane Doe", limit=51)) == 51
    assert len(commons.server.requests) == 3
    assert commons.find("P.jpg", limit=0) == []
    assert len(commons.server.requests) == 3


def test_long_category_is_read_50_files_a_request(commons: CommonsWorld) -> None:
    """120 files of a category, and one that is gone: three requests, each file once."""
    commons.categories["Category:Jane Doe"] = ["File:Gone.jpg"]
    for number in range(120):
        commons.add(f"C{number:03}.jpg", category="Jane Doe")

    found = commons.find(category="Category:Jane_Doe")

    assert [one.page_title for one in found] == [f"File:C{number:03}.jpg" for number in range(120)]
    assert len(commons.server.requests) == 3
    assert commons.tally.reasons == {"commons_missing": 1}


def test_split_answers_are_put_together(commons: CommonsWorld) -> None:
    """
    When the API tells some files of a batch only, it is asked for the others.

    The order stays.
    """
    names = [f"P{number}.jpg" for number in range(7)]
    for name in names:
        commons.add(name, category="Jane Doe")
    commons.infos_per_answer = 3

    assert [one.page_title for one in commons.find(*reversed(names))] == [
        f"File:{name}" for name in reversed(names)
    ]
    assert len(commons.server.requests) == 3
    assert [one.page_title for one in commons.find(category="Jane Doe")] == [
        f"File:{name}" for name in names
    ]
    assert commons.tally.reasons == {}


def test_many_portraits_are_asked_for_50_at_a_time(commons: CommonsWorld) -> None:
    """Titles travel 50 in a request, fewer when their letters take more room."""
    for number in range(120):
        commons.add(f"P{number}.jpg")
    long_names = [f"{'Ж' * 100}{number}.jpg" for number in range(20)]
    for name in long_names:
        commons.add(name)

    assert len(commons.find(*(f"P{number}.jpg" for number in range(120)))) == 120
    assert [len(request.query["titles"].split("|")) for request in commons.server.requests] == [
        50,
        50,
        20,
    ]
    assert len(commons.find(*long_names)) == 20
    assert max(len(request.raw) for request in commons.server.requests) < 8000


def test_renamed_and_missing_files(commons: CommonsWorld) -> None:
    """Normalised and redirected titles lead to their files; missing files are counted."""
    commons.add("New name.jpg")
    commons.redirects["File:Old name.jpg"] = "File:New name.jpg"

    found = commons.find("old_name.jpg", "Gone.jpg", "new name.jpg")

    assert [one.page_title for one in found] == ["File:New name.jpg"]
    assert commons.tally.reasons == {"commons_missing": 1}


@pytest.mark.parametrize(
    ("name", "facts", "reason"),
    [
        (
            "Trap portrait.svg",
            {"mime": "image/svg+xml", "mediatype": "DRAWING"},
            "commons_no_photo_format",
        ),
        ("Trap scan.tiff", {"mime": "image/tiff"}, "commons_no_photo_format"),
        ("Dance.gif", {"mime": "image/gif"}, "commons_no_photo_format"),
        ("Book.pdf", {"mime": "application/pdf", "mediatype": "OFFICE"}, "commons_no_photo_format"),
        ("Book.djvu", {"mime": "image/vnd.djvu"}, "commons_no_photo_format"),
        ("Voice.ogg", {"mime": "application/ogg", "mediatype": "AUDIO"}, "commons_no_photo_format"),
        ("Film.webm", {"mime": "video/webm", "mediatype": "VIDEO"}, "commons_no_photo_format"),
        ("Liar.jpg", {"mime": "image/svg+xml"}, "commons_no_photo_format"),
        ("Plan.png", {"mime": "image/png", "mediatype": "DRAWING"}, "commons_drawing"),
        (
            "Painted.jpg",
            {"meta": {"Categories": "Jane Doe|Oil paintings of women"}},
            "commons_drawing",
        ),
        ("Sketch.jpg", {"meta": {"Categories": "Drawings"}}, "commons_drawing"),
        ("Wax.jpg", {"meta": {"Categories": "Wax figures in Berlin|Jane Doe"}}, "commons_drawing"),
        ("Name.jpg", {"meta": {"Categories": "Signatures of actors"}}, "commons_drawing"),
        ("Elsewhere.jpg", {"url": "https://evil.example/a.jpg"}, "commons_foreign_host"),
        ("Script.jpg", {"url": "javascript:alert(1).jpg"}, "commons_foreign_host"),
        ("Odd.jpg", {"width": "wide"}, "commons_unreadable"),
        ("Empty.jpg", {"width": 0}, "commons_unreadable"),
    ],
)
def test_what_is_no_photograph_is_left_out(
    commons: CommonsWorld, name: str, facts: dict[str, Any], reason: str
) -> None:
    """
    Drawings, scans, documents, sound, film and files from elsewhere are counted.

    That holds for portraits and in the category alike.
    """
    commons.add(name, category="Jane Doe", **facts)
    commons.add(
        "Good.jpg",
        category="Jane Doe",
        meta={"Categories": "People with drawings|Jane Doe at the Museum of paintings"},
    )

    assert [one.page_title for one in commons.find(name, category="Jane Doe")] == ["File:Good.jpg"]
    assert commons.tally.reasons == {reason: 2}


@pytest.mark.parametrize(
    ("width_px", "size", "url"),
    [
        (1280, (4000, 3000), thumbnail("A.jpg", 1280)),
        (500, (4000, 3000), thumbnail("A.jpg", 500)),
        (3840, (4000, 3000), thumbnail("A.jpg", 3840)),
        (0, (4000, 3000), original("A.jpg")),
        (1280, (1280, 900), original("A.jpg")),
        (1280, (640, 480), original("A.jpg")),
    ],
)
def test_width_of_the_picture(
    commons: CommonsWorld, width_px: int, size: tuple[int, int], url: str
) -> None:
    """
    The API scales to the configured width.

    A smaller original comes as it is; 0 always asks for the original.
    """
    commons.add("A.jpg", width=size[0], height=size[1])

    (found,) = commons.find("A.jpg", width_px=width_px)

    assert found.url == url
    assert commons.server.requests[0].query.get("iiurlwidth") == (
        str(width_px) if width_px else None
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"thumburl": f"{thumbnail('A.jpg', 1000)}", "thumbwidth": 1000, "thumbheight": 750},
        {"thumburl": "https://evil.example/1280px-A.jpg", "thumbwidth": 1280, "thumbheight": 960},
        {"thumburl": None, "thumberror": "too big"},
    ],
)
def test_odd_thumbnails_are_not_taken(commons: CommonsWorld, facts: dict[str, Any]) -> None:
    """
    The original is taken where there is no thumbnail of a width that Wikimedia offers.

    One from elsewhere counts as none.
    """
    commons.add("A.jpg", **facts)

    assert [one.url for one in commons.find("A.jpg")] == [original("A.jpg")]


def test_widths_are_checked_in_the_configuration() -> None:
    """Only widths that Wikimedia offers can be configured."""
    assert [CommonsConfig(width_px=width).width_px for width in (0, *THUMBNAIL_WIDTHS_PX)] == [
        0,
        *THUMBNAIL_WIDTHS_PX,
    ]
    with pytest.raises(ValueError, match="must be 0 or one of 20, 40"):
        CommonsConfig(width_px=1000)
