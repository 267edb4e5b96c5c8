"""Which folders are exported to, and what interruptions and faults of the disk do."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from celebcollect.domain.errors import Busy, Interrupted, StorageError, UsageError
from celebcollect.domain.records import Status
from celebcollect.stages.export import known_exports, read_index
from stages.exporting import Shelf, contents, varied

LAYOUTS = ("imagefolder", "webdataset")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data")


def test_a_folder_that_is_not_ours_is_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    """Not empty and no former export: an error names what is in the way; nothing is written."""
    shelf.add(1, 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")

    with pytest.raises(UsageError, match=r"thesis\.tex"):
        shelf.export(tmp_path / "mine")

    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(shelf: Shelf, tmp_path: Path) -> None:
    """Told before anything else happens."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(UsageError, match="no folder"):
        shelf.export(tmp_path / "file")


def test_another_layout_needs_another_folder(shelf: Shelf, tmp_path: Path) -> None:
    """A finished export is not turned inside out."""
    shelf.add(1, 1)
    shelf.export(tmp_path / "out")

    with pytest.raises(UsageError, match="another kind") as caught:
        shelf.export(tmp_path / "out", "webdataset")

    assert "--format imagefolder" in caught.value.hint


@pytest.mark.parametrize("place", ["images", "images/Q1/deep", "quarantine/x"])
def test_the_collected_pictures_are_no_place_for_an_export(shelf: Shelf, place: str) -> None:
    """Copies among the originals would be taken for originals."""
    shelf.add(1, 1)
    shelf.save()

    with pytest.raises(UsageError, match="among the collected pictures"):
        shelf.export(shelf.folder / place)


def test_a_damaged_index_is_told(shelf: Shelf, tmp_path: Path) -> None:
    """Nobody guesses what a folder was."""
    shelf.add(1, 1)
    shelf.export(tmp_path / "out")
    (tmp_path / "out" / ".celebcollect-export.json").write_text("{}")

    with pytest.raises(UsageError, match="no index"):
        shelf.export(tmp_path / "out")


def test_two_exports_to_one_folder_do_not_meet(shelf: Shelf, tmp_path: Path) -> None:
    """The second is told to wait."""
    shelf.add(1, 1)
    shelf.export(tmp_path / "out")

    with (
        FileLock(tmp_path / "out" / ".celebcollect-export.lock"),
        pytest.raises(Busy, match="another export"),
    ):
        shelf.export(tmp_path / "out")


def test_the_catalogue_knows_the_exports(shelf: Shelf, tmp_path: Path) -> None:
    """So that `forget` finds them; each folder is told once."""
    shelf.add(1, 1)
    for where, layout in (
        (tmp_path / "a", "imagefolder"),
        (tmp_path / "b", "webdataset"),
        (tmp_path / "x" / ".." / "a", "imagefolder"),
    ):
        shelf.export(where, layout)

    assert known_exports(shelf.catalogue) == {
        (tmp_path / "a").resolve(): "imagefolder",
        (tmp_path / "b").resolve(): "webdataset",
    }


def test_only_what_was_asked_for(shelf: Shelf, tmp_path: Path) -> None:
    """A set of keys bounds the export from above; what is not accepted does not come in by it."""
    first, second, third = shelf.add(1, 1), shelf.add(1, 2), shelf.add(2, 3, status=Status.REJECTED)

    summary, _ = shelf.export(
        tmp_path / "out", only={f"Q1/{first.sha256}", f"Q2/{third.sha256}", "Q9/ff"}
    )

    index = read_index(tmp_path / "out")
    assert index
    assert index.keys() == {f"Q1/{first.sha256}"}
    assert summary.images == 1
    assert second.sha256 is not None
    assert second.sha256 not in str(contents(tmp_path / "out").keys())


