"""Read what a person says of their own face models, beside the files."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from celebcollect.domain.errors import ConfigError
from celebcollect.vision.likeness import DistanceLimit
from celebcollect.vision.model_sets import NUMBERS_FILE
from celebcollect.vision.numbers import UNTESTED, EngineNumbers

SEE = f"`celebcollect explain {NUMBERS_FILE}` says what it holds."


class OwnModels(BaseModel):
    """`engine.toml`: what a person says of their own models. Distances are Euclidean."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    detector: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the ONNX file of a detector of YuNet's shape, beside this one."""
    embedder: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the ONNX file of an embedder of SFace's or ArcFace's shape, beside this one."""
    embedder_input: Literal["0..255", "-1..1"] = "0..255"
    """What the embedder's pixels are scaled to: SFace 0..255, ArcFace -1..1."""
    smallest_face_px: int = Field(default=UNTESTED.smallest_face_px, ge=1)
    """Narrowest face that counts, in pixels."""
    bystander_fraction: float = Field(default=UNTESTED.bystander_fraction, ge=0, le=1)
    """A further face counts from this share of the largest one's width on."""
    identity_distance: float = Field(default=1.10, gt=0)
    """Up to which two faces are one person."""
    link_distance: float = Field(default=1.19, gt=0)
    """Mean distance up to which two groups of pictures are merged."""
    same_face_distance: float = Field(default=0.60, gt=0)
    """Distance of two people's mean faces up to which they may be one person."""
    source: str = Field(default=UNTESTED.source, max_length=300)
    """On whose pictures these numbers were measured."""

    def numbers(self) -> EngineNumbers:
        """Return the limits as scores."""
        limit = self.identity_distance
        return EngineNumbers(
            smallest_face_px=self.smallest_face_px,
            bystander_fraction=self.bystander_fraction,
            likeness=DistanceLimit(limit),
            link=self.link_distance / limit,
            same_face=self.same_face_distance / limit,
            strangers=replace(
                UNTESTED.strangers,
                mean_distance=UNTESTED.strangers.mean_distance * limit / UNTESTED.likeness.limit,
            ),
            copies=UNTESTED.copies,
            source=self.source,
        )


def read_own(file: Path) -> OwnModels:
    """
    Read an `engine.toml`.

    Raises:
        ConfigError: It cannot be read, is no TOML, or holds an unusable value.
    """
    try:
        return OwnModels.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"cannot read {file}: {error.strerror}",
            hint=f"A folder of face models of your own has an {NUMBERS_FILE}. {SEE}",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} is no TOML: {error}", hint=SEE) from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{file}: {where}: {problem['msg']}", hint=SEE) from None
