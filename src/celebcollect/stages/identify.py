"""Say whom pictures show, by a trained model.

Files may be anything: what is no picture is told, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Literal

import numpy as np
import numpy.typing as npt

from celebcollect.checks.identity import embedding_version
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.cores import available_cores
from celebcollect.domain.errors import ConfigError, UsageError
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.formats import NotAPicture
from celebcollect.stages.train.model import KnownPerson, Model
from celebcollect.vision import dlib_package
from celebcollect.vision.base import EngineCrashed, EngineSpec, FacesSeen, Undecodable
from celebcollect.vision.engines import engine_for
from celebcollect.vision.looking import detect_and_embed
from celebcollect.vision.workers import Workers
from celebcollect.web.reasons import FetchReason

Fault = Literal["missing", "unreadable", "no picture"]


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    """One face of a picture."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels of the picture as EXIF turns it; may reach beyond it."""
    person: KnownPerson | None
    """None: unknown."""
    distance: float
    """To the nearest training photograph of the person that the face is most like, also where it is
    unknown."""
    score: float
    """What the model's rule compares with its threshold."""
    nearer_than: float
    """Share of strangers, 0 to 1, that are less like anybody whom the model knows: how sure it is.
    The strangers are the training photographs, each with its person taken out."""


@dataclass(frozen=True, slots=True)
class IdentifiedFile:
    """One file: the faces in it, largest first, or why there is nothing to see."""

    file: Path
    faces: tuple[IdentifiedFace, ...] = ()
    fault: Fault | None = None
    detail: str = ""


def engine_of(model: Model, clean: CleanConfig) -> EngineSpec:
    """
    Return the face engine that the model's embeddings are of.

    Raises:
        ConfigError: No faces can be looked at here.
        UsageError: The model was trained with another engine.
    """
    # `[clean] faces` says what `clean` does. Whoever asks who is in a picture wants faces looked
    # at.
    spec = engine_for(clean.model_copy(update={"faces": "auto"}))
    if spec is None:
        raise ConfigError(
            f"faces cannot be recognised here: {dlib_package.why_not()}", hint=dlib_package.INSTALL
        )
    version = embedding_version(spec)
    if model.embedding_version != version:
        raise UsageError(
            f"the model was trained with embeddings {model.embedding_version!a}, and this"
            f" installation makes {version!a}",
            hint="Clean and train again: celebcollect clean, celebcollect train",
        )
    return spec


def identify(
    files: Sequence[Path], model: Model, spec: EngineSpec, *, clean: CleanConfig, store: StoreConfig
) -> Iterator[IdentifiedFile]:
    """
    Yield what is seen in each file, in their order.

    A picture that crashes the face engine does so in a process of its own, and counts as no
    picture.

    Raises:
        UsageError: The embeddings are not as long as the model's.
    """
    strangers = np.sort(model.strangers())
    workers = Workers(spec, min(len(files), clean.workers or available_cores()))
    done: dict[int, IdentifiedFile] = {}
    next_one = 0
    try:
        for id_, seen in workers.run(detect_and_embed, _pictures(files, done, store)):
            done[int(id_)] = _seen(files[int(id_)], seen, model, strangers)
            while next_one in done:
                yield done.pop(next_one)
                next_one += 1
    finally:
        workers.close()
    yield from (done[number] for number in sorted(done))


def _pictures(
    files: Sequence[Path], done: dict[int, IdentifiedFile], store: StoreConfig
) -> Iterator[PictureFile]:
    """Yield the files that hold a picture; what the others lack goes into `done`."""
    for number, file in enumerate(files):
        try:
            status = file.stat()
            # Looked at before it is opened: a pipe or a device may never end.
            if not S_ISREG(status.st_mode):
                done[number] = IdentifiedFile(file, fault="no picture", detail="not a regular file")
                continue
            if status.st_size > store.max_bytes:
                raise NotAPicture(
                    FetchReason.TOO_LARGE,
                    f"{status.st_size} bytes, at most {store.max_bytes} are read",
                )
            facts = inspect(file.read_bytes(), max_pixels=store.max_pixels)
        except FileNotFoundError:
            done[number] = IdentifiedFile(file, fault="missing", detail="no such file")
        except OSError as error:
            done[number] = IdentifiedFile(
                file, fault="unreadable", detail=error.strerror or type(error).__name__
            )
        except ValueError as error:  # a zero byte in the name
            done[number] = IdentifiedFile(file, fault="missing", detail=str(error))
        except NotAPicture as error:
            done[number] = IdentifiedFile(file, fault="no picture", detail=str(error))
        else:
            yield PictureFile(str(number), file, facts.width_px, facts.height_px)


def _seen(
    file: Path,
    seen: FacesSeen | Undecodable | EngineCrashed,
    model: Model,
    strangers: npt.NDArray[np.float64],
) -> IdentifiedFile:
    if isinstance(seen, EngineCrashed):
        return IdentifiedFile(file, fault="no picture", detail="the face engine crashed on it")
    if isinstance(seen, Undecodable):
        return IdentifiedFile(file, fault="no picture", detail=seen.detail)
    if not seen.faces:
        return IdentifiedFile(file)
    vectors = np.stack(seen.embeddings)
    if vectors.shape[1] != model.vectors.shape[1]:
        raise UsageError(
            f"the model's embeddings have {model.vectors.shape[1]} numbers, those of this engine"
            f" {vectors.shape[1]}",
            hint="Train again.",
        )
    guesses = model.guess(vectors)
    people = [
        model.people[number] if known else None
        for number, known in zip(guesses.people, guesses.known, strict=True)
    ]
    boxes = [
        (round(face.box[0]), round(face.box[1]), round(face.box[2]), round(face.box[3]))
        for face in seen.faces
    ]
    nearer = 1 - np.searchsorted(strangers, guesses.scores, side="right") / len(strangers)
    faces = zip(boxes, people, guesses.distances, guesses.scores, nearer, strict=True)
    return IdentifiedFile(
        file,
        tuple(
            IdentifiedFace(box, person, *(round(float(number), 4) for number in numbers))
            for box, person, *numbers in faces
        ),
    )
