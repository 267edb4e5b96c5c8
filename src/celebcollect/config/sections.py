"""Every key of the configuration with its default, unit and range; `configfile` reads and writes it.

Unknown keys are errors. Code receives its section, never the whole `Config`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENV_PREFIX, ENV_DELIMITER = "CELEBCOLLECT_", "__"

DEAD = ".dead"
"""Suffix of the topic that takes a topic's undecodable messages."""

THUMBNAIL_WIDTHS_PX = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""The widths that Wikimedia scales to (mediawiki.org, Common thumbnail sizes, 2026); others are
answered with 400 or 429."""


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname
        _ = parts.port
    except ValueError:
        usable = None
    if not usable:
        raise ValueError("must be an http or https URL")
    return value


def _folder(value: Path) -> Path:
    if "\0" in str(value):
        raise ValueError("must not hold a NUL character")
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError("begins with the home folder of somebody who has none") from None


_MAX_TOPIC_CHARS = 249


def _topic(value: str) -> str:
    # Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic), which keeps the
    # embedded log portable.
    if (
        not value
        or value in (".", "..")
        or len(value) > _MAX_TOPIC_CHARS
        or not all(c.isascii() and (c.isalnum() or c in "._-") for c in value)
    ):
        raise ValueError("must be 1 to 249 of the characters a-z A-Z 0-9 . _ -")
    return value


def _known_exit_code(code: int) -> int:
    """No Literal: those are compared, and the environment can only say "0"."""
    if code not in (0, 3):
        raise ValueError("must be 0 or 3")
    return code


def _date_or_none(value: object) -> object:
    # TOML has no null, and its dates need no quotes, but may have them.
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ValueError('must be a date like 1950-01-31, or ""') from None


def _http_url_or_empty(value: str) -> str:
    return _http_url(value) if value else value


def _query_template(value: str) -> str:
    if "{name}" not in value:
        raise ValueError("a query template needs {name}")
    if set(value.replace("{name}", "").replace("{occupation}", "")) & set("{}"):
        raise ValueError("a query template knows {name} and {occupation} only")
    return value


def _thumbnail_width(value: int) -> int:
    if value not in (0, *THUMBNAIL_WIDTHS_PX):
        raise ValueError(f"must be 0 or one of {', '.join(map(str, THUMBNAIL_WIDTHS_PX))}")
    return value


def _dotted(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{rest}", deeper) for rest, deeper in _dotted(value))
        else:
            yield name, value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
QueryTemplate = Annotated[str, Field(max_length=300), AfterValidator(_query_template)]
Topic = Annotated[str, AfterValidator(_topic)]


class Section(BaseModel):
    """Base of the sections: frozen, unknown keys are errors. The text below a key says what it is for (`domain.attribute_docstrings`)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


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
        return dict(_dotted(value)) if isinstance(value, dict) else value


