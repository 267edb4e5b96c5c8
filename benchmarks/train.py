"""Measure the reference classifier on a folder of photographs: python benchmarks/train.py [FOLDER].

The folder is laid out as the captured faces are: people/<person>/. In each of many random splits
every person who is known gives three photographs to learn from; the others of them, and all
photographs of the people who are not known, are asked about. Prints our classifier beside the SVC
of the system that this one replaces, on the same splits. Needs the extra `faces` and scikit-learn.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.svm import SVC

from celebcollect.config.sections import StoreConfig
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.stages.train.model import FaceSample, fit
from celebcollect.vision.base import FacesSeen
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.looking import detect_and_embed
from celebcollect.vision.workers import Workers

SHOTS = 3
SPLITS = 200
SEED = 7
FALSE_ACCEPTS = 0.01
PHOTOGRAPH_LIMIT = 0.55
"""Distance to the nearest training photograph, which was the limit for everybody in version 0.1."""

Albums = Mapping[str, Sequence[np.ndarray]]
"""Embeddings by person."""


@dataclass
class Answers:
    """What a classifier said in all splits. A higher score is a surer answer."""

    hits: list[np.ndarray] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)
    strangers: list[np.ndarray] = field(default_factory=list)

    def add(self, hits: np.ndarray, scores: np.ndarray, strangers: np.ndarray) -> None:
        """Take one split: which answers were right, and how sure all were."""
        self.hits.append(hits)
        self.scores.append(scores)
        self.strangers.append(strangers)

    def closed(self) -> float:
        """Return the share of right answers when nobody may be unknown."""
        return float(np.concatenate(self.hits).mean())

    def threshold(self) -> float:
        """Return the score that FALSE_ACCEPTS of the strangers reach."""
        return float(
            np.quantile(np.concatenate(self.strangers), 1 - FALSE_ACCEPTS, method="higher")
        )

    def found(self, threshold: float) -> float:
        """Return the share of known people's photographs named right above the threshold."""
        return float((np.concatenate(self.hits) & (np.concatenate(self.scores) > threshold)).mean())

    def accepted(self, threshold: float) -> float:
        """Return the share of strangers' photographs above the threshold."""
        return float((np.concatenate(self.strangers) > threshold).mean())


def embeddings(folder: Path) -> Albums:
    """Return the embedding of the largest face of every photograph that has one."""
    files = sorted(folder.glob("people/*/*"))
    pictures = [picture_of(number, file) for number, file in enumerate(files)]
    workers = Workers(DlibSpec())
    try:
        seen = {int(id_): found for id_, found in workers.run(detect_and_embed, pictures)}
    finally:
        workers.close()
    albums: dict[str, list[np.ndarray]] = {}
    for number, file in enumerate(files):
        found = seen[number]
        if isinstance(found, FacesSeen) and found.embeddings:
            albums.setdefault(file.parent.name, []).append(found.embeddings[0])
    print(
        f"{len(files)} photographs of {len(albums)} people, a face in"
        f" {sum(map(len, albums.values()))}"
    )
    return albums


def picture_of(number: int, file: Path) -> PictureFile:
    """Describe a file for the face engine."""
    seen = inspect(file.read_bytes(), max_pixels=StoreConfig().max_pixels)
    return PictureFile(str(number), file, seen.width_px, seen.height_px)


def splits(
    albums: Albums, share: float
) -> Iterator[tuple[list[FaceSample], list[tuple[str, np.ndarray]], list[np.ndarray]]]:
    """Yield what is learnt, what is asked, and strangers; this share of people is known."""
    source = random.Random(SEED)
    able = sorted(person for person, album in albums.items() if len(album) > SHOTS)
    for _ in range(SPLITS):
        known = sorted(source.sample(able, round(share * len(able))))
        learnt, asked = [], []
        for number, person in enumerate(known, 1):
            album = source.sample(list(albums[person]), len(albums[person]))
            learnt += [
                FaceSample(
                    f"Q{number}", person, hashlib.sha256(vector.tobytes()).hexdigest(), vector
                )
                for vector in album[:SHOTS]
            ]
            asked += [(person, vector) for vector in album[SHOTS:]]
        yield (
            learnt,
            asked,
            [vector for person, album in albums.items() if person not in known for vector in album],
        )


def ask_all(albums: Albums, share: float) -> tuple[Answers, Answers]:
    """Return what our classifier and the replaced one said in the same splits."""
    ours, theirs = Answers(), Answers()
    for learnt, asked, strangers in splits(albums, share):
        truth, faces = (
            np.array([person for person, _ in asked]),
            np.stack([vector for _, vector in asked]),
        )
        unknown = (
            np.stack(strangers) if strangers else np.empty((0, faces.shape[1]), dtype=np.float32)
        )

        model = fit(learnt, threshold=PHOTOGRAPH_LIMIT, embedding_version="")
        names = np.array([person.name for person in model.people])
        guesses = model.guess(faces)
        ours.add(
            names[guesses.people] == truth, -guesses.distances, -model.guess(unknown).distances
        )

        svc = SVC(C=10, gamma=0.001).fit(
            np.stack([sample.vector for sample in learnt]), [sample.name for sample in learnt]
        )
        margins = svc.decision_function(np.concatenate([faces, unknown])).max(axis=1)
        theirs.add(svc.predict(faces) == truth, margins[: len(faces)], margins[len(faces) :])
    return ours, theirs


def main() -> None:
    """Print both tables."""
    folder = (
        Path(sys.argv[1])
        if sys.argv[1:]
        else Path(__file__).parents[2] / "shared" / "data" / "faces"
    )
    albums = embeddings(folder)
    able = sum(len(album) > SHOTS for album in albums.values())
    print(f"{SPLITS} splits, seed {SEED}, {SHOTS} photographs of each known person to learn from\n")

    ours, theirs = ask_all(albums, 1.0)
    print(f"closed set, {able} people: {sum(map(len, ours.hits))} questions")
    print(f"  nearest mean             accuracy {ours.closed():.4f}")
    print(f"  SVC C=10 gamma=0.001     accuracy {theirs.closed():.4f}\n")

    ours, theirs = ask_all(albums, 0.5)
    told, strangers = sum(map(len, ours.hits)), sum(map(len, ours.strangers))
    print(
        f"open set, {round(able / 2)} people known: {told} questions about them, {strangers} about"
        " strangers"
    )
    print(f"  named right, with {FALSE_ACCEPTS:.0%} of strangers taken for somebody")
    print(
        f"  nearest mean             {ours.found(ours.threshold()):.4f} (unknown beyond"
        f" {-ours.threshold():.3f})"
    )
    print(f"  SVC C=10 gamma=0.001     {theirs.found(theirs.threshold()):.4f}")
    fixed = -PHOTOGRAPH_LIMIT
    print(
        f"  nearest mean as in version 0.1, unknown beyond {-fixed}: {ours.found(fixed):.4f},"
        f" {ours.accepted(fixed):.2%} of strangers taken for somebody"
    )


if __name__ == "__main__":
    main()
