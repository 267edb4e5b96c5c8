"""One person's pictures on their way through `validate` and `store`, with real parts throughout."""

from __future__ import annotations

import threading
from pathlib import Path

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.domain.records import Image, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.runner import consume
from celebcollect.stages.store.stage import store_stage
from celebcollect.stages.validate import validate_stage
from celebcollect.web.fetch import Fetcher

VERIFIED = "urlsVerifie"
CLEAN = "dataclean"


def candidate(url: str, qid: str = "Q42", **facts: object) -> ImageCandidate:
    """Return a candidate message."""
    return ImageCandidate.model_validate(
        {"schema": 1, "qid": qid, "name": f"Name of {qid}", "url": url, "source": "test", **facts}
    )


class Bench:
    """A data folder with log, catalogue and pictures."""

    def __init__(self, data_dir: Path, **store: object) -> None:
        self.data_dir = data_dir
        self.settings = StoreConfig(**{"allow_private_addresses": True, "workers": 4, **store})
        self.bus = EmbeddedBus(data_dir / "log")
        self.catalogue = EmbeddedCatalogue(data_dir / "catalogue.sqlite3")
        self.folder = ImageFolder(data_dir)

    def publish(self, topic: str, *candidates: ImageCandidate) -> None:
        """Put candidates on a topic."""
        self.bus.publish(topic, [(one.qid, one.to_json()) for one in candidates])

    def validate(self, *, allow_private: bool = True) -> Tally:
        """Drain the topics of the sources."""
        tally = Tally()
        stage = validate_stage(
            self.catalogue,
            candidate_topics=["urls", "urlsFromTmdb"],
            verified_topic=VERIFIED,
            allow_private=allow_private,
            tally=tally,
        )
        consume(
            stage, self.bus, tally, stop=threading.Event(), more_may_come=lambda: False, poll_s=0.01
        )
        return tally

    def store(self, *, timeout_s: float = 5) -> Tally:
        """Drain the topic of verified candidates."""
        tally = Tally()
        fetcher = Fetcher(self.settings, HttpConfig(timeout_s=timeout_s))
        stage = store_stage(
            self.catalogue,
            self.folder,
            fetcher,
            self.settings,
            verified_topic=VERIFIED,
            clean_topic=CLEAN,
            tally=tally,
        )
        try:
            consume(
                stage,
                self.bus,
                tally,
                stop=threading.Event(),
                more_may_come=lambda: False,
                poll_s=0.01,
            )
        finally:
            fetcher.close()
        return tally

    def rows(self) -> dict[str, Image]:
        """Return all rows, by the last part of their URL and their person."""
        return {
            f"{row.qid}{row.url[row.url.rindex('/') :]}": row for row in self.catalogue.images()
        }

    def row(self, name: str) -> Image:
        """Return the one row of Q42 with this URL path."""
        return self.rows()[f"Q42/{name}"]

    def lag(self) -> int:
        """Return how many verified candidates are not committed."""
        return sum(
            info.lag.get("store", info.messages)
            for info in self.bus.topics()
            if info.name == VERIFIED
        )

    def files(self) -> set[str]:
        """Return every file under the image folders, temporary ones too."""
        folders = [self.data_dir / name for name in ("images", "quarantine", "tmp")]
        return {
            file.relative_to(self.data_dir).as_posix()
            for folder in folders
            for file in folder.rglob("*")
            if file.is_file()
        }

    def close(self) -> None:
        """Close log and catalogue."""
        self.bus.close()
        self.catalogue.close()