class TopicsConfig(Section):
    """`[topics]`: the names on the wire."""

    google: Topic = "urls"
    """Candidates from Google Images."""
    tmdb: Topic = "urlsFromTmdb"
    """Candidates from TMDB."""
    commons: Topic = "urlsFromCommons"
    """Candidates from Wikimedia Commons."""
    verified: Topic = "urlsVerifie"
    """Candidates that `validate` let through."""
    clean: Topic = "dataclean"
    """Accepted pictures; compacted, keyed QID/sha256."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = self.all()
        if len(set(names)) < len(names):
            raise ValueError(f"every topic needs a name of its own, found {', '.join(names)}")
        # The dead letters of one topic would be read as another one's messages, or as its own, for
        # ever.
        if any(name.endswith(DEAD) for name in names):
            raise ValueError(
                f"names that end with {DEAD} are for dead letters, found {', '.join(names)}"
            )
        # Or the first undecodable message would be in the way of all the others.
        if any(len(name) + len(DEAD) > _MAX_TOPIC_CHARS for name in names):
            raise ValueError(
                f"names may have {_MAX_TOPIC_CHARS - len(DEAD)} characters, so that {DEAD} fits"
                " behind them"
            )
        return self

    def candidates(self) -> tuple[str, ...]:
        """Return the topics that sources write and `validate` reads."""
        return (self.google, self.tmdb, self.commons)

    def all(self) -> tuple[str, ...]:
        """Return the five topics in the order of the pipeline."""
        return (*self.candidates(), self.verified, self.clean)


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


class WikidataConfig(Section):
    """`[wikidata]`: whom to look for."""

    endpoint: HttpUrl = "https://query.wikidata.org/sparql"
    """SPARQL endpoint."""
    dialect: Literal["auto", "wdqs", "qlever"] = "auto"
    """auto: find out; wdqs: Wikidata Query Service; qlever: QLever."""
    occupations: tuple[str, ...] = ("Q33999", "Q177220", "Q937857", "Q82955", "Q36180")
    """Occupations, by QID or name, with all their subclasses: actor, singer, footballer,
    politician, writer."""
    born_after: Annotated[date | None, BeforeValidator(_date_or_none)] = date(1950, 1, 1)
    """First birthday that counts; "" for everybody, also people whose birth is unknown."""
    min_sitelinks: int = Field(default=20, ge=0)
    """Fame: least number of Wikimedia pages about the person."""
    limit: int = Field(default=200, ge=1)
    """People per occupation, most famous first."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,12}(-[a-z0-9]{1,12})*$")
    """Language of names and descriptions; then Wikidata's "mul" and "en"."""
    timeout_s: float = Field(default=70, gt=0, le=600)
    """Seconds to wait for an answer; the public endpoint gives up after 60."""
    min_interval_s: float = Field(default=1, ge=0, le=3600)
    """Least seconds of pause after a query; a slow query is followed by a pause as long as
    itself."""


class GoogleConfig(Section):
    """`[google]`: the browser and how gently it asks."""

    search_url: HttpUrl = "https://www.google.com/search"
    """Where to search."""
    browser: str = ""
    """Path of Chromium or Chrome; empty: found on this machine."""
    driver: str = ""
    """Path of chromedriver; empty: found on this machine."""
    # may carry a password
    remote_url: Annotated[str, AfterValidator(_http_url_or_empty)] = Field(default="", repr=False)
    """A Selenium Grid; empty: a browser on this machine."""
    headless: bool = True
    """Run the browser without a window."""
    images_per_celebrity: int = Field(default=20, ge=1, le=1000)
    """Pictures to ask for per search of a person."""
    min_interval_s: float = Field(default=15, ge=0, le=86_400)
    """Seconds between two queries."""
    timeout_s: float = Field(default=30, gt=0, le=600)
    """Seconds to wait for a page to arrive."""
    page_wait_s: float = Field(default=10, gt=0, le=120)
    """Seconds to wait for a page that has arrived to show what it is."""
    queries_per_browser: int = Field(default=50, ge=1, le=10_000)
    """Queries before the browser is started afresh."""
    query_templates: tuple[QueryTemplate, ...] = Field(
        default=("{name} {occupation}",), min_length=1, max_length=10
    )
    """Queries per person, in turn until there are enough pictures; with {name} and, if wanted,
    {occupation}."""
    face: bool = True
    """Ask for pictures that show a face."""
    size: Literal["", "large", "medium", "icon", "2mp", "4mp", "8mp", "12mp", "20mp", "40mp"] = ""
    """Ask for this size, or for more than so many megapixels; empty: any."""
    licence: Literal["", "creative-commons", "commercial"] = ""
    """Ask for pictures under these licences, as far as Google knows; empty: any."""
    safe: Literal["active", "images", "off"] = "active"
    """Google's SafeSearch: filter, blur, or show explicit pictures."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    """Language of Google's pages; texts of pages are known best in English."""
    cache_days: float = Field(default=30, ge=0, le=3650)
    """How long the answer to a query is used again; 0: always ask."""


class TmdbConfig(Section):
    """`[tmdb]`: API version 3 with a version 4 read token."""

    base_url: HttpUrl = "https://api.themoviedb.org/3"
    """API version 3."""
    token: SecretStr = SecretStr("")
    """Version 4 read token; better in $CELEBCOLLECT_TMDB__TOKEN than in a file."""
    image_size: Literal["original", "h632"] = "original"
    """original: as uploaded; h632: 632 pixels high, enough for most faces and much smaller."""
    requests_per_s: float = Field(default=20, gt=0, le=1000)
    """Most requests per second, a second's worth at once; TMDB allows about 40."""


