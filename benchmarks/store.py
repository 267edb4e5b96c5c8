"""Measure `celebcollect store` beside img2dataset on pictures that nginx serves here.

    python benchmarks/store.py [--urls 500 2000] [--rounds 5] [--folder DIR] [--only ours] ...

Ours is the whole command on the embedded back ends: read the log, download, prove, hash, write the
file, write the row, commit. img2dataset (resize_mode no, skip_reencode, files) downloads, decodes,
hashes with SHA-256 and writes; it makes no perceptual hash. It gets a virtual environment of its
own. CPU is user + system time of the process and its children; "steady" is the CPU of a run less
that of a run of 20 URLs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from store_corpus import build
from store_known import fill
from store_web import slow_door, web

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.records import ImageCandidate

IMG2DATASET = "img2dataset==1.47.0"


@dataclass(frozen=True)
class Result:
    """What one run cost."""

    pictures: int
    cpu_s: float
    wall_s: float
    peak_mb: float


def measured(
    command: list[str], environment: dict[str, str], log: Path
) -> tuple[float, float, float]:
    """Run a command; return CPU and wall seconds and peak MB, children included."""
    begun = time.perf_counter()
    # Without this, Python would compile our modules anew in each run; pip compiles what it
    # installs, ours on a user's machine as well as theirs here.
    inherited = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**inherited, **environment}, stdout=output, stderr=output
        )
        peak = [0.0]
        watching = threading.Thread(target=_watch, args=(process.pid, peak))
        watching.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - begun
    watching.join()
    if process.returncode:
        sys.exit(f"{command[0]} failed, see {log}:\n{log.read_text(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall_s, peak[0]


def _watch(pid: int, peak: list[float]) -> None:
    """Follow the memory of a process and its children until it ends; return the peak."""
    while True:
        # Not ru_maxrss: that one starts from the size of whoever started the process.
        own = _mb(pid, "status", "VmHWM:")
        if not own:
            return
        peak[0] = max(
            peak[0], own, sum(_mb(one, "smaps_rollup", "Pss:") for one in (pid, *_children(pid)))
        )
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found + [grandchild for child in found for grandchild in _children(child)]


def _mb(pid: int, file: str, name: str) -> float:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(name)), 0.0
    )


def ours(urls: list[str], folder: Path, options: argparse.Namespace) -> Result:
    """Run `celebcollect store` on a log that holds these URLs."""
    data = folder / "data"
    data.mkdir()
    if options.known:
        fill(data / "catalogue.sqlite3", options.folder, options.known)
    bus = EmbeddedBus(data / "log")
    bus.publish(
        "urlsVerifie",
        [(f"Q{n // 20 + 1}", _message(f"Q{n // 20 + 1}", url)) for n, url in enumerate(urls)],
    )
    bus.close()
    settings = {
        "CELEBCOLLECT_DATA_DIR": str(data),
        "CELEBCOLLECT_STORE__ALLOW_PRIVATE_ADDRESSES": "true",
        "CELEBCOLLECT_STORE__WORKERS": str(options.workers),
        "CELEBCOLLECT_STORE__PER_HOST": str(options.per_host),
    }
    command = [str(Path(sys.executable).with_name("celebcollect")), "store"]
    cpu_s, wall_s, peak_mb = measured(command, settings, folder / "log.txt")
    return Result(
        sum(1 for file in (data / "images").rglob("*") if file.is_file()), cpu_s, wall_s, peak_mb
    )


def _message(qid: str, url: str) -> bytes:
    return ImageCandidate.model_validate(
        {"schema": 1, "qid": qid, "name": f"Name of {qid}", "url": url, "source": "bench"}
    ).to_json()


def theirs(urls: list[str], folder: Path, options: argparse.Namespace) -> Result:
    """Run img2dataset on a list of these URLs."""
    listing = folder / "urls.txt"
    listing.write_text("\n".join(urls))
    command = [
        *(
            str(options.folder / "img2dataset-env" / "bin" / "img2dataset"),
            f"--url_list={listing}",
            f"--output_folder={folder / 'out'}",
        ),
        *(
            "--input_format=txt",
            "--output_format=files",
            "--resize_mode=no",
            "--skip_reencode=True",
            "--compute_hash=sha256",
        ),
        *(
            "--processes_count=2",
            "--thread_count=64",
            "--number_sample_per_shard=1000",
            "--enable_wandb=False",
            "--disallowed_header_directives=[]",
        ),
    ]
    cpu_s, wall_s, peak_mb = measured(
        command, {"NO_ALBUMENTATIONS_UPDATE": "1"}, folder / "log.txt"
    )
    files = [
        file for file in (folder / "out").rglob("*") if file.suffix in (".jpg", ".png", ".webp")
    ]
    return Result(len(files), cpu_s, wall_s, peak_mb)


Engine = Callable[[list[str], Path, argparse.Namespace], Result]


def rounds(
    engines: dict[str, Engine], urls: list[str], options: argparse.Namespace
) -> dict[tuple[str, int], list[Result]]:
    """Run all engines in turn at every size, a cold run first, and print each result."""
    results: dict[tuple[str, int], list[Result]] = {}
    for number in range(options.rounds):
        for size in (options.cold, *options.urls):
            turn = list(engines.items())
            for name, engine in turn if number % 2 else reversed(turn):
                with scratch(options.folder) as folder:
                    result = engine(urls[:size], folder, options)
                results.setdefault((name, size), []).append(result)
                print(
                    f"round {number + 1} {name:12} {size:5} URLs: {json.dumps(result.__dict__)}",
                    flush=True,
                )
    return results


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    path = Path(tempfile.mkdtemp(dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def report(results: dict[tuple[str, int], list[Result]], options: argparse.Namespace) -> None:
    """Print the table: medians over the rounds, and the ratios of each round's pair."""
    print(
        f"\n{'engine':12} {'URLs':>5} {'pictures':>8} {'CPU ms each':>12}"
        f" {'steady':>8} {'images/s':>9} {'peak MB':>8}"
    )
    for (name, size), runs in results.items():
        cold = results[name, options.cold]
        marginal = (
            [steady(run, first) for run, first in zip(runs, cold, strict=True)]
            if size != options.cold
            else []
        )
        each = statistics.median(run.cpu_s * 1000 / max(run.pictures, 1) for run in runs)
        rate = statistics.median(run.pictures / run.wall_s for run in runs)
        peak = statistics.median(run.peak_mb for run in runs)
        shown = f"{statistics.median(marginal):8.2f}" if marginal else " " * 8
        print(
            f"{name:12} {size:5} {runs[0].pictures:8} {each:12.2f} {shown} {rate:9.1f} {peak:8.0f}"
        )
    if any(name == "img2dataset" for name, _ in results):
        for size in options.urls:
            pairs = list(
                zip(results["img2dataset", size], results["celebcollect", size], strict=True)
            )
            colds = list(
                zip(
                    results["img2dataset", options.cold],
                    results["celebcollect", options.cold],
                    strict=True,
                )
            )
            whole = [a.cpu_s / b.cpu_s for a, b in pairs]
            marginal = [
                steady(a, ca) / steady(b, cb) for (a, b), (ca, cb) in zip(pairs, colds, strict=True)
            ]
            print(
                f"{size} URLs: {spread(whole)} times fewer CPU seconds in a cold run,"
                f" {spread(marginal)} times more images per CPU second when steady"
            )


