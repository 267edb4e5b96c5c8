"""The composition root: from a configuration to an open log, catalogue, image folder and sources.

Everything is opened when it is first asked for and imported only then, so a command pays for what
it uses.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from celebcollect.bus.base import Bus, TopicSpec
from celebcollect.catalogue.base import Catalogue
from celebcollect.config.sections import Config
from celebcollect.domain.errors import StorageError, UsageError
from celebcollect.domain.records import ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import Source
from celebcollect.stages.runner import Stage

if TYPE_CHECKING:
    from celebcollect.catalogue.base import Notes
    from celebcollect.checks.base import Check
    from celebcollect.images.folder import ImageFolder
    from celebcollect.sources.commons.source import Commons
    from celebcollect.sources.google.source import Google
    from celebcollect.sources.tmdb.source import Tmdb
    from celebcollect.sources.wikidata import Wikidata
    from celebcollect.web.fetch import Fetcher

log = logging.getLogger(__name__)

SOURCES = ("google", "tmdb", "commons")
"""Names of the picture sources, as `--sources` takes them."""


class App:
    """
    What the commands work with. Use it as a context manager: leaving it closes what was opened, last opened first.

    `stop` ends the waiting for a service that is gone.
    """

    def __init__(self, config: Config, *, stop: threading.Event | None = None) -> None:
        self.config = config
        self._stop = stop
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def data_dir(self) -> Path:
        """
        The folder of everything that is kept, made when missing.

        Raises:
            StorageError: It cannot be made.
        """
        folder = self.config.data_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"cannot make the data folder {folder}: {error.strerror}",
                hint="Set data_dir to a folder that can be written.",
            ) from error
        return folder

    @cached_property
    def bus(self) -> Bus:
        """The message log: Kafka when it is configured, else embedded; all topics exist."""
        bus: Bus
        if self.config.kafka.bootstrap_servers:
            from celebcollect.bus.kafka import KafkaBus

            bus = KafkaBus(self.config.kafka, stop=self._stop)
        else:
            from celebcollect.bus.sqlite.bus import EmbeddedBus

            bus = EmbeddedBus(self.data_dir / "log")
        self._open.callback(bus.close)
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

            catalogue = EmbeddedCatalogue(self.data_dir / "catalogue.sqlite3")
        self._open.callback(catalogue.close)
        return catalogue

    @cached_property
    def folder(self) -> ImageFolder:
        """The image folder, with what dead processes left behind swept away."""
        from celebcollect.images.folder import ImageFolder

        folder = ImageFolder(self.data_dir)
        folder.sweep()
        return folder

    @cached_property
    def fetcher(self) -> Fetcher:
        """The guarded download of pictures."""
        from celebcollect.web.fetch import Fetcher

        fetcher = Fetcher(self.config.store, self.config.http)
        self._open.callback(fetcher.close)
        return fetcher

    @cached_property
    def checks(self) -> list[Check]:
        """The checks of `clean`, cheap ones first."""
        from celebcollect.checks import build_checks

        return build_checks(self.config.clean, self.config.store)

    def wikidata(
        self, tally: Tally, *, wait: Callable[[float], bool], notes: Notes | None = None
    ) -> Wikidata:
        """Return the source of people; `wait` waits so many seconds and returns True when the work is to stop. The catalogue keeps the notes."""
        from celebcollect.sources.wikidata import Wikidata
        from celebcollect.web.user_agent import user_agent

        return Wikidata(
            self.config.wikidata,
            user_agent=user_agent(self.config.http.contact),
            tally=tally,
            notes=notes or self.catalogue,
            wait=wait,
        )

    def source(
        self,
        name: str,
        tally: Tally,
        *,
        wait: Callable[[float], bool],
        save_page: Path | None = None,
    ) -> Source:
        """
        Return a source of pictures; it is closed with the app at the latest.

        Args:
            name: One of `SOURCES`.
            tally: Takes the reasons of what the source leaves out.
            wait: Waits so many seconds between requests; may return early when the work is to stop.
            save_page: Where the browser's pages are kept, for a source that has a browser.
        """
        source: Source
        if name == "google":
            source = self.google(tally, wait=wait, save_page=save_page)
        elif name == "tmdb":
            source = self.tmdb(tally, wait=wait)
        elif name == "commons":
            source = self.commons(tally, wait=wait)
        else:
            raise UsageError(f"unknown source: {name}", hint=f"Sources are {', '.join(SOURCES)}.")
        return source

    def google(
        self,
        tally: Tally,
        *,
        wait: Callable[[float], bool],
        save_page: Path | None = None,
        notes: Notes | None = None,
    ) -> Google:
        """Return Google Images; its browser starts with the first query."""
        from celebcollect.sources.google.source import Google

        topic = self.config.topics.google
        source = Google(
            self.config.google,
            topic=topic,
            data_dir=self.data_dir,
            tally=tally,
            notes=notes or self.catalogue,
            save_page=save_page,
            wait=wait,
        )
        self._open.callback(source.close)
        return source

    def tmdb(self, tally: Tally, *, wait: Callable[[float], bool]) -> Tmdb:
        """Return TMDB."""
        from celebcollect.sources.tmdb.source import Tmdb

        source = Tmdb(
            self.config.tmdb,
            self.config.http,
            topic=self.config.topics.tmdb,
            tally=tally,
            wait=wait,
        )
        self._open.callback(source.close)
        return source

    def commons(self, tally: Tally, *, wait: Callable[[float], bool]) -> Commons:
        """Return Wikimedia Commons."""
        from celebcollect.sources.commons.source import Commons

        source = Commons(
            self.config.commons,
            self.config.http,
            topic=self.config.topics.commons,
            tally=tally,
            wait=wait,
        )
        self._open.callback(source.close)
        return source

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
        if source == "tmdb" and not self.config.tmdb.token.get_secret_value():
            return (
                "no token (set CELEBCOLLECT_TMDB__TOKEN, see"
                " https://www.themoviedb.org/settings/api)"
            )
        if source == "google":
            from celebcollect.sources.google.programs import missing_browser

            return missing_browser(self.config.google)
        return None

    def per_search(self, source: str) -> int:
        """Return how many candidates one search of a source asks for; later rounds ask for as many more."""
        return (
            self.config.google.images_per_celebrity
            if source == "google"
            else self.config.run.target_images
        )
