"""The same bytes lie under the same names, however `store` ran.

Once, killed ten times, or as three workers at once.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from celebcollect.domain.records import ImageCandidate
from picture_web import PictureWeb, Request, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate

pytestmark = pytest.mark.slow

PEOPLE = 5
PICTURES = 480

Outcome = tuple[dict[str, bytes], dict[str, tuple[object, ...]]]


@pytest.fixture(scope="module")
def web() -> Iterator[PictureWeb]:
    """
    Good pictures, copies, broken and missing ones.

    Each answer takes a moment, so that a kill finds work under way.
    """
    with serve() as running:
        for n in range(PICTURES):
            running.routes[f"/{n}"] = late(_body(n))
        yield running


def _body(n: int) -> bytes:
    if n % 10 == 7:
        return answer(status=404)
    if n % 10 == 8:
        return answer(picture(n)[:-500])
    if n % 20 == 9:
        return answer(b"x" * 300_000)
    return answer(picture(n // 2 if n % 10 < 2 else n, (120, 90)))


def late(body: bytes) -> Callable[[Request], bytes]:
    def respond(_: Request) -> bytes:
        time.sleep(0.02)
        return body

    return respond


def candidates(web: PictureWeb) -> list[ImageCandidate]:
    return [candidate(web.url(f"/{n}"), f"Q{n % PEOPLE + 1}", rank=n) for n in range(PICTURES)]


def start(data_dir: Path, log_dir: Path) -> subprocess.Popen[bytes]:
    """Start a worker and wait until its work begins."""
    program = Path(__file__).with_name("store_process.py")
    process = subprocess.Popen(
        [sys.executable, program, data_dir, log_dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a worker to end well."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()


def outcome(data_dir: Path) -> Outcome:
    """Return every file with its bytes, and all rows, times aside."""
    bench = Bench(data_dir)
    files = {path: (data_dir / path).read_bytes() for path in bench.files()}
    rows: dict[str, tuple[object, ...]] = {
        row.id: (
            row.qid,
            row.status,
            row.reason,
            row.sha256,
            row.path,
            row.phash,
            row.width_px,
            row.rank,
        )
        for row in bench.catalogue.images()
    }
    bench.close()
    return files, rows


@pytest.fixture(scope="module")
def expected(web: PictureWeb, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What one undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("once")
    bench = Bench(folder)
    bench.publish(VERIFIED, *candidates(web))
    bench.close()
    end(start(folder, folder / "log"))
    files, rows = outcome(folder)
    assert len(rows) == PICTURES
    assert 200 < len(files) < PICTURES
    return files, rows


def let_work(
    process: subprocess.Popen[bytes], moment: str, data_dir: Path, rng: random.Random
) -> None:
    """
    Return at a random time among the downloads.

    Or as soon as files have got their names, or rows are written.
    """
    if moment == "time":
        time.sleep(rng.uniform(0.0, 0.25))
        return
    count = files_named if moment == "files" else rows_written
    before, deadline = count(data_dir), time.monotonic() + 60
    while count(data_dir) == before:
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def files_named(data_dir: Path) -> int:
    return sum(1 for _ in (data_dir / "images").glob("*/*"))


def rows_written(data_dir: Path) -> int:
    bench = Bench(data_dir)
    count = sum(1 for _ in bench.catalogue.images())
    bench.close()
    return count


def test_ten_kills_change_nothing(web: PictureWeb, expected: Outcome, tmp_path: Path) -> None:
    """
    Kill -9 among downloads, files and rows, then a run to the end.

    Nothing is lost, nothing is there twice, and no file is stray or half-written.
    """
    bench = Bench(tmp_path)
    bench.publish(VERIFIED, *candidates(web))
    bench.close()
    rng, half_written = random.Random(5), 0
    for moment in (
        "time",
        "files",
        "time",
        "rows",
        "time",
        "files",
        "time",
        "rows",
        "time",
        "time",
    ):
        process = start(tmp_path, tmp_path / "log")
        let_work(process, moment, tmp_path, rng)
        process.kill()
        process.communicate()
        half_written += any((tmp_path / "tmp").glob("*"))
    assert 0 < rows_written(tmp_path) < PICTURES, "the kills came while the work was under way"
    assert half_written

    end(start(tmp_path, tmp_path / "log"))

    assert outcome(tmp_path) == expected


def test_three_workers_do_what_one_does(web: PictureWeb, expected: Outcome, tmp_path: Path) -> None:
    """
    Workers that share catalogue and folder leave the same data set.

    Their shares of the messages overlap.
    """
    shares = [
        [one for n, one in enumerate(candidates(web)) if n % 3 == worker or n % 5 == 0]
        for worker in range(3)
    ]
    for worker, share in enumerate(shares):
        bench = Bench(tmp_path)
        bench.bus.close()
        bus = type(bench.bus)(tmp_path / f"log{worker}")
        bus.publish(VERIFIED, [(one.qid, one.to_json()) for one in share])
        bus.close()
        bench.catalogue.close()
    workers = [start(tmp_path, tmp_path / f"log{worker}") for worker in range(3)]

    for process in workers:
        end(process)

    assert outcome(tmp_path) == expected
