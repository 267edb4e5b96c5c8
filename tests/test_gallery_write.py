"""What the gallery writes: whole or not at all, nothing of rejected files or forgotten people."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image as Pillow

from celebcollect.domain.errors import Busy, Interrupted, StorageError, UsageError
from celebcollect.domain.records import Status
from celebcollect.gallery.folder import MARK
from celebcollect.gallery.rows import DANGEROUS
from celebcollect.gallery.write import rewrite_gallery
from celebcollect.stages import folder_notes
from gallery_world import HOSTILE, MAX_BYTES, SCRIPT, World, fill, world
from picture_web import picture


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def thumbnails(made: World) -> set[str]:
    return {file.stem for file in made.page.glob("thumbs/*/*")}


def test_everything_in_the_catalogue_is_on_the_page(made: World) -> None:
    """Rows, people and numbers agree with the catalogue."""
    fill(made)

    summary = made.write()

    counts = made.catalogue.counts().images
    assert summary.images == {status.value: n for status, n in counts.items()}
    assert (summary.people, summary.thumbnails_made, summary.pictures_without_thumbnail) == (
        3,
        15,
        0,
    )
    assert [row["qid"] for row in made.rows()] == [image.qid for image in made.catalogue.images()]
    names = {qid: name for qid, name, *_ in made.overview()["people"]}
    assert names["Q3"] == "ليلى المثال"


def test_a_rejected_copy_names_what_was_kept(made: World) -> None:
    """The other picture comes with the row, of another person with the name."""
    fill(made)
    made.write()

    by_reason = {row["kind"][1]: row for row in made.rows()}
    near, doubt = by_reason["near_duplicate"], by_reason["same_picture_other_person"]

    assert near["detail"] == "3 of 64 bits differ"
    assert near["other"]["status"] == "accepted"
    assert near["other"]["file"].startswith("images/Q1/")
    assert near["other"]["thumb"] in thumbnails(made)
    assert (doubt["other"]["name"], doubt["other"]["qid"]) == ("Ada Brightwater", "Q1")


def test_a_second_run_makes_new_thumbnails_only(made: World) -> None:
    """What is there is neither decoded nor written again."""
    fill(made)
    made.write()
    times = {file: file.stat().st_mtime_ns for file in made.page.glob("thumbs/*/*")}
    made.add(1, 50)

    summary = made.write()

    assert (summary.thumbnails_made, summary.thumbnails_kept) == (1, len(times))
    assert {file: file.stat().st_mtime_ns for file in times} == times


def test_who_was_forgotten_is_gone_from_the_page(made: World) -> None:
    """Rows and thumbnails of a forgotten person go, even while only `forbid` was said."""
    fill(made)
    made.write()
    hers = {image.sha256 for image in made.catalogue.images(qid="Q1") if image.sha256}
    assert hers <= thumbnails(made)
    made.catalogue.forbid(["Q1"])

    summary = made.write()

    assert summary.thumbnails_removed == len(hers)
    assert not hers & thumbnails(made)
    assert "Ada" not in "".join(file.read_text() for file in made.page.rglob("*.js"))


def test_a_thumbnail_is_small_and_holds_pixels_only(made: World) -> None:
    """No comments, profiles, EXIF or trailing data of the original get into it; it is upright."""
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "where I live"
    data = (
        picture(5, (400, 200), exif=exif.tobytes(), comment=b"a secret", icc_profile=b"profile" * 9)
        + SCRIPT
    )
    made.add(
        1, 0, Status.REJECTED, data=data, reason="embedded_script", width_px=400, height_px=200
    )
    made.write()

    [file] = made.page.glob("thumbs/*/*")
    thumbnail = file.read_bytes()
    with Pillow.open(io.BytesIO(thumbnail)) as image:
        assert (image.format, image.size) == ("JPEG", (80, 160))
        assert not {"exif", "comment", "icc_profile"} & image.info.keys()
    for secret in (b"live", b"secret", b"profile", b"php"):
        assert secret not in thumbnail


def test_nothing_of_a_rejected_file_but_pixels_reaches_the_page(made: World) -> None:
    """No copy of it, and no link to it."""
    fill(made)
    made.write()

    written = {
        hashlib.sha256(file.read_bytes()).hexdigest()
        for file in made.page.rglob("*")
        if file.is_file()
    }
    assert not written & {image.sha256 for image in made.catalogue.images()}
    assert all(row["kind"][0] == "accepted" for row in made.rows() if "file" in row)
    assert not any("quarantine" in file.read_text() for file in made.page.rglob("*.js"))


def test_a_copy_of_an_accepted_file_is_not_linked_itself(made: World) -> None:
    """The same bytes under another URL share the file; the page leads there from both rows."""
    kept = made.add(1, 0)
    copy = made.add(
        1, 1, Status.REJECTED, data=picture(1000), reason="exact_duplicate", duplicate_of=kept.id
    )
    made.pictures.place(str(copy.path), quarantined=False)
    made.catalogue.record_verdicts([copy.model_copy(update={"path": kept.path})])
    made.write()

    accepted, rejected = made.rows()

    assert accepted["file"] == rejected["other"]["file"] == kept.path
    assert rejected["thumb"] == kept.sha256
    assert "file" not in rejected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg onload=alert(1)>",
        picture(1)[:900],
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        picture(2) + bytes(MAX_BYTES),
    ],
    ids=["empty", "svg", "truncated", "broken", "too-large"],
)
def test_what_cannot_be_decoded_within_the_limits_gets_no_thumbnail(
    made: World, data: bytes
) -> None:
    """It is on the page all the same."""
    made.add(1, 0, Status.REJECTED, data=data, reason="corrupt_file")

    summary = made.write()

    assert summary.pictures_without_thumbnail == 1
    assert not thumbnails(made)
    assert "thumb" not in made.rows()[0]


def test_a_bomb_is_not_decoded(made: World) -> None:
    """A file that grew far beyond what the catalogue knows of it is left alone."""
    made.add(
        1,
        0,
        Status.REJECTED,
        data=picture(1, (3000, 3000)),
        reason="bomb",
        width_px=30,
        height_px=30,
    )

    assert made.write().pictures_without_thumbnail == 1


def test_a_file_that_is_gone_or_a_link_gets_no_thumbnail(made: World, tmp_path: Path) -> None:
    """A symbolic link may lead anywhere."""
    gone, linked = made.add(1, 0), made.add(1, 1)
    (made.data_dir / str(gone.path)).unlink()
    (tmp_path / "elsewhere.jpg").write_bytes(picture(9))
    (made.data_dir / str(linked.path)).unlink()
    (made.data_dir / str(linked.path)).symlink_to(tmp_path / "elsewhere.jpg")

    assert made.write().pictures_without_thumbnail == 2
    assert "file" not in made.rows()[0]


def test_data_files_are_plain_ascii_without_markup(made: World) -> None:
    """Whatever a name or an author holds, it cannot end a string or a script."""
    fill(made)
    made.write()

    texts = [
        file.read_bytes()
        for file in made.page.glob("data-*/*.js")
        if file.name.startswith(("rows-", "overview"))
    ]
    assert texts
    assert all(text.isascii() and b"<" not in text and text.count(b"\n") == 1 for text in texts)
    assert HOSTILE.replace("\u202e", "").replace("\u2028", "") in [
        row.get("author") for row in made.rows()
    ]


def test_only_addresses_of_the_web_become_links(made: World) -> None:
    """No javascript:, no data:, and nothing that was dangerous or may lie in a private network."""
    fill(made)
    made.write()

    rows = made.rows()
    assert {row["page"] for row in rows if "page" in row} == {
        "https://site.example/<script>?a=1&b='"
    }
    assert not any("licence_url" in row for row in rows)
    not_linked = {row["kind"][1] for row in rows if "linked" not in row}
    assert not_linked == {"embedded_script", "private_address"}
    assert "embedded_archive" in DANGEROUS


@pytest.mark.parametrize("foreign", ["folder", "file"])
def test_a_folder_that_is_not_ours_is_left_alone(made: World, foreign: str) -> None:
    """Not a byte is written into it."""
    if foreign == "folder":
        made.page.mkdir()
        (made.page / "thesis.tex").write_text("years of work")
    else:
        made.page.write_text("years of work")

    with pytest.raises(UsageError, match=str(made.page)) as refused:
        made.write()

    assert refused.value.hint
    assert made.page.is_file() or [file.name for file in made.page.iterdir()] == ["thesis.tex"]


def test_a_page_that_was_cut_short_leaves_the_former_one_whole(made: World) -> None:
    """Told to stop, or out of disk: index and data are those of before."""
    fill(made)
    made.write()
    before = {
        file: file.read_bytes()
        for file in made.page.rglob("*")
        if file.suffix in (".html", ".js", ".css")
    }
    stop = threading.Event()
    stop.set()

    with pytest.raises(Interrupted):
        made.write(stop)
    made.add(1, 60)
    (made.page / "thumbs").rename(made.page / "away")
    (made.page / "thumbs").write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        made.write()

    assert {
        file: file.read_bytes()
        for file in made.page.rglob("*")
        if file.suffix in (".html", ".js", ".css")
    } == before
    assert len(list(made.page.glob("data-*"))) == 1


def test_data_that_a_dead_writer_left_behind_is_removed(made: World) -> None:
    """One folder of data is left, the one that the index names."""
    fill(made)
    made.write()
    (made.page / "data-0123456789abcdef").mkdir()
    (made.page / "thumbs" / "00").mkdir(exist_ok=True)
    (made.page / "thumbs" / "00" / "0123456789abcdef.part").write_bytes(b"half")

    made.write()

    [data] = made.page.glob("data-*")
    assert f'src="{data.name}/overview.js"' in (made.page / "index.html").read_text()
    assert not list(made.page.rglob("*.part"))


def test_two_writers_do_not_write_at_once(made: World) -> None:
    """The second one is told."""
    fill(made)
    made.write()

    with FileLock(made.page / f"{MARK}.lock"), pytest.raises(Busy):
        made.write()


def test_an_empty_catalogue_makes_an_empty_page(made: World) -> None:
    """Also over a former page: what it showed is gone from the catalogue."""
    fill(made)
    made.write()
    for qid in ("Q1", "Q2", "Q3"):
        made.catalogue.forget(qid)

    summary = made.write()

    assert (summary.people, thumbnails(made), made.rows()) == (0, set(), [])


def test_a_page_is_remembered_and_written_again_where_it_is(made: World) -> None:
    """Also one that was never finished; a folder that holds no page any more is left alone."""
    fill(made)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        made.write(stop)

    assert folder_notes.galleries(made.catalogue) == [str(made.page)]

    rewrite_gallery(
        made.page, made.catalogue, made.pictures, data_dir=made.data_dir, max_bytes=MAX_BYTES
    )
    assert made.overview()["people"]
    with pytest.raises(FileNotFoundError):
        rewrite_gallery(
            made.data_dir,
            made.catalogue,
            made.pictures,
            data_dir=made.data_dir,
            max_bytes=MAX_BYTES,
        )


def test_a_folder_whose_name_is_no_text_is_refused(made: World) -> None:
    """Neither the page's links nor the catalogue's note of it could name it."""
    made.page = made.page.with_name("page\udcff")

    with pytest.raises(UsageError, match="no usable name"):
        made.write()
