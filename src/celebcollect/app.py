"""The composition root: from a configuration to an open log, catalogue, image folder and sources.

Everything is opened when it is first asked for and imported only then, so a command pays for what
it uses.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from celebcollect.bus.base import TopicSpec
from celebcollect.configuration import sections_of_checks
from celebcollect.disk.data_folder import DataFolder
from celebcollect.sources.base import SourceContext
from celebcollect.sources.registry import Sources, usable

if TYPE_CHECKING:
    from celebcollect.bus.base import Bus
    from celebcollect.catalogue.base import Catalogue, Notes
    from celebcollect.checks.base import Check
    from celebcollect.config.tree import Config
    from celebcollect.domain.records import ImageCandidate
    from celebcollect.domain.tally import Tally
    from celebcollect.images.base import ImageStore
    from celebcollect.sources.base import PeopleSource, Source
    from celebcollect.sources.wikidata.settings import WikidataConfig
    from celebcollect.stages.runner import Stage
    from celebcollect.web.fetch import Fetcher

log = logging.getLogger(__name__)


class App:
    """
    What the commands work with; leaving it as a context closes what was opened.

    `stop` ends the waiting for a service that is gone. Who is `looking` makes nothing: no folder,
    no file, no topic. Where there is nothing yet, empty databases outside of the data folder stand
    in, until the app is closed.
    """

    def __init__(
        self, config: Config, *, stop: threading.Event | None = None, looking: bool = False
    ) -> None:
        self.config = config
        self._stop = stop
        self._looking = looking
        self._open = ExitStack()
        self._data = DataFolder(config.data_dir, looking=looking)
        self._open.callback(self._data.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def data_dir(self) -> Path:
        """
        The folder of everything that is kept, made when missing by who does more than look.

        Raises:
            StorageError: It cannot be made.
        """
        return self._data.path

    @cached_property
    def bus(self) -> Bus:
        """The message log: Kafka when it is configured, else embedded; all topics exist."""
        bus: Bus
        if self.config.kafka.bootstrap_servers:
            from celebcollect.bus.kafka import KafkaBus

            bus = KafkaBus(self.config.kafka, stop=self._stop)
        else:
            from celebcollect.bus.sqlite.bus import EmbeddedBus

            bus = EmbeddedBus(self._data.database("log"))
        self._open.callback(bus.close)
        if self._looking and bus.kind == "kafka":
            return bus
        topics = self.config.topics
        bus.ensure([TopicSpec(name, compacted=name == topics.clean) for name in topics.all()])
        return bus

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue: MongoDB when it is configured, else embedded."""
        catalogue: Catalogue
        if self.config.mongo.uri.get_secret_value():
            from celebcollect.catalogue.mongo import MongoCatalogue

            catalogue = MongoCatalogue(self.config.mongo, stop=self._stop)
        else:
            from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue

            catalogue = EmbeddedCatalogue(self._data.database("catalogue.sqlite3"))
        self._open.callback(catalogue.close)
        return catalogue

    @cached_property
    def folder(self) -> ImageStore:
        """The image folder, with what dead processes left behind swept away."""
        from celebcollect.images.folder import ImageFolder

        folder = ImageFolder(self.data_dir)
        if not self._looking:
            folder.sweep()
        return folder

    @cached_property
    def fetcher(self) -> Fetcher:
        """The guarded download of pictures."""
        from celebcollect.pictures.decode import is_picture
        from celebcollect.web.fetch import Fetcher

        store = self.config.store
        fetcher = Fetcher(
            store,
            self.config.http,
            is_whole=lambda data: is_picture(data, max_pixels=store.max_pixels),
        )
        self._open.callback(fetcher.close)
        return fetcher

    @cached_property
    def checks(self) -> list[Check]:
        """The checks of `clean`, cheap ones first."""
        from celebcollect.checks import build_checks

        own = {name: self.config.section(name) for name in sections_of_checks()}
        return build_checks(self.config.clean, self.config.store, own)

    @property
    def people_settings(self) -> WikidataConfig:
        """The section of the source of people."""
        settings: WikidataConfig = self.config.section("wikidata")
        return settings

    def people_source(
        self, tally: Tally, *, wait: Callable[[float], bool], notes: Notes | None = None
    ) -> PeopleSource:
        """Return the source of people; `notes` stand in for the catalogue."""
        from celebcollect.sources.wikidata.people import Wikidata
        from celebcollect.web.user_agent import user_agent

        return Wikidata(
            self.people_settings,
            user_agent=user_agent(self.config.http.contact),
            tally=tally,
            notes=notes or self.catalogue,
            wait=wait,
        )

    @property
    def sources(self) -> Sources:
        """The sources of pictures that are installed."""
        return usable()

    def source(
        self,
        name: str,
        tally: Tally,
        *,
        wait: Callable[[float], bool],
        options: Mapping[str, Any] | None = None,
    ) -> Source:
        """
        Return a source of pictures; it is closed with the app at the latest.

        Args:
            name: One of `sources`.
            tally: Takes the reasons of what the source leaves out.
            wait: Waits so many seconds between requests; may return early when the work is to stop.
            options: What the options of its own command say.

        Raises:
            UsageError: There is no such source.
        """
        spec = self.sources.named(name)
        source = spec.build(self.source_context(name, tally, wait=wait, options=options))
        self._open.callback(source.close)
        return source

    def source_context(
        self,
        name: str,
        tally: Tally,
        *,
        wait: Callable[[float], bool],
        options: Mapping[str, Any] | None = None,
        notes: Notes | None = None,
    ) -> SourceContext[Any]:
        """Return what a source is built with; the catalogue keeps its notes."""
        return SourceContext(
            settings=self.config.section(name),
            http=self.config.http,
            topic=self.config.topics.of(name),
            tally=tally,
            notes=notes or self.catalogue,
            wait=wait,
            open_data_dir=lambda: self._data.scratch,
            options=options or {},
        )

    def validate(self, tally: Tally) -> Stage[ImageCandidate]:
        """Return the `validate` stage."""
        from celebcollect.stages.validate import validate_stage

        topics = self.config.topics
        allow_private = self.config.store.allow_private_addresses
        return validate_stage(
            self.catalogue,
            candidate_topics=topics.candidates(),
            verified_topic=topics.verified,
            allow_private=allow_private,
            tally=tally,
        )

    def store(self, tally: Tally) -> Stage[ImageCandidate]:
        """Return the `store` stage."""
        from celebcollect.stages.store.stage import store_stage

        topics = self.config.topics
        return store_stage(
            self.catalogue,
            self.folder,
            self.fetcher,
            self.config.store,
            verified_topic=topics.verified,
            clean_topic=topics.clean,
            tally=tally,
        )

    def why_unusable(self, source: str) -> str | None:
        """Return what a source lacks on this machine, or None when it can be tried."""
        return self.sources.named(source).unusable(self.config.section(source))

    def per_search(self, source: str) -> int:
        """Return how many candidates a search asks for; later rounds ask for as many more."""
        own = self.sources.named(source).per_search
        return own(self.config.section(source)) if own else self.config.run.target_images
