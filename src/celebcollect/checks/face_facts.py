"""Faces and embeddings as facts beside an image, and as they are published."""

from __future__ import annotations

import base64
from typing import Any, cast

import numpy as np
from pydantic import JsonValue

from celebcollect.checks.base import Facts
from celebcollect.domain.records import Image
from celebcollect.vision import fingerprint
from celebcollect.vision.base import Embedding, Face, FacesSeen, Undecodable
from celebcollect.vision.looking import FaceMeasured
from celebcollect.vision.numbers import EngineNumbers

FINGERPRINT = "fingerprint"
"""Where a face's fingerprint is kept among the facts of identity, beside `embedding`."""

CROP_MARGIN = 0.25
"""Of the box's width, on each side; measured, crops of 15 to 50 % are as good as the picture,
tighter ones are found less often."""


def faces_of(image: Image) -> list[Face]:
    """Return the faces found in a picture, largest first, in pixels of the upright picture."""
    found = cast("list[list[float]]", image.facts.get("faces", {}).get("faces", []))
    return [_from_json(numbers) for numbers in found]


def counted_faces(image: Image, numbers: EngineNumbers) -> list[Face]:
    """Return the faces that count: wide enough, and not those of bystanders far behind."""
    large = [face for face in faces_of(image) if face.width >= numbers.smallest_face_px]
    widest = large[0].width if large else 0.0
    return [face for face in large if face.width >= numbers.bystander_fraction * widest]


def seen_facts(seen: FacesSeen | Undecodable) -> Facts:
    """Return what is kept of the faces of a picture."""
    if isinstance(seen, Undecodable):
        return {"broken": seen.detail}
    return {
        "size": [seen.width_px, seen.height_px],
        "count": seen.count,
        "faces": [as_json(face) for face in seen.faces],
    }


def embedding_facts(found: Embedding | Undecodable) -> Facts:
    """Return what is kept of the embedding of a picture's largest face."""
    if isinstance(found, Undecodable):
        return {"broken": found.detail}
    return {"embedding": to_text(found)}


def measured_facts(found: FaceMeasured | Undecodable) -> Facts:
    """Return what is kept of a picture's largest face: its embedding and its fingerprint."""
    if isinstance(found, Undecodable):
        return embedding_facts(found)
    print_ = fingerprint.to_text(found.fingerprint)
    return {**embedding_facts(found.embedding), FINGERPRINT: print_}


def as_json(face: Face) -> JsonValue:
    """Return a face as numbers: score, box, landmarks."""
    points = [value for point in face.landmarks for value in point]
    return [round(face.score, 3), *(round(value, 1) for value in (*face.box, *points))]


def _from_json(numbers: list[float]) -> Face:
    score, left, top, right, bottom, *points = numbers
    return Face(
        (left, top, right, bottom), tuple(zip(points[::2], points[1::2], strict=True)), score
    )


def to_text(embedding: Embedding) -> str:
    """Return an embedding as base64 of little-endian float32."""
    return base64.b64encode(embedding.astype("<f4").tobytes()).decode("ascii")


def from_text(text: str) -> Embedding:
    """Read what `to_text` wrote."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)


def published(image: Image) -> dict[str, Any]:
    """Return the fields of `CleanRecord` about the largest face; empty where nobody looked."""
    faces = faces_of(image)
    if not faces:
        return {}
    left, top, right, bottom = faces[0].box
    margin = CROP_MARGIN * faces[0].width
    width, height = cast("list[int]", image.facts["faces"]["size"])
    facts = image.facts.get("identity", {})
    return {
        "face_box": tuple(map(round, faces[0].box)),
        "face_crop": (
            max(round(left - margin), 0),
            max(round(top - margin), 0),
            min(round(right + margin), width),
            min(round(bottom + margin), height),
        ),
        "face_landmarks": tuple((round(x), round(y)) for x, y in faces[0].landmarks) or None,
        "embedding": facts.get("embedding"),
        "embedding_version": facts.get("version") if "embedding" in facts else None,
    }
