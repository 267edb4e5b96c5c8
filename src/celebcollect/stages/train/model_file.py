"""The file of a model, in the safetensors format.

It holds numbers and one text, of which nothing is executed when it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from celebcollect.domain.records import Record
from celebcollect.stages.train.model import KnownPerson, Model, StrangerRule, Vectors

KEY = "celebcollect"
"""Of the one text: the library writes several in an order that changes from call to call."""


class ModelDescription(Record):
    """What the numbers mean."""

    kind: Literal["nearest mean with rejection"] = "nearest mean with rejection"
    version: Literal[1, 2] = 2
    """1: written before there were rules; the threshold is that of `PHOTOGRAPH`."""
    people: tuple[KnownPerson, ...]
    threshold: float = Field(gt=0, allow_inf_nan=False)
    rule: StrangerRule | None = None
    neighbours: int = Field(default=0, ge=0)
    embedding_version: str
    fingerprint: str

    @model_validator(mode="after")
    def _has_rule(self) -> Self:
        if self.version == 2 and (
            self.rule is None or (self.rule == StrangerRule.CROWD and not self.neighbours)
        ):
            raise ValueError("it does not say when a face is unknown")
        return self


def pack(model: Model) -> bytes:
    """
    Return the file of a model, the same bytes for the same model.

    Labels and means follow from the rest; they are for other programs.
    """
    about = ModelDescription(
        people=model.people,
        threshold=model.threshold,
        rule=model.rule,
        neighbours=model.neighbours,
        embedding_version=model.embedding_version,
        fingerprint=model.fingerprint,
    )
    arrays = {
        "vectors": np.ascontiguousarray(model.vectors),
        "labels": model.labels().astype(np.int32),
        "means": model.means().astype(np.float32),
    }
    if len(model.crowd):
        arrays["crowd"] = np.ascontiguousarray(model.crowd)
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
            vectors = _vectors(opened, "vectors")
            there = "crowd" in opened.keys()  # noqa: SIM118 - it is no mapping
            crowd = _vectors(opened, "crowd") if there else vectors[:0]
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    except ValidationError as error:
        raise ValueError(
            f"what it says of itself is broken in {error.error_count()} places"
        ) from None
    if len(vectors) != sum(person.pictures for person in about.people):
        raise ValueError("its people and its embeddings do not fit together")
    if crowd.shape[1] != vectors.shape[1]:
        raise ValueError("its embeddings are not all of one length")
    return Model(
        about.people,
        vectors,
        about.threshold,
        about.embedding_version,
        about.fingerprint,
        about.rule if about.version == 2 and about.rule else StrangerRule.PHOTOGRAPH,
        about.neighbours,
        crowd,
    )


def _vectors(opened: safe_open, name: str) -> Vectors:
    part = opened.get_slice(name)
    if part.get_dtype() != "F32" or len(part.get_shape()) != 2 or not all(part.get_shape()):
        raise ValueError("its embeddings are no table of numbers")
    vectors: Vectors = opened.get_tensor(name)
    if not np.isfinite(vectors).all():
        raise ValueError("its embeddings hold numbers that are none")
    return vectors
