"""What copies are found by the face and what it mistakes for one, beside the hash of the picture.

    python benchmarks/clean_face_copies.py [FOLDER]

FOLDER holds a folder per person; in the captured one, copies are made of every second photograph
only, because the constants were chosen with copies of the others in view. Pairs of different
photographs of one person are all there are. A copy counts as found where its face is found and is
the same photograph's (`checks.face_copies`), or where the hash of the picture is near enough
(`checks.duplicate`); both limits are those of the product.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from clean_copies import marked
from people import engines
from PIL import Image as Pillow
from PIL import ImageOps

from celebcollect.config.sections import CleanConfig
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.vision.base import EngineSpec, FacesSeen
from celebcollect.vision.fingerprint import compare
from celebcollect.vision.looking import FaceInPicture, FaceMeasured, detect, measure
from celebcollect.vision.workers import Workers

BITS = CleanConfig().near_duplicate_bits
QUALITY = 85


def copies(pixels: Pillow.Image) -> Iterator[tuple[str, Pillow.Image]]:
    """Yield name and pixels of altered copies of a photograph."""
    for name, left, top, right, bottom in (
        ("cropped by 5 %", 0.025, 0.025, 0.975, 0.975),
        ("cropped by 10 %", 0.05, 0.05, 0.95, 0.95),
        ("cropped by 20 %", 0.1, 0.1, 0.9, 0.9),
        ("10 % off two sides", 0, 0, 0.9, 0.9),
        ("20 % off two sides", 0.2, 0, 1, 0.8),
    ):
        yield name, _cropped(pixels, left, top, right, bottom)
    yield "mirrored", ImageOps.mirror(pixels)
    yield "mirrored and cropped", ImageOps.mirror(_cropped(pixels, 0.05, 0.05, 0.95, 0.95))
    yield "mark in a corner", marked(pixels, share=0.35, centre=(0.8, 0.95), opacity=1.0)
    yield "mark in the middle", marked(pixels, share=0.8, centre=(0.5, 0.5), opacity=0.5)
    width, height = pixels.size
    for name, colour, top, bottom in (("bar below", 255, 0.9, 1), ("bar above", 0, 0, 0.1)):
        barred = pixels.copy()
        barred.paste((colour,) * 3, (0, round(height * top), width, round(height * bottom)))
        yield name, barred


def _cropped(
    pixels: Pillow.Image, left: float, top: float, right: float, bottom: float
) -> Pillow.Image:
    width, height = pixels.size
    sides = (left * width, top * height, right * width, bottom * height)
    return pixels.crop(tuple(round(side) for side in sides))  # type: ignore[arg-type]


class Measured:
    """Hashes of pictures, and what an engine kept of their largest faces."""

    def __init__(self, spec: EngineSpec, files: Sequence[Path]) -> None:
        seen = [inspect(file.read_bytes(), max_pixels=10**9) for file in files]
        self.hashes = [int(one.phash, 16) for one in seen]
        pictures = [
            PictureFile(str(number), file, one.width_px, one.height_px)
            for number, (file, one) in enumerate(zip(files, seen, strict=True))
        ]
        self.faces: dict[int, FaceMeasured] = {}
        limits = spec.numbers.copies
        if limits is None:
            raise ValueError(f"the limits for copies of {spec.name} were not measured")
        self._limits = limits
        workers = Workers(spec)
        found = dict(workers.run(detect, pictures))
        wanted = [
            FaceInPicture(picture, faces.faces[0])
            for picture in pictures
            if isinstance(faces := found[picture.id], FacesSeen) and faces.faces
        ]
        for id_, face in workers.run(measure, wanted):
            if isinstance(face, FaceMeasured):
                self.faces[int(id_)] = face
        workers.close()

    def by_hash(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """Return for each pair whether the hashes are a copy's."""
        return np.array(
            [(self.hashes[one] ^ self.hashes[other]).bit_count() <= BITS for one, other in pairs]
        )

    def by_face(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """Return for each pair whether the faces are a copy's."""
        both = [all(at in self.faces for at in pair) for pair in pairs]
        some, others = (
            [self.faces[pair[at]] for pair, known in zip(pairs, both, strict=True) if known]
            for at in (0, 1)
        )
        alike = compare(*(np.stack([one.fingerprint for one in part]) for part in (some, others)))
        found = np.zeros(len(pairs), dtype=bool)
        for place, at in enumerate(np.flatnonzero(both)):
            apart = float(np.linalg.norm(some[place].embedding - others[place].embedding))
            found[at] = (
                apart <= self._limits.distance
                and alike.face[place] >= self._limits.least_correlation(apart)
                and alike.around[place] >= self._limits.around
            )
        return found


def bench_face_copies(folder: Path) -> None:
    """Print recall for each kind of copy and the false pairs, for each installed engine."""
    photographs = sorted(file for file in folder.glob("*/*") if file.is_file())
    with tempfile.TemporaryDirectory() as name:
        files, pairs, kinds = list(photographs), [], []
        for original in range(1, len(photographs), 2):
            pixels = Pillow.open(photographs[original]).convert("RGB")
            for kind, altered in copies(pixels):
                out = io.BytesIO()
                altered.save(out, "JPEG", quality=QUALITY)
                file = Path(name) / f"{len(files)}.jpg"
                file.write_bytes(out.getvalue())
                pairs.append((original, len(files)))
                kinds.append(kind)
                files.append(file)
        different = [
            (one, other)
            for one, other in combinations(range(len(photographs)), 2)
            if photographs[one].parent == photographs[other].parent
        ]
        for engine, spec in engines():
            _print_engine(engine, Measured(spec, files), pairs, kinds, different)


def _print_engine(
    engine: str,
    measured: Measured,
    pairs: Sequence[tuple[int, int]],
    kinds: Sequence[str],
    different: Sequence[tuple[int, int]],
) -> None:
    by_hash, by_face = measured.by_hash(pairs), measured.by_face(pairs)
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for number, kind in enumerate(kinds):
        rows[kind].append(number)
    print(f"  {engine:<22} by hash  by face  by either")
    for kind, at in rows.items():
        print(
            f"  {kind:<22} {by_hash[at].mean():7.3f} {by_face[at].mean():8.3f}"
            f" {(by_hash | by_face)[at].mean():9.3f} of {len(at)}"
        )
    print(
        f"  different photographs of one person: {measured.by_face(different).sum()} false by face,"
        f" {measured.by_hash(different).sum()} by hash, of {len(different)} pairs"
    )


def main() -> None:
    """Print the tables for the folder that is named, or the captured one."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "faces" / "people"
    folder = Path(sys.argv[1]) if sys.argv[1:] else beside
    if not folder.is_dir():
        sys.exit(f"no photographs in {folder}: name another folder")
    print("copies by the face: recall, of copies of every second photograph")
    bench_face_copies(folder)


if __name__ == "__main__":
    main()
