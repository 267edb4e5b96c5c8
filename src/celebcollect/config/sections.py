"""The sections of the program itself, with default, unit and range of every key.

Sources bring their own sections (`SourceSpec.settings`). Code receives its section, never the whole
`Config`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from celebcollect.config.fields import Section as Section
from celebcollect.config.fields import dotted, empty_is_none


def _known_exit_code(code: int) -> int:
    """No Literal: those are compared, and the environment can only say "0"."""
    if code not in (0, 3):
        raise ValueError("must be 0 or 3")
    return code


class KafkaConfig(Section):
    """`[kafka]`: empty `bootstrap_servers` means the embedded log in `data_dir`."""

    bootstrap_servers: str = ""
    """Empty: the embedded log in data_dir; "host:9092,...": Apache Kafka."""
    partitions: int = Field(default=6, ge=1, le=10_000)
    """Partitions of the topics that are made: as many workers of one stage can share the work."""
    replication_factor: int = Field(default=1, ge=1, le=100)
    """Brokers that keep a copy of each of those topics."""
    timeout_s: float = Field(default=15, gt=0)
    """Seconds to wait for a broker at the start."""
    client: dict[str, str | int | float | bool] = Field(default_factory=dict, repr=False)
    """Passed to librdkafka as they are: "security.protocol", "sasl.mechanism", ..."""

    @field_validator("client", mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        # TOML reads `sasl.mechanism = "PLAIN"` without quotes as a table in a table.
        return dict(dotted(value)) if isinstance(value, dict) else value


class MongoConfig(Section):
    """`[mongo]`: empty `uri` means the embedded catalogue in `data_dir`."""

    uri: SecretStr = SecretStr("")
    """Empty: the embedded catalogue in data_dir; "mongodb://...": MongoDB."""
    database: str = Field(
        default="celebcollect", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$"
    )
    """Name of the database."""
    timeout_s: float = Field(default=15, gt=0)
    """Seconds to wait for the server at the start."""


class HttpConfig(Section):
    """`[http]`: how we introduce ourselves to other people's servers."""

    contact: str = Field(default="", max_length=200, pattern=r"^[\x20-\x7e]*$")
    """Mail address or URL put into the User-Agent; Wikimedia asks for it."""
    timeout_s: float = Field(default=20, gt=0, le=600)
    """Seconds to wait for an answer."""


class StoreConfig(Section):
    """`[store]`: downloads."""

    workers: int = Field(default=8, ge=1, le=256)
    """Downloads at the same time; up to eight times as many while the cores wait because hosts are
    far away."""
    per_host: int = Field(default=4, ge=1, le=256)
    """Connections to one host at the same time."""
    max_bytes: int = Field(default=33_554_432, ge=1)
    """Largest picture, in bytes."""
    min_side_px: int = Field(default=100, ge=1)
    """Shortest side of a useful picture, in pixels."""
    max_pixels: int = Field(default=100_000_000, ge=1)
    """Most pixels (width x height); more is taken for a decompression bomb. WebP may have 25
    million and AVIF 36 million at most."""
    picture_timeout_s: float = Field(default=60, gt=0, le=600)
    """Longest time for one picture, redirects and slow servers included."""
    host_wait_s: float = Field(default=120, ge=0, le=86_400)
    """Seconds of pauses, within an hour, for which a run waits for one host that says stop (429,
    503, ...); a host that names no time is left alone for 10, 20, 40, ... 600 s. The rest of its
    pictures is left for the next run."""
    allow_private_addresses: bool = False
    """true only to collect from this machine or a local network."""
    respect_robots: bool = True
    """Ask each host's robots.txt first, and leave out what it disallows."""