class CommonsConfig(Section):
    """`[commons]`: the MediaWiki API of Wikimedia Commons."""

    api_url: HttpUrl = "https://commons.wikimedia.org/w/api.php"
    """MediaWiki API."""
    width_px: Annotated[int, AfterValidator(_thumbnail_width)] = 1280
    """Width of the pictures; smaller originals come as they are; 0: always the original. Wikimedia
    scales to 20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920 and 3840 only."""
    requests_per_s: float = Field(default=2, gt=0, le=1000)
    """Most requests to the API per second; Wikimedia allows 200 per minute to programs that say
    whom to write to."""


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
    face_rule: Literal["one", "largest"] = "one"
    """one: exactly one face of at least `min_face_px`; largest: the largest one counts, others may
    be there."""
    min_face_px: int = Field(default=80, ge=1)
    """Narrowest face that counts, in pixels. The detector finds faces from about 80; measured, 80
    to 112 pixels are enough to tell people apart."""
    identity_threshold: float = Field(default=0.60, gt=0)
    """Largest distance of two faces of one person. In 239 photographs 1.7 % of pairs of one person
    are beyond, 0.13 % of pairs of two are within."""
    min_cluster: int = Field(default=3, ge=1)
    """Without a trusted portrait: pictures that must agree before the largest group is taken for
    the person. Not measured: a choice."""
    workers: int = Field(default=0, ge=0, le=256)
    """Processes that look at faces, 120 MB each; 0: one for each core."""
    detector_model: str = ""
    """ONNX file of a face detector of YuNet's shape, used with `embedder_model` instead of dlib;
    needs onnxruntime."""
    embedder_model: str = ""
    """ONNX file of a face embedder of SFace's or ArcFace's shape. Its distances are others than
    dlib's: set `identity_threshold` to fit."""
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
    """Sources whose terms need an agreement for machine learning that you hold, e.g. ["tmdb"]."""
    unknown_distance: float = Field(default=0.55, gt=0, allow_inf_nan=False)
    """A face that is farther than this from every training photograph of the person it is most like
    is `unknown`. Measured with 3 photographs of each of 16 people: 99.4 % are recognised, 0.4 % of
    some 115 strangers are taken for somebody."""


class RunConfig(Section):
    """`[run]`: when `run-all` is content."""

    target_images: int = Field(default=20, ge=1, le=1_000_000)
    """Accepted pictures wanted per person."""
    max_rounds: int = Field(default=3, ge=1, le=100)
    """How often a person who is short is searched at most."""
    busy_exit_code: Annotated[int, AfterValidator(_known_exit_code)] = 3
    """Exit code of a `run-all` that finds another one at work in the same data folder; 0 for a cron
    that is not to complain."""


class Config(Section):
    """The tree of all sections; build it with `configfile.load`."""

    data_dir: Annotated[Path, AfterValidator(_folder)] = Path("data")
    """Embedded databases, images/, quarantine/, models/."""
    kafka: KafkaConfig = KafkaConfig()
    topics: TopicsConfig = TopicsConfig()
    mongo: MongoConfig = MongoConfig()
    http: HttpConfig = HttpConfig()
    wikidata: WikidataConfig = WikidataConfig()
    google: GoogleConfig = GoogleConfig()
    tmdb: TmdbConfig = TmdbConfig()
    commons: CommonsConfig = CommonsConfig()
    store: StoreConfig = StoreConfig()
    clean: CleanConfig = CleanConfig()
    train: TrainConfig = TrainConfig()
    run: RunConfig = RunConfig()


class EnvironmentConfig(Config, BaseSettings):
    """The same with `CELEBCOLLECT_<SECTION>__<KEY>` of the environment above the values that it is made of."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_DELIMITER)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment above the file, which `load` hands in as init arguments."""
        return env_settings, init_settings
