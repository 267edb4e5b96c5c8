"""The file of a model, in the safetensors format.

It holds numbers and one text, of which nothing is executed when it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from celebcollect.domain.records import Record
from celebcollect.stages.train.model import KnownPerson, Model, Vectors

KEY = "celebcollect"
"""Of the one text: the library writes several in an order that changes from call to call."""


class ModelDescription(Record):
    """What the numbers mean."""

    kind: Literal["nearest mean with rejection"] = "nearest mean with rejection"
    version: Literal[1] = 1
    people: tuple[KnownPerson, ...]
    threshold: float = Field(gt=0, allow_inf_nan=False)
    embedding_version: str
    fingerprint: str


def pack(model: Model) -> bytes:
    """
    Return the file of a model, the same bytes for the same model.

    Labels and means follow from the rest; they are for other programs.
    """
    about = ModelDescription(
        people=model.people,
        threshold=model.threshold,
        embedding_version=model.embedding_version,
        fingerprint=model.fingerprint,
    )
    labels = np.repeat(
        np.arange(len(model.people), dtype=np.int32), [person.pictures for person in model.people]
    )
    arrays = {
        "vectors": np.ascontiguousarray(model.vectors),
        "labels": labels,
        "means": model.means().astype(np.float32),
    }
    return save(arrays, {KEY: about.model_dump_json()})


def read(file: Path) -> Model:
    """
    Read what `pack` returned.

    Raises:
        ValueError: It is no such file.
        OSError: The disk refuses, or there is no file.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            about = ModelDescription.model_validate_json((opened.metadata() or {}).get(KEY, ""))
            vectors = _vectors(opened)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    except ValidationError as error:
        raise ValueError(
            f"what it says of itself is broken in {error.error_count()} places"
        ) from None
    if len(vectors) != sum(person.pictures for person in about.people):
        raise ValueError("its people and its embeddings do not fit together")
    return Model(about.people, vectors, about.threshold, about.embedding_version, about.fingerprint)


def _vectors(opened: safe_open) -> Vectors:
    part = opened.get_slice("vectors")
    if part.get_dtype() != "F32" or len(part.get_shape()) != 2 or not all(part.get_shape()):
        raise ValueError("its embeddings are no table of numbers")
    vectors: Vectors = opened.get_tensor("vectors")
    if not np.isfinite(vectors).all():
        raise ValueError("its embeddings hold numbers that are none")
    return vectors
