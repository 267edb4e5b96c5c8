"""Everybody who opens pictures, for files that may be anything.

Proof and hash, checks, faces, exports, pages and charts; `identify` is the proof and the faces.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from celebcollect.checks import unforeseen
from celebcollect.checks.base import Check, CheckSettings, Measuring, Picture
from celebcollect.checks.registry import installed_checks
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.errors import CelebCollectError
from celebcollect.domain.records import Image, Status, image_id, now
from celebcollect.gallery.thumbnails import Thumbnails
from celebcollect.images.folder import ImageFolder
from celebcollect.pictures.decode import PictureFacts, inspect
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.hash import PHASH_VERSION
from celebcollect.stages.clean.rehash import rehashed
from celebcollect.stages.export.crops import crop_of, cut
from celebcollect.stages.export.gps import without_place
from celebcollect.vision.base import Embedding, Face, Pixels
from celebcollect.vision.looking import detect_and_embed

MAX_PIXELS = 100_000_000
_MAX_BYTES = 33_554_432
_AS_STORED = PictureFacts("jpeg", 96, 64, "0" * 16, 1)
"""What is said of a file that `store` would refuse, and that lies in the folder all the same."""


class NoEngine:
    """A face engine that sees a face in every picture, and touches every pixel."""

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return one face in the upper left quarter."""
        height, width, colours = pixels.shape
        assert colours == 3
        assert pixels.dtype == np.uint8
        return [Face((0, 0, max(width / 2, 1), max(height / 2, 1)))]

    def detect_hard(self, pixels: Pixels) -> list[Face]:
        """Return the same."""
        return self.detect(pixels)

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        """Return the whole picture."""
        del face, room
        return pixels

    def embed(self, aligned: Pixels) -> Embedding:
        """Return brightness and contrast."""
        return np.array([aligned.mean(), aligned.std()], dtype=np.float32)


class _Unforeseen(logging.Handler):
    """Keeps the exceptions that checks turn into a reason: here they are what is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        error = record.exc_info[1] if record.exc_info else None
        self._said.append(f"SURPRISE {type(error).__name__}: {error}")

    def taken(self) -> str:
        """Return those since the last time, and forget them."""
        said, self._said = " ".join(self._said), []
        return said


class Openers:
    """One data folder, in which each file lies under its own digest for a moment."""

    def __init__(self, root: Path) -> None:
        self._folder = ImageFolder(root)
        self._root = root
        clean = CleanConfig(faces="off", min_contrast=0, min_sharpness=0)
        settings = CheckSettings(clean, StoreConfig(min_side_px=16))
        built = (spec.build(settings) for spec in installed_checks().specs)
        self._checks: list[Check] = [check for check in built if check is not None]
        self._kept_quiet = _Unforeseen()
        unforeseen.log.addHandler(self._kept_quiet)
        unforeseen.log.propagate = False

    def results(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield what each opener makes of a file: its name, and a word."""
        facts, word = _AS_STORED, ""
        try:
            facts = inspect(data, max_pixels=MAX_PIXELS)
            word = f"picture: {facts.format}"
        except NotAPicture as error:
            word = error.reason.value
        except Exception as error:  # noqa: BLE001 - finding those is what this is for
            word = f"SURPRISE {type(error).__name__}: {error}"
        yield "store", word
        with self._stored(data, facts) as image:
            for name, opener in self._openers().items():
                try:
                    word = opener(image, data)
                    yield name, self._kept_quiet.taken() or word
                except NotAPicture as error:
                    yield name, error.reason.value
                except CelebCollectError as error:
                    yield name, type(error).__name__
                except Exception as error:  # noqa: BLE001 - the same
                    yield name, f"SURPRISE {type(error).__name__}: {error}"

    def _openers(self) -> dict[str, Callable[[Image, bytes], str]]:
        return {
            "clean": self._clean,
            "rehash": self._rehash,
            "faces": self._faces,
            "crop": self._crop,
            "chart": self._chart,
            "thumbnail": self._thumbnail,
            "export": self._export,
        }

    @contextmanager
    def _stored(self, data: bytes, facts: PictureFacts) -> Iterator[Image]:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._folder.put("Q1", sha256, "jpg", data)
        try:
            yield Image(
                id=image_id("Q1", "https://a.example/1"),
                qid="Q1",
                name="Somebody",
                status=Status.STORED,
                source="google",
                url="https://a.example/1",
                sha256=sha256,
                path=path,
                bytes=len(data),
                format=facts.format,
                width_px=facts.width_px,
                height_px=facts.height_px,
                phash=facts.phash,
                phash_version=facts.phash_version,
                stored_at=now(),
            )
        finally:
            self._folder.remove(path)

    def _picture(self, image: Image) -> Picture:
        return Picture(image, self._root / (image.path or ""))

    def _clean(self, image: Image, data: bytes) -> str:
        del data
        picture = self._picture(image)
        said = "accepted"
        for check in self._checks:
            if isinstance(check, Measuring):
                for _, facts in check.measure([picture]):
                    picture = Picture(
                        picture.image.model_copy(
                            update={"facts": picture.image.facts | {check.name: facts}}
                        ),
                        picture.file,
                    )
            found = [one for one in check.reject([picture]) if hasattr(one, "reason")]
            if found and said == "accepted":
                said = found[0].reason.value
        return said

    def _rehash(self, image: Image, _: bytes) -> str:
        old = image.model_copy(update={"phash_version": 1, "phash": None})
        new = rehashed({old.id: old}, self._folder, measured=lambda _: None)[old.id]
        return "hashed" if new.phash_version == PHASH_VERSION else "kept"

    def _faces(self, image: Image, _: bytes) -> str:
        return type(detect_and_embed(NoEngine(), self._picture(image).stored)).__name__

    def _crop(self, image: Image, _: bytes) -> str:
        cut(self._picture(image).stored, Face((5, 5, 40, 40)))
        return "cut"

    def _chart(self, image: Image, _: bytes) -> str:
        return crop_of(self._picture(image).stored, Face((-5, -5, 400, 400))).mode

    def _thumbnail(self, image: Image, _: bytes) -> str:
        target = self._root / "thumbnails"
        with Thumbnails(target, self._folder, max_bytes=_MAX_BYTES) as thumbnails:
            made = bool(thumbnails.of([image]))
        return "made" if made else "none"

    def _export(self, _: Image, data: bytes) -> str:
        return "same" if len(without_place(data)) == len(data) else "SURPRISE another length"
