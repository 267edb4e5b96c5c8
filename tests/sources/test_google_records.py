"""Reading pictures out of scripts, answers and links of result pages."""

from __future__ import annotations

import html
import json
import re
import time
from pathlib import Path

import pytest

from celebcollect.sources.google.quoting import unquoted
from celebcollect.sources.google.records import (
    FoundPicture,
    from_links,
    from_pairs,
    from_script,
    is_googles,
    originals,
)
from sources.google_web import picture, records_script


def test_the_real_page_of_2020_gives_all_its_records(shared_data: Path) -> None:
    """
    Every record of the captured page comes out with URL, size, page, title and site.

    The height stands first.
    """
    text = (shared_data / "google" / "gis_2020_ds1_12_records_raw.html").read_text()

    found = from_script(text)

    assert len(found) == 12
    assert all(picture.page_url and picture.title and picture.site for picture in found)
    assert found[0] == FoundPicture(
        url=(
            "https://cdn.vox-cdn.com/thumbor/2XTYqiTtJ-8H8k46jALMh9ZMfzU=/0x0:1548x1024/1200x800/filters:focal(693x458:939x704)"
            "/cdn.vox-cdn.com/uploads/chorus_image/image/65936299/cats4.0.jpg"
        ),
        width_px=1200,
        height_px=800,
        page_url="https://www.vox.com/culture/2019/12/18/21021186/cats-review",
        title="Cats review: A deep and inscrutable movie - Vox",
        site="Vox",
    )
    assert found[5].title == "Common “Facts” About Cats That Are Actually False | Reader's Digest"
    assert found[4].author == "Alessandra Tarantino"
    assert found[9].site == "icatcare.org"  # its record names no site
    assert originals(found) == found


@pytest.mark.parametrize(
    "name", ["SYNTHETIC_xhr_chunk_double_encoded.txt", "SYNTHETIC_xhr_chunk_html_with_string.txt"]
)
def test_answers_of_endless_scrolling_are_unquoted(shared_data: Path, name: str) -> None:
    """Records that are quoted once more read the same as those of the page."""
    page = from_script((shared_data / "google" / "gis_2020_ds1_12_records_raw.html").read_text())

    found = from_script((shared_data / "google" / name).read_text())

    known = {picture.url: picture for picture in page}
    assert len(found) == 4
    assert all(
        (known[picture.url].title, known[picture.url].page_url) == (picture.title, picture.page_url)
        for picture in found
    )
    assert "=en&hash=" in found[0].url


def test_the_page_of_2026_gives_its_records(shared_data: Path) -> None:
    """The form around the records may change: the same records come out of today's."""
    found = from_script((shared_data / "google" / "SYNTHETIC_udm2_2026.html").read_text())

    assert [picture.site for picture in found][:4] == ["Vox", "The Daily Beast", "BBC", "Deadline"]
    assert len(found) == 8


def test_links_of_2015_name_the_originals(shared_data: Path) -> None:
    """An /imgres link carries URL, page and size."""
    page = (shared_data / "google" / "gis_2015_imgres_3_tiles.html").read_text()
    links = [html.unescape(link) for link in re.findall(r'href="(/imgres\?[^"]*)"', page)]

    found = from_links(links)

    assert len(found) == 3
    assert found[0] == FoundPicture(
        url="http://animalia-life.com/data_images/cat/cat2.jpg",
        width_px=2560,
        height_px=1600,
        page_url="http://animalia-life.com/cat.html",
    )


@pytest.mark.parametrize(
    "name",
    [
        "basic_xhtml_tbm_isch_20_thumbs.html",
        "consent_dialog_de.html",
        "enablejs_shell_trimmed.html",
        "sorry_captcha_en.html",
        "sorry_captcha_es_lowercased.html",
    ],
)
def test_pages_without_results_give_nothing(shared_data: Path, name: str) -> None:
    """No block page looks like it had a picture, not even to the last resort."""
    text = (shared_data / "google" / name).read_text(errors="replace")

    assert from_script(text) == ()
    assert from_pairs(text) == []


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_texts_survive_every_level_of_quoting(levels: int) -> None:
    """
    Titles and URLs come out as they went in.

    They have quotes, backslashes, accents, scripts of the world and emoji.
    """
    title = 'Zoë "The Cat" \\ 猫 кот 😀 <b>&amp;</b> = \n two'
    text = records_script(
        [picture(1, title=title, url="https://pictures.example/é 猫.jpg?a=1&b=2")]
    )
    for _ in range(levels):
        text = json.dumps([text])

    (found,) = from_script(text)

    assert found.title == 'Zoë "The Cat" \\ 猫 кот 😀 <b>&amp;</b> = two'
    assert found.url == "https://pictures.example/é 猫.jpg?a=1&b=2"
    assert (found.width_px, found.height_px) == (801, 601)


def test_javascript_escapes_are_understood() -> None:
    r"""Escapes like \x3d and \' are JavaScript's, not JSON's, and do not cost the title."""
    text = (
        records_script([picture(1, title="TITLE")])
        .replace("TITLE", r"it\'s \x3c1\x3e \\x41")
        .replace("\\u003d", r"\x3d")
    )

    assert from_script(text)[0].title == r"it's <1> \x41"


