"""Measure cleaning on a folder of photographs: python benchmarks/clean.py [FOLDER].

The folder is laid out as the captured faces are: labels.csv, people/<person>/, groups/, no-face/. Prints CPU per picture of
every check beside cleanvision's (when that is installed), what near-duplicate hashes recall, and, with the extra `faces`, the
cost of face work and how well wrong people are removed beside the rule of the system that this one replaces.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from celebcollect.checks import build_checks
from celebcollect.checks.base import Check, Measuring, Picture, Rejection
from celebcollect.checks.face_facts import from_text
from celebcollect.checks.identity import Identity
from celebcollect.checks.vision import dlib_engine
from celebcollect.checks.vision.dlib_engine import DlibSpec
from celebcollect.checks.vision.looking import detect, embed
from celebcollect.checks.vision.workers import Workers
from celebcollect.config import CleanConfig, StoreConfig
from celebcollect.pictures import inspect, perceptual_hash
from celebcollect.records import Image, Status, image_id

BARYCENTRE = 0.47
"""Distance to the mean face beyond which the replaced system removed a picture, as it was measured best."""


def picture_of(file: Path) -> Picture:
    """Describe a file as the catalogue would."""
    data = file.read_bytes()
    sha256, seen, url = hashlib.sha256(data).hexdigest(), inspect(data, max_pixels=10**9), file.as_uri()
    facts = {"format": seen.format, "width_px": seen.width_px, "height_px": seen.height_px, "phash": seen.phash, "phash_version": seen.phash_version}
    image = Image(
        id=image_id("Q1", url), qid="Q1", name="X", status=Status.STORED, source="google", url=url, sha256=sha256, path="-", bytes=len(data), **facts
    )
    return Picture(image, file)


def with_facts(picture: Picture, name: str, facts: object) -> Picture:
    """Return the picture with what a check measured."""
    return replace(picture, image=picture.image.model_copy(update={"facts": picture.image.facts | {name: facts}}))


def ask(check: Check, pictures: Sequence[Picture]) -> list[Picture]:
    """Let a check measure and decide; return the pictures with the facts."""
    if isinstance(check, Measuring):
        facts = dict(check.measure(pictures))
        pictures = [with_facts(picture, check.name, facts[picture.image.id]) for picture in pictures]
    list(check.reject(pictures))
    return list(pictures)


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process and its children that have ended."""
    before = sum(os_times())
    work()
    return sum(os_times()) - before


def os_times() -> tuple[float, float]:
    """Return CPU seconds of this process and of its ended children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def bench_checks(pictures: Sequence[Picture], folder: Path) -> None:
    """Print CPU per picture of each check without faces, and cleanvision's on the same files."""
    total = 0.0
    for check in build_checks(CleanConfig(faces="off"), StoreConfig()):
        seconds = cpu_s(lambda check=check: ask(check, pictures))
        total += seconds
        print(f"  {check.name:<10} {seconds / len(pictures) * 1000:8.3f} CPU ms/picture")
    print(f"  {'together':<10} {total / len(pictures) * 1000:8.3f}")
    hashing = cpu_s(lambda: [inspect(picture.file.read_bytes(), max_pixels=10**9) for picture in pictures])
    print(f"  (the hash itself, which `store` takes from its own decode: {hashing / len(pictures) * 1000:.3f})")
    try:
        from cleanvision import Imagelab
    except ImportError:
        print("  cleanvision is not installed: nothing to compare with")
        return
    for name, issues in (("cleanvision, copies", {"exact_duplicates": {}, "near_duplicates": {}}), ("cleanvision, all", {})):
        lab = Imagelab(data_path=str(folder))
        seconds = cpu_s(lambda lab=lab, issues=issues: lab.find_issues(issues or None, n_jobs=1, verbose=False))
        print(f"\n  {name:<20} {seconds / len(pictures) * 1000:8.3f} CPU ms/picture")


def variants(pixels: Pillow.Image) -> Iterator[tuple[str, Pillow.Image, int]]:
    """Yield name, pixels and JPEG quality of altered copies."""
    width, height = pixels.size
    yield "recompressed q40", pixels, 40
    yield "recompressed q20", pixels, 20
    for factor in (0.75, 0.5, 1.5):
        if min(width, height) * factor >= 100:
            yield f"resized to {factor:.0%}", pixels.resize((round(width * factor), round(height * factor)), Pillow.Resampling.LANCZOS), 85
    for part in (0.05, 0.10):
        box = (round(width * part / 2), round(height * part / 2), round(width * (1 - part / 2)), round(height * (1 - part / 2)))
        yield f"cropped by {part:.0%}", pixels.crop(box), 85
    marked = pixels.copy()
    marked.paste((255, 255, 255), (0, round(height * 0.9), width, height))
    yield "bar over a tenth", marked, 85
    yield "mirrored", ImageOps.mirror(pixels), 85
    yield "greyscale", pixels.convert("L"), 85
    yield "recoloured", Pillow.fromarray(np.clip(np.asarray(pixels) * [1.15, 1, 0.85], 0, 255).astype(np.uint8)), 85