def test_the_forgotten_are_not_exported(shelf: Shelf, tmp_path: Path) -> None:
    """Also in the moment between the request and its end."""
    shelf.add(1, 1)
    shelf.add(2, 2)
    shelf.save()
    shelf.catalogue.forbid(["Q1"])

    summary, tally = shelf.export(tmp_path / "out")

    assert (summary.images, tally.reasons) == (1, {"forgotten": 1})
    assert not list((tmp_path / "out").glob("*/Q1"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_stop_ends_between_two_pictures_and_the_next_export_goes_on(
    shelf: Shelf, tmp_path: Path, layout: str
) -> None:
    """Ctrl-C: what is there is whole, the rest follows."""
    varied(shelf, people=2)
    shelf.export(tmp_path / "want", layout, max_shard_bytes=30_000)
    shelf.stop.set()
    with pytest.raises(Interrupted):
        shelf.export(tmp_path / "out", layout, max_shard_bytes=30_000)
    shelf.stop.clear()

    shelf.export(tmp_path / "out", layout, max_shard_bytes=30_000)

    assert contents(tmp_path / "out") == contents(tmp_path / "want")


PROGRAM = """
import sys, threading
from pathlib import Path
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.images.folder import ImageFolder
from celebcollect.domain.tally import Tally
from celebcollect.stages.export import About, ExportSettings, export_images
data, out, layout = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
checks = [("size", "1 min_side_px=100"), ("duplicate", "1 near_bits=6")]
about = About(version="1.2.3", checks=checks, rejected={"too_small": 7, "near_duplicate": 3})
print("begin", flush=True)
settings = ExportSettings(layout, max_shard_bytes=20_000)
export_images(EmbeddedCatalogue(data / "catalogue.sqlite3"), ImageFolder(data), out, settings,
              about=about, tally=Tally(), stop=threading.Event())
print("end", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_killed_at_any_moment_it_goes_on_and_no_file_is_ever_half(
    shelf: Shelf, tmp_path: Path, layout: str
) -> None:
    """After a kill -9 at any moment every name stands for whole bytes, and the end is the same."""
    added = varied(shelf)
    shelf.export(tmp_path / "want", layout, max_shard_bytes=20_000)
    want = contents(tmp_path / "want")
    gone = added[:10]
    for image in gone:
        shelf.judge(image, Status.REJECTED)
    shelf.export(tmp_path / "before", layout, max_shard_bytes=20_000)
    before = contents(tmp_path / "before")
    for image in gone:
        shelf.judge(image, Status.ACCEPTED)
    dice = random.Random(layout)
    whole_s = _whole_s(shelf, tmp_path / "whole", layout)
    killed = 0
    for attempt in range(4):
        out = tmp_path / f"out-{attempt}"
        if attempt % 2:  # a second export, of which something is there already
            subprocess.run(["cp", "-a", str(tmp_path / "before"), str(out)], check=True)
        for _ in range(2):
            killed += _killed(shelf, out, layout, dice.uniform(0, 0.7) * whole_s)
            for name, data in contents(out).items():
                if ".parts/" not in name:
                    assert data in (want.get(name), before.get(name)), name

        shelf.export(out, layout, max_shard_bytes=20_000)

        assert contents(out) == want
        assert not (out / ".celebcollect-export.parts").exists()
    assert killed >= 3, "some of them must really have been killed in the middle"


def _whole_s(shelf: Shelf, out: Path, layout: str) -> float:
    """Return how long an export takes in a process of its own, from its first step on."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(shelf.folder), str(out), layout],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        started = time.monotonic()
        assert process.stdout.readline() == "end\n"
        return time.monotonic() - started


def _killed(shelf: Shelf, out: Path, layout: str, after_s: float) -> bool:
    """Export in a process, kill it some seconds after its first step; return whether it ran."""
    command = [sys.executable, "-c", PROGRAM, str(shelf.folder), str(out), layout]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begin\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    out_text, _ = process.communicate()
    return "end" not in out_text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_disk_that_refuses_is_told(
    shelf: Shelf, tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file; nothing half is left under a name."""
    varied(shelf, people=1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr("celebcollect.stages.export.target.os.fsync", full)

    with pytest.raises(StorageError, match="No space left") as caught:
        shelf.export(tmp_path / "out", layout)

    assert "make room" in caught.value.hint
    assert not [name for name in contents(tmp_path / "out") if ".parts/" not in name]
    monkeypatch.undo()
    shelf.export(tmp_path / "out", layout)
    shelf.export(tmp_path / "want", layout)
    assert contents(tmp_path / "out") == contents(tmp_path / "want")


def test_links_inside_the_folder_are_not_followed_when_files_are_removed(
    shelf: Shelf, tmp_path: Path
) -> None:
    """What lies behind a link is not ours, however it is named."""
    image = shelf.add(1, 1)
    shelf.export(tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*/Q1/*.jpg")
    elsewhere = tmp_path / "elsewhere"
    file.parent.rename(elsewhere)
    file.parent.symlink_to(elsewhere)
    shelf.judge(image, Status.REJECTED)

    shelf.export(tmp_path / "out")

    assert [path.name for path in elsewhere.iterdir()] == [f"{image.sha256}.jpg"]