def test_a_record_that_breaks_off_keeps_its_picture() -> None:
    """Where the facts about a picture are cut, its address and size are known all the same."""
    text = records_script([picture(1)])

    (found,) = from_script(text[: text.index('"2003"')])

    assert found == FoundPicture(url="https://pictures.example/1.jpg", width_px=801, height_px=601)


def test_pairs_are_the_last_resort() -> None:
    """
    Without one whole record, pairs of URL and size still give pictures.

    Thumbnails and icons are none.
    """
    pairs = (
        ["https://a.example/1.jpg", 600, 800],
        ["https://encrypted-tbn0.gstatic.com/images?q=1", 100, 150],
        ["https://a.example/icon.png", 16, 16],
    )

    found = from_pairs(f"var x={json.dumps(pairs)}")

    assert found == [FoundPicture(url="https://a.example/1.jpg", width_px=800, height_px=600)]


def test_strange_facts_do_no_harm() -> None:
    """Facts of the wrong type are left out; a page URL that is none is no page URL."""
    record = picture(1)
    record[9]["2003"][2:4] = ["javascript:alert(1)", 7]
    record[9]["2003"][12] = {"no": "text"}
    record[9]["2008"] = "no list"
    record[3][1:] = [0, 10**6 - 1]

    (found,) = from_script(records_script([record]))

    assert found == FoundPicture(url="https://pictures.example/1.jpg", site="pictures.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://encrypted-tbn0.gstatic.com/images?q=tbn:1",
        "https://t3.gstatic.com/x",
        "https://www.google.com/images/branding/x.png",
        "https://google.co.uk/x.png",
        "https://maps.google.com.au/x",
        "https://blog.google/x.png",
        "https://lh3.googleusercontent.com/proxy/abc",
    ],
)
def test_googles_own_hosts_are_no_originals(url: str) -> None:
    """Thumbnails, logos and copies of Google never become candidates."""
    assert is_googles(url)
    assert originals([FoundPicture(url=url)]) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://blogger.googleusercontent.com/img/a.jpg",
        "https://notgoogle.com/a.jpg",
        "https://google.com.example.org/a.jpg",
        "https://storage.googleapis.com/somebody/a.jpg",
        "https://example.org/google.com/a.jpg",
    ],
)
def test_other_peoples_pictures_are_originals(url: str) -> None:
    """Hosts that only look like Google's, and Google's hosting of other people's pictures, stay."""
    assert not is_googles(url)


@pytest.mark.parametrize(
    "url",
    [
        "data:image/gif;base64,R0lGOD",
        "x-raw-image:///abc",
        "ftp://a.example/1.jpg",
        "https://",
        "http://[::1",
        "http://a/\ud800",
    ],
)
def test_what_is_no_web_address_is_no_original(url: str) -> None:
    """Placeholders and broken addresses never become candidates, and break nothing."""
    assert originals([FoundPicture.model_construct(url=url)]) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        '"aaaaaa",["https:' * 60_000,
        '"aaaaaa"' + " " * 1_000_000,
        "\\" * 1_000_001,
        '\\\\"' * 300_000,
        '["http:a' * 100_000,
        '"aaaaaa",["http:x",1,1],["http:y",1,1],' + "[" * 200_000,
        '"aaaaaa",["t",1,1],["http:x",1,1],"b",{' * 20_000,
    ],
    ids=["starts", "spaces", "backslashes", "quotes", "pairs", "depth", "records"],
)
def test_hostile_texts_cost_little(text: str) -> None:
    """A megabyte that is made to be slow to read is read in seconds."""
    begin = time.process_time()

    from_script(text)
    from_pairs(text)

    assert time.process_time() - begin < 8


def test_half_a_character_does_no_harm() -> None:
    """A surrogate without its other half does not make the text unwritable."""
    assert unquoted(r"\ud83d\ude00 \ud83d").startswith("😀")
    unquoted(r"\ud83d").encode()


@pytest.mark.parametrize("docid", ["d1", "tbn:ANd9GcQ+/=", "tbn:x\\u003d\\u003d", "A" * 90, "Ü 1"])
def test_an_id_may_look_like_anything(docid: str) -> None:
    """Where the id has another form, the facts of the record are not lost with it."""
    text = records_script([picture(1)]).replace("docid-000001", docid)

    assert [(found.title, found.width_px) for found in from_script(text)] == [("Title 1", 801)]


def test_records_of_several_levels_of_quoting_are_all_read() -> None:
    """
    A page may carry some records plainly and others inside a string.

    None is read twice, as something else.
    """
    plain, quoted = (
        picture(1, url="https://a.example/1.jpg?q=\\u003d"),
        json.dumps(json.dumps([picture(2), picture(3)])),
    )

    found = from_script(f"{records_script([plain])};JSON.parse({quoted})")

    assert [one.url for one in found] == [
        "https://a.example/1.jpg?q=\\u003d",
        *(f"https://pictures.example/{n}.jpg" for n in (2, 3)),
    ]
    assert [one.title for one in found] == ["Title 1", "Title 2", "Title 3"]
