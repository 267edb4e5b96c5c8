"""The tree of all sections: those of the program, and those that sources bring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

from pydantic import ConfigDict, Field, create_model, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from celebcollect.config.environment import ENV_DELIMITER, ENV_PREFIX
from celebcollect.config.fields import DEAD, MAX_TOPIC_CHARS, Folder, Section, Topic
from celebcollect.config.sections import (
    CleanConfig,
    HttpConfig,
    KafkaConfig,
    MongoConfig,
    RunConfig,
    StoreConfig,
    TrainConfig,
)


class TopicsConfig(Section):
    """`[topics]`: the names on the wire; the topics of the sources come first."""

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
        if any(len(name) + len(DEAD) > MAX_TOPIC_CHARS for name in names):
            raise ValueError(
                f"names may have {MAX_TOPIC_CHARS - len(DEAD)} characters, so that {DEAD} fits"
                " behind them"
            )
        return self

    @classmethod
    def written_order(cls) -> tuple[str, ...]:
        """Return the keys in the order of the pipeline."""
        return (*cls.of_sources(), *TopicsConfig.model_fields)

    @classmethod
    def of_sources(cls) -> tuple[str, ...]:
        """Return the names of the sources that have a topic."""
        return tuple(key for key in cls.model_fields if key not in TopicsConfig.model_fields)

    def of(self, source: str) -> str:
        """Return the topic of a source."""
        return str(getattr(self, source))

    def candidates(self) -> tuple[str, ...]:
        """Return the topics that sources write and `validate` reads."""
        return tuple(map(self.of, self.of_sources()))

    def all(self) -> tuple[str, ...]:
        """Return all topics in the order of the pipeline."""
        return (*self.candidates(), self.verified, self.clean)


class Config(Section):
    """The program's own sections; `tree` adds those of the sources, `config.file.load` reads it."""

    # Of the trees that are made of this one, the last is filled: the others need no validator.
    model_config = ConfigDict(defer_build=True)

    data_dir: Folder = Path("data")
    """Embedded databases, images/, quarantine/, models/; relative to the file that names it."""
    kafka: KafkaConfig = KafkaConfig()
    topics: TopicsConfig = TopicsConfig()
    mongo: MongoConfig = MongoConfig()
    http: HttpConfig = HttpConfig()
    store: StoreConfig = StoreConfig()
    clean: CleanConfig = CleanConfig()
    train: TrainConfig = TrainConfig()
    run: RunConfig = RunConfig()

    @classmethod
    def written_order(cls) -> tuple[str, ...]:
        """Return the keys in the order of the pipeline: sources come before `store`."""
        own = tuple(Config.model_fields)
        added = tuple(key for key in cls.model_fields if key not in own)
        at = own.index("store")
        return (*own[:at], *added, *own[at:])

    def section(self, name: str) -> Any:
        """Return the section that a source has brought."""
        return getattr(self, name)


class SourceTopic(NamedTuple):
    """The key of a source in `[topics]`."""

    default: str
    meaning: str


def tree(sections: Mapping[str, type[Section]], topics: Mapping[str, SourceTopic]) -> type[Config]:
    """Return the model of a configuration with these sections and topics beside our own."""
    own_topics: dict[str, Any] = {
        name: (Topic, Field(default=topic.default, description=topic.meaning))
        for name, topic in topics.items()
    }
    topics_model = create_model("TopicsOfSources", __base__=TopicsConfig, **own_topics)
    added: dict[str, Any] = {name: (model, model()) for name, model in sections.items()}
    return create_model(
        "ConfigOfSources", __base__=Config, topics=(topics_model, topics_model()), **added
    )


class _Environment(BaseSettings):
    """`CELEBCOLLECT_<SECTION>__<KEY>` of the environment above the values that it is made of."""

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


@cache
def environment_of(model: type[Config]) -> type[Config]:
    """Return a model that, when it is made, takes values of the environment first."""
    bases: Any = (model, _Environment)  # pydantic's types know one kind of base only
    made: Any = create_model("EnvironmentConfig", __base__=bases)
    return cast("type[Config]", made)