def steady(run: Result, cold: Result) -> float:
    """Return the CPU ms per picture without starting up."""
    return (run.cpu_s - cold.cpu_s) * 1000 / max(run.pictures - cold.pictures, 1)


def spread(values: list[float]) -> str:
    """Return median and range."""
    return f"{statistics.median(values):.2f} [{min(values):.2f}-{max(values):.2f}]"


def prepare(folder: Path) -> None:
    """Make img2dataset's own virtual environment."""
    environment = folder / "img2dataset-env"
    if not (environment / "bin" / "img2dataset").is_file():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin" / "pip", "install", "--quiet", IMG2DATASET], check=True)


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--urls", type=int, nargs="+", default=[500, 2000], help="sizes of the runs"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "celebcollect-bench",
        help="for corpus and runs",
    )
    parser.add_argument(
        "--latency-ms",
        type=float,
        default=0,
        help="before every answer of the server and every connection",
    )
    parser.add_argument(
        "--hosts", type=int, default=1, help="names that the pictures are spread over"
    )
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--per-host", type=int, default=8)
    parser.add_argument(
        "--known", type=int, default=0, help="pictures of others that the catalogue knows already"
    )
    parser.add_argument(
        "--cold", type=int, default=20, help="URLs of the run that measures starting up"
    )
    parser.add_argument("--only", choices=["ours", "theirs"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    engines: dict[str, Engine] = {"celebcollect": ours, "img2dataset": theirs}
    if options.only:
        del engines["img2dataset" if options.only == "ours" else "celebcollect"]
    if "img2dataset" in engines:
        prepare(options.folder)
    names = build(options.folder / "corpus", max(2000, *options.urls))
    with (
        web(options.folder, options.folder / "corpus") as port,
        slow_door(port, options.latency_ms) as port,
    ):
        urls = [
            f"http://127.0.0.{n % options.hosts + 1}:{port}/{name}" for n, name in enumerate(names)
        ]
        report(rounds(engines, urls, options), options)


if __name__ == "__main__":
    main()
