"""Find pictures that do not show exactly one face of a useful size; needs a face engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from celebcollect.checks import crashes
from celebcollect.checks.base import (
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    FileReason,
    Picture,
    Rejection,
    missing,
)
from celebcollect.checks.beside import known_beside
from celebcollect.checks.crashes import FaceEngineReason
from celebcollect.checks.face_facts import faces_of, seen_facts
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.reasons import Reason
from celebcollect.vision.base import EngineCrashed, EngineSpec
from celebcollect.vision.engines import engine_for, lacking, numbers_for
from celebcollect.vision.looking import detect
from celebcollect.vision.workers import Workers, shared

VERSION = 1


class FaceReason(Reason):
    """What is wrong with the faces of a picture."""

    NO_FACE = "no_face", "clean", "No face was found."
    FACE_TOO_SMALL = (
        "face_too_small",
        "clean",
        "No face is as wide as the face engine needs, or as `[clean] min_face_px` says.",
        "Lower `[clean] min_face_px` and run `clean` again.",
    )
    SEVERAL_FACES = (
        "several_faces",
        "clean",
        "More than one large face, and `[clean] face_rule` wants exactly one.",
        "Another `[clean] face_rule` lets such pictures in; then run `clean` again.",
    )


def build(settings: CheckSettings) -> Check | None:
    """
    Return the check for the face settings of `[clean]`, or None where faces are not looked at.

    Raises:
        ConfigError: `[clean] faces` is `required`, and they cannot be looked at.
    """
    spec = engine_for(settings.clean)
    return FaceCheck(settings.clean, spec, shared(spec, settings.clean.workers)) if spec else None


def lacks(settings: CheckSettings) -> str | None:
    """Return what has to be installed before faces can be looked at."""
    what = lacking(settings.clean)
    return what and f"{what}; wrong people stay in"


class FaceCheck:
    """
    Reject what does not show one face of a useful size.

    Also what the engine dies of, and what cannot be decoded although `store` could.
    """

    name = "faces"
    wants_portraits = True

    def __init__(self, clean: CleanConfig, spec: EngineSpec, workers: Workers) -> None:
        numbers = numbers_for(clean, spec)
        self._smallest_px = numbers.smallest_face_px
        self._bystander = numbers.bystander_fraction
        self._rule, self._workers = clean.face_rule, workers
        self._version = f"{VERSION} {spec.detector}"

    def fingerprint(self) -> str:
        """Return version, detector and limits."""
        return (
            f"{self._version} min_face_px={self._smallest_px} bystander={self._bystander}"
            f" rule={self._rule}"
        )

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """Yield the faces of what was not looked at with this detector."""
        known = dict(known_beside(self.name, self._version, pictures))
        yield from known.items()
        new = [
            picture
            for picture in missing(self.name, self._version, pictures)
            if picture.image.id not in known
        ]
        looked = self._workers.run(
            partial(detect, smallest_px=self._smallest_px), (picture.stored for picture in new)
        )
        results = (
            (id_, seen if isinstance(seen, EngineCrashed) else seen_facts(seen))
            for id_, seen in looked
        )
        yield from crashes.counted(results, new, name=self.name, version=self._version)

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures without a face, without a large one, or with several large ones."""
        for picture in pictures:
            if picture.thrown_out:
                continue
            crashed = crashes.rejection(picture, self.name)
            if crashed:
                yield crashed
            elif found := self._fault(picture):
                yield Rejection(picture.image.id, *found)

    def _fault(self, picture: Picture) -> tuple[Reason, str] | None:
        facts = picture.facts(self.name)
        if "broken" in facts:
            return FileReason.CORRUPT_FILE, str(facts["broken"])
        widths = [face.width for face in faces_of(picture.image)]
        large = [width for width in widths if width >= self._smallest_px]
        if not widths:
            return FaceReason.NO_FACE, "no face found"
        if not large:
            return FaceReason.FACE_TOO_SMALL, f"{widths[0]:.0f} px wide"
        count = sum(width >= self._bystander * widths[0] for width in large)
        if count > 1 and self._rule == "one":
            return FaceReason.SEVERAL_FACES, f"{count} faces"
        return None


SPEC = CheckSpec(
    name="faces",
    order=60,
    build=build,
    reasons=(FaceReason, FaceEngineReason, FileReason),
    lacks=lacks,
)
