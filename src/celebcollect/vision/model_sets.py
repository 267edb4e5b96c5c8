"""The face models that can be had by name: their files, their terms, and where they are kept.

Nothing here is fetched by itself: a person asks for it (`models get`), is told the terms, and the
bytes are proved before they are used. Imports nothing heavy: `init` asks which are here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from celebcollect.disk.known_file import KnownFile

NUMBERS_FILE = "engine.toml"
"""Beside the files of one's own models."""

_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
_HUB = "https://huggingface.co/opencv"

YUNET = KnownFile(
    "face_detection_yunet_2023mar.onnx",
    232_589,
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    (
        f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
        f"{_HUB}/face_detection_yunet/resolve/main/face_detection_yunet_2023mar.onnx",
    ),
)
SFACE = KnownFile(
    "face_recognition_sface_2021dec.onnx",
    38_696_353,
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    (
        f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
        f"{_HUB}/face_recognition_sface/resolve/main/face_recognition_sface_2021dec.onnx",
    ),
)


@dataclass(frozen=True)
class ModelSet:
    """A detector and an embedder that belong together."""

    name: str
    title: str
    files: tuple[KnownFile, ...]
    terms: tuple[str, ...]
    """What their publishers say, and what is not clear about it; a line each."""
    tested: bool = True
    """Measured by this project, see docs/faces.md."""

    @property
    def folder(self) -> Path:
        """Return where its files are kept."""
        return models_folder() / self.name

    def is_here(self) -> bool:
        """Tell whether all files are there in their size; their bytes are proved when loaded."""
        try:
            return all((self.folder / file.name).stat().st_size == file.size for file in self.files)
        except OSError:
            return False


YUNET_SFACE_SET = ModelSet(
    "yunet-sface",
    "YuNet 2023mar and SFace 2021dec, of OpenCV Zoo",
    (YUNET, SFACE),
    (
        "YuNet (face detector): MIT licence, OpenCV Zoo. Not clear: it was trained on WIDER FACE,"
        " whose terms are non-commercial, and its author was unsure what follows from that"
        " (libfacedetection.train, issue 14).",
        "SFace (face embedder): Apache License 2.0, OpenCV Zoo. Not clear: what this file was"
        " trained on is not stated; its paper names CASIA-WebFace, VGGFace2 and MS-Celeb-1M"
        " (opencv_zoo, issues 124 and 313).",
    ),
)

AURAFACE_SET = ModelSet(
    "auraface",
    "AuraFace v1 of fal, with YuNet as the detector",
    (YUNET,),
    (
        "AuraFace v1 (face embedder, 261 MB): Apache License 2.0, said to be trained on data that"
        " may be used commercially (huggingface.co/fal/AuraFace-v1). Untested here, and its digest"
        " is not known: nothing is fetched. Put its embedder, an engine.toml and a detector into a"
        " folder, then: celebcollect models get auraface --from FOLDER",
    ),
    tested=False,
)

KNOWN_SETS = (YUNET_SFACE_SET, AURAFACE_SET)


def models_folder() -> Path:
    """Return the user's folder of face models; it may not exist yet."""
    return platformdirs.user_data_path("celebcollect") / "models"


def own_names() -> Iterator[str]:
    """Yield the names of one's own models that are installed."""
    try:
        folders = sorted(models_folder().iterdir())
    except OSError:
        return
    for folder in folders:
        if (folder / NUMBERS_FILE).is_file():
            yield folder.name
