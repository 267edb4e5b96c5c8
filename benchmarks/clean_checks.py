"""CPU per picture of the checks without faces, and of copies beside cleanvision's.

cleanvision gets a virtual environment of its own in the system's folder for temporary files,
because it needs pandas, datasets and more.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from clean_pictures import cpu_s, with_facts

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.checks import build_checks, duplicate, shared
from celebcollect.checks.base import Check, CheckSettings, Measuring, Picture
from celebcollect.config.sections import CleanConfig, RunConfig, StoreConfig
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, image_id
from celebcollect.images.folder import ImageFolder
from celebcollect.pictures.decode import decoded, inspect
from celebcollect.pictures.formats import EXTENSIONS
from celebcollect.pictures.hash import perceptual_hash
from celebcollect.stages.clean.pictures import gather

CLEANVISION = "cleanvision==0.3.7"

ROUNDS = 5
"""The middle one counts, ours and theirs."""

PER_PERSON = RunConfig().target_images
"""Pictures of one person, which `clean` looks up at once."""

THEIRS = """
import json, os, sys
from cleanvision import Imagelab

def spent():
    return sum(os.times()[:4])

seconds = []
for _ in range(int(sys.argv[1])):
    lab = Imagelab(filepaths=json.load(open(sys.argv[2])))
    before = spent()
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, n_jobs=1, verbose=False)
    seconds.append(spent() - before)
json.dump(seconds, open(sys.argv[3], "w"))
"""
"""The files are listed, the libraries loaded before the clock starts."""


def bench_checks(pictures: Sequence[Picture]) -> None:
    """Print CPU per picture of each check without faces; look-ups are in `bench_copying`."""
    total = 0.0
    for check in build_checks(CleanConfig(faces="off"), StoreConfig()):
        seconds = cpu_s(lambda check=check: _ask(check, pictures))  # type: ignore[misc]
        total += seconds
        print(f"  {check.name:<10} {seconds / len(pictures) * 1000:8.3f} CPU ms/picture")
    print(f"  {'together':<10} {total / len(pictures) * 1000:8.3f}")


def _ask(check: Check, pictures: Sequence[Picture]) -> None:
    """Let a check measure and decide."""
    if isinstance(check, Measuring):
        facts = dict(check.measure(pictures))
        pictures = [
            with_facts(picture, check.name, facts[picture.image.id]) for picture in pictures
        ]
    list(check.reject(pictures))


def bench_copying(pictures: Sequence[Picture]) -> None:
    """Print what copies cost us, in three ways, and what they cost cleanvision."""
    theirs = _cleanvision([picture.file for picture in pictures]) / len(pictures) * 1000
    cleaning = _cleaning(pictures) / len(pictures) * 1000
    hashing = _hashing(pictures) / len(pictures) * 1000
    data = [picture.file.read_bytes() for picture in pictures]
    decoding = (
        _middle(lambda: [inspect(one, max_pixels=10**9) for one in data]) / len(pictures) * 1000
    )
    print(
        f"  cleanvision, exact and near duplicates:                     {theirs:7.3f} CPU"
        " ms/picture"
    )
    print(
        f"  (a) `clean`, look-ups in the catalogue and verdicts:        {cleaning:7.3f},"
        f" {theirs / cleaning:.1f} times fewer"
    )
    print(
        f"  (b) and the hash from pixels that are decoded:              {cleaning + hashing:7.3f},"
        f" {theirs / (cleaning + hashing):.1f} times fewer"
    )
    print(
        f"  (c) and the whole decode, which `store` does to prove them: {cleaning + decoding:7.3f},"
        f" {theirs / (cleaning + decoding):.1f} times fewer"
    )


def _middle(work: Callable[[], object]) -> float:
    return statistics.median(cpu_s(work) for _ in range(ROUNDS))


def _cleaning(pictures: Sequence[Picture]) -> float:
    """Return the CPU seconds that `clean` spends on copies of pictures in a catalogue."""
    settings = CheckSettings(CleanConfig(faces="off"), StoreConfig())
    checks = [shared.build(settings), duplicate.build(settings)]
    with tempfile.TemporaryDirectory() as name:
        catalogue, folder = (
            EmbeddedCatalogue(Path(name) / "catalogue.sqlite3"),
            ImageFolder(Path(name)),
        )
        people = {}
        for number, some in enumerate(batches(pictures, PER_PERSON), start=1):
            images = [_placed(picture, f"Q{number}", Path(name)) for picture in some]
            catalogue.record_stored(images)
            people[f"Q{number}"] = {image.id: image for image in images}

        def clean() -> None:
            for qid, images in people.items():
                with ExitStack() as held:
                    gathered = gather(catalogue, folder, checks, qid, images, held)
                    if gathered.lost or len(gathered.pictures) != len(images):
                        sys.exit(f"pictures of {qid} were lost")
                    for check in checks:
                        list(check.reject(gathered.pictures))

        seconds = _middle(clean)
        catalogue.close()
    return seconds


def _placed(picture: Picture, qid: str, folder: Path) -> Image:
    """Return the row of the picture as this person's, and put its file where the row says."""
    image = picture.image
    path = f"images/{qid}/{image.sha256}.{EXTENSIONS[image.format or '']}"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(picture.file, folder / path)
    return image.model_copy(update={"id": image_id(qid, image.url), "qid": qid, "path": path})


def _hashing(pictures: Sequence[Picture]) -> float:
    """Return the CPU seconds of the hash alone, from pixels as `inspect` decodes them."""
    pixels = []
    for picture in pictures:
        with decoded(picture.file.read_bytes(), max_pixels=10**9, mode="L", side_px=64) as seen:
            pixels.append(seen.pixels.copy())
    return _middle(lambda: [perceptual_hash(one) for one in pixels])


def _cleanvision(files: Sequence[Path]) -> float:
    """Return the CPU seconds of cleanvision's exact and near duplicates."""
    environment = Path(tempfile.gettempdir()) / "celebcollect-bench" / "cleanvision-env"
    python = environment / "bin" / "python"
    if (
        subprocess.run(
            [python, "-c", "import cleanvision"], capture_output=True, check=False
        ).returncode
        if python.is_file()
        else True
    ):
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", CLEANVISION], check=True)
    with tempfile.TemporaryDirectory() as name:
        listing, result = Path(name) / "files.json", Path(name) / "seconds.json"
        listing.write_text(json.dumps([str(file) for file in files]), encoding="utf-8")
        done = subprocess.run(
            [python, "-c", THEIRS, str(ROUNDS), listing, result],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"cleanvision failed:\n{done.stderr[-2000:]}")
        return float(statistics.median(json.loads(result.read_text(encoding="utf-8"))))