class CleanConfig(Section):
    """`[clean]`: what is thrown out."""

    near_duplicate_bits: int = Field(default=6, ge=0, le=11)
    """Pictures of one person whose 64-bit perceptual hashes differ in at most so many bits are
    copies. Measured: copies that were recompressed or resized differ in up to 4, different
    photographs in 12 and more."""
    other_person_bits: int = Field(default=4, ge=0, le=11)
    """Pictures of two people whose hashes differ in at most so many bits are in doubt for both."""
    max_aspect_ratio: float = Field(default=3.0, ge=1)
    """Longer side by shorter side; of 263 photographs 1 in 100 exceeds 2.3, banners and strips
    exceed 3."""
    min_sharpness: float = Field(default=2.5, ge=0)
    """Standard deviation of the Laplacian in the sharpest tenth of the picture at 512 pixels. Of
    263 photographs none is below 5.6; blurred by 3 pixels most, by 4 pixels nearly all are below
    2.5. 0: off."""
    min_contrast: float = Field(default=20, ge=0, le=255)
    """Grey levels between the darkest and the brightest 2 % of a picture; 263 photographs have 86
    or more, blank ones next to none. 0: off."""
    greyscale: bool = True
    """Keep pictures without colour."""
    faces: Literal["auto", "off", "required"] = "auto"
    """auto: look at faces when the extra is installed; off; required."""
    engine: str = Field(default="auto", pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """Who looks at faces: auto (the best that is installed), dlib, yunet-sface (after `celebcollect
    models get yunet-sface`), or the name of models of your own."""
    face_rule: Literal["one", "largest"] = "one"
    """one: exactly one face of at least `min_face_px`; largest: the largest one counts, others may
    be there."""
    min_face_px: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(empty_is_none)] = (
        None
    )
    """Narrowest face that counts, in pixels; empty: the engine's own measured value (dlib 60,
    yunet-sface 24)."""
    identity_threshold: Annotated[
        Annotated[float, Field(gt=0)] | None, BeforeValidator(empty_is_none)
    ] = None
    """Largest distance of two faces of one person; empty: the engine's own measured value (dlib
    0.58, made stricter where faces crowd; yunet-sface 1.10). Distances of two engines mean nothing
    to one another."""
    min_cluster: int = Field(default=3, ge=1)
    """Without a trusted portrait: pictures that must agree before the largest group is taken for
    the person. Not measured: a choice."""
    workers: int = Field(default=0, ge=0, le=256)
    """Processes that look at faces, 120 MB each; 0: one for each core."""
    detector_model: str = ""
    """ONNX file of a face detector of YuNet's shape, used with `embedder_model` instead of dlib;
    needs onnxruntime."""
    embedder_model: str = ""
    """ONNX file of a face embedder of SFace's or ArcFace's shape. Its numbers are read from a TOML
    file of the same name beside it: `celebcollect explain engine.toml`."""
    embedder_input: Literal["0..255", "-1..1"] = "0..255"
    """What the embedder's pixels are scaled to: SFace 0..255, ArcFace -1..1."""

    @model_validator(mode="after")
    def _both_models(self) -> Self:
        if bool(self.detector_model) != bool(self.embedder_model):
            raise ValueError("detector_model and embedder_model are used together or not at all")
        return self


class TrainConfig(Section):
    """`[train]`: what may be trained on, and what a trained model calls `unknown`."""

    ml_use_permitted: tuple[str, ...] = ()
    """Names of sources whose terms need an agreement for machine learning that you hold."""
    false_accept_rate: float = Field(default=0.01, gt=0, le=0.5)
    """Share of strangers that may be taken for somebody. `train` chooses the threshold for it with
    each known person taken out in turn; under 20 people the engine's own measured limit holds."""
    unknown_distance: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None, BeforeValidator(empty_is_none)
    ] = None
    """Empty: the threshold is chosen by `false_accept_rate`. A number: a face that is farther than
    this from every training photograph of the person it is most like is `unknown`; one number is
    not fair to everybody."""


class RunConfig(Section):
    """`[run]`: when `run-all` is content."""

    target_images: int = Field(default=20, ge=1, le=1_000_000)
    """Accepted pictures wanted per person."""
    max_rounds: int = Field(default=3, ge=1, le=100)
    """How often a person who is short is searched at most."""
    busy_exit_code: Annotated[int, AfterValidator(_known_exit_code)] = 3
    """Exit code of a `run-all` that finds another one at work in the same data folder; 0 for a cron
    that is not to complain."""