def bench_copies(pictures: Sequence[Picture]) -> None:
    """Print how many altered copies the hash recognises, and how near different pictures come."""
    bits = CleanConfig().near_duplicate_bits
    found: dict[str, list[bool]] = {}
    for picture in pictures[::2]:
        own = int(picture.image.phash or "0", 16)
        for name, pixels, quality in variants(Pillow.open(picture.file).convert("RGB")):
            out = io.BytesIO()
            pixels.save(out, "JPEG", quality=quality)
            found.setdefault(name, []).append((own ^ int(inspect(out.getvalue(), max_pixels=10**9).phash, 16)).bit_count() <= bits)
    for name, hits in found.items():
        print(f"  {name:<18} recall {sum(hits) / len(hits):.3f} of {len(hits)} at {bits} bits")
    # Halves are different pictures too: with them there are enough pairs.
    hashes = [int(picture.image.phash or "0", 16) for picture in pictures]
    hashes += [int(perceptual_hash(half), 16) for picture in pictures for half in halves(Pillow.open(picture.file).convert("L"))]
    apart = [(one ^ other).bit_count() for one, other in combinations(hashes, 2)]
    print(f"  different pictures: {sum(distance <= bits for distance in apart)} of {len(apart):,} pairs within, nearest {min(apart)} bits")


def halves(pixels: Pillow.Image) -> Iterator[Pillow.Image]:
    """Yield the left and the right half of a picture."""
    width, height = pixels.size
    yield pixels.crop((0, 0, width // 2, height))
    yield pixels.crop((width // 2, 0, width, height))


def bench_faces(pictures: Sequence[Picture]) -> list[Picture]:
    """Print the cost of face work in this process and the rate with one and with two; return the pictures with their facts."""
    engine = DlibSpec().load()
    started = time.process_time()
    detected = [with_facts(picture, "faces", detect(engine, picture)) for picture in pictures]
    detecting = (time.process_time() - started) / len(pictures)
    some = [picture for picture in detected if picture.facts("faces")["faces"]]
    started = time.process_time()
    embedded = [with_facts(picture, "identity", embed(engine, picture)) for picture in some]
    embedding = (time.process_time() - started) / len(some)
    print(f"  detection {detecting * 1000:.0f} CPU ms/picture, embedding {embedding * 1000:.0f}, together {(detecting + embedding) * 1000:.0f}")
    rates = {}
    for count in (1, 2):
        workers = Workers(DlibSpec(), count)
        list(workers.measure(embed, some[: 2 * count]))  # models are loaded now
        wall = time.perf_counter()
        list(workers.measure(detect, some))
        list(workers.measure(embed, some))
        rates[count] = len(some) / (time.perf_counter() - wall)
        workers.close()
        print(f"  {count} process{'es' if count > 1 else ''}: {rates[count]:.1f} pictures/s")
    print(f"  two by one: {rates[2] / rates[1]:.2f}")
    return embedded


def barycentre(embeddings: np.ndarray) -> np.ndarray:
    """Return which faces the replaced system would remove: those far from the mean of all."""
    return np.linalg.norm(embeddings - embeddings.mean(axis=0), axis=1) > BARYCENTRE


def bench_identity(albums: dict[str, list[Picture]]) -> None:
    """Print precision and recall of removal on albums with wrong people mixed in."""
    check = Identity(CleanConfig(), DlibSpec(), Workers(DlibSpec(), 1))
    version = check.version
    print("  wrong people        with a reference: precision recall kept   barycentre: precision recall kept")
    for one in (False, True):
        for share in (0.05, 0.20, 0.40, 0.60):
            source, ours, theirs = random.Random(1), Counter(), Counter()
            for _ in range(10):
                for person, album in albums.items():
                    reference, *right = source.sample(album, len(album))
                    count = max(round(share * len(right) / (1 - share)), 1)
                    others = [pictures for other, pictures in albums.items() if other != person and len(pictures) >= min(count, 5)]
                    pool = source.choice(others) if one else [picture for pictures in others for picture in pictures]
                    wrong = source.sample(pool, min(count, len(pool)))
                    mixed = [with_facts(picture, "identity", picture.facts("identity") | {"version": version}) for picture in (*right, *wrong)]
                    gone = {said.id for said in check.reject([replace(reference, reference=0), *mixed]) if isinstance(said, Rejection)}
                    count_up(ours, [picture.image.id in gone for picture in mixed], len(right))
                    embeddings = np.stack([from_text(str(picture.facts("identity")["embedding"])) for picture in mixed])
                    count_up(theirs, list(barycentre(embeddings)), len(right))
            print(f"  {share:4.0%} of {'one ' if one else 'many'}                {figures(ours)}                {figures(theirs)}")


def count_up(counts: Counter[str], removed: Sequence[bool], right: int) -> None:
    """Count what was removed among the right ones, which come first, and the wrong ones."""
    counts.update(right=right, wrong=len(removed) - right, right_removed=int(sum(removed[:right])), wrong_removed=int(sum(removed[right:])))


def figures(counts: Counter[str]) -> str:
    """Return precision and recall of removal, and the share of right pictures that stay."""
    removed = counts["right_removed"] + counts["wrong_removed"]
    precision = counts["wrong_removed"] / removed if removed else 1.0
    return f"{precision:9.3f} {counts['wrong_removed'] / counts['wrong']:6.3f} {1 - counts['right_removed'] / counts['right']:4.2f}"


def main() -> None:
    """Run all parts."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2] / "shared" / "data" / "faces"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    pictures = [picture_of(folder / label["file"]) for label in labels]
    print(f"checks, {len(pictures)} pictures")
    bench_checks(pictures, folder)
    print("copies")
    bench_copies(pictures)
    if reason := dlib_engine.why_not():
        print(f"faces: {reason}")
        return
    people = [picture for picture in pictures if picture.file.is_relative_to(folder / "people")]
    print(f"faces, {len(people)} pictures")
    measured = bench_faces(people)
    albums: dict[str, list[Picture]] = {}
    for picture in measured:
        albums.setdefault(picture.file.parent.name, []).append(picture)
    print("identity")
    bench_identity({person: album for person, album in albums.items() if len(album) >= 4})


if __name__ == "__main__":
    main()
