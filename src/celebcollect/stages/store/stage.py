"""`store`: download verified candidates, keep what is a picture, and write down what it is.

File first, document second, offset third: a crash leaves at most a file that nobody points to, and
the repeated message finds it again by its name.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Forgetting, Images, Notes, Work
from celebcollect.config.sections import StoreConfig
from celebcollect.domain.records import Image, ImageCandidate, Status, now
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.stages.messages import decode_candidate
from celebcollect.stages.reasons import CollectReason, MessageReason, StoreReason
from celebcollect.stages.runner import Output, Stage
from celebcollect.stages.schedule import Schedule
from celebcollect.stages.store.batch import DownloadBatch
from celebcollect.stages.store.engine import Download, DownloadEngine
from celebcollect.stages.store.expired import drop_expired
from celebcollect.stages.store.failures import Failures
from celebcollect.stages.store.gather import gather
from celebcollect.stages.store.retry import publish_due
from celebcollect.stages.store.saver import PictureSaver
from celebcollect.web import urls
from celebcollect.web.fetch import Fetcher
from celebcollect.web.reasons import UrlReason

GROUP = "store"

BATCH = 64
"""Messages per poll: small, so that a batch of slow hosts ends well before Kafka takes us for
dead."""

AHEAD = 3
"""Batches that are begun while the slowest picture of the oldest is still awaited."""

START_WITHIN_S = 180.0
"""What a slow host has not let us begin by then is left for a later run; with the longest download
that stays below five minutes."""


class StoreCatalogue(Images, Work, Forgetting, Notes, Protocol):
    """What `store` needs of the catalogue."""


def store_stage(
    catalogue: StoreCatalogue,
    folder: ImageStore,
    fetcher: Fetcher,
    settings: StoreConfig,
    *,
    verified_topic: str,
    clean_topic: str,
    tally: Tally,
) -> Stage[ImageCandidate]:
    """
    Return the stage that turns messages on `verified_topic` into files and rows.

    Its threads start with the first batch. Pictures that may not be kept any longer are withdrawn
    from `clean_topic` and fetched again.
    """

    def publish_all_due(bus: Bus) -> None:
        if dropped := drop_expired(catalogue, folder, bus, clean_topic=clean_topic):
            tally.count(StoreReason.KEPT_TOO_LONG, dropped)
        if published := publish_due(catalogue, bus, verified_topic=verified_topic):
            tally.count("retried", published)

    schedule = Schedule(publish_all_due)
    failures = Failures(tally, schedule)
    saver = PictureSaver(catalogue, folder, settings, failures, tally)
    engine: DownloadEngine[Image] = DownloadEngine(fetcher, settings)
    store = _Store(catalogue, folder, engine, saver, failures, tally)
    return Stage(
        group=GROUP,
        topics=(verified_topic,),
        decode=decode_candidate,
        handle=store.handle,
        batch=BATCH,
        ahead=AHEAD,
        close=store.close,
        schedule=schedule,
    )


class _Store:
    def __init__(
        self,
        catalogue: StoreCatalogue,
        folder: ImageStore,
        engine: DownloadEngine[Image],
        saver: PictureSaver,
        failures: Failures,
        tally: Tally,
    ) -> None:
        self._catalogue, self._folder, self._engine = catalogue, folder, engine
        self._saver, self._failures, self._tally = saver, failures, tally
        self._under_way: list[DownloadBatch] = []
        """Batches that are handled, and those that are written down at the same time."""

    def handle(self, candidates: list[ImageCandidate]) -> Future[Output]:
        rows = self._to_download(self._rows(candidates))
        batch = DownloadBatch(rows, self._folder)
        self._under_way.append(batch)
        output: Future[Output] = Future()

        def downloaded(all_rows: Future[list[Image]]) -> None:
            error = all_rows.exception()
            if error:
                output.set_exception(error)
            else:
                output.set_result(Output(finish=lambda _: self._finish(batch, all_rows.result())))

        downloads = [self._download(row, batch) for row in rows]
        gather([download.result for download in downloads]).add_done_callback(downloaded)
        for download in downloads:
            self._engine.submit(download)
        return output

    def close(self) -> None:
        self._engine.close()
        while self._under_way:
            self._under_way.pop().discard()

    def _finish(self, batch: DownloadBatch, rows: Sequence[Image]) -> None:
        batch.settle()
        if rows:
            self._catalogue.record_stored(
                [
                    self._saver.still_there(row) if row.id in batch.look_again else row
                    for row in rows
                ]
            )
            # Asked after the files have their names: whoever was forgotten later than this has them
            # removed by `forget`.
            for qid in self._catalogue.forgotten({row.qid for row in rows}):
                self._folder.forget(qid)
        self._under_way.remove(batch)

    def _rows(self, candidates: Sequence[ImageCandidate]) -> dict[str, Image]:
        """Return a new row by id for each candidate that is not under way."""
        # A copy, because earlier batches are finished meanwhile. It is made before the catalogue is
        # asked: what is finished in between is in one of the two.
        under_way = [batch.ids for batch in self._under_way.copy()]
        rows: dict[str, Image] = {}
        for candidate in candidates:
            try:
                row = Image.verified(candidate, urls.canonical(candidate.url))
            except ValueError:
                # `validate` lets no such URL through; somebody else may have published it.
                self._tally.drop(UrlReason.MALFORMED_URL)
                continue
            if row.id in rows or any(row.id in ids for ids in under_way):
                # An earlier batch ends and is committed before this one.
                self._tally.drop(MessageReason.REPEATED)
                continue
            rows[row.id] = row
        return rows

    def _to_download(self, rows: dict[str, Image]) -> list[Image]:
        """Return the rows that are still to be downloaded, as the catalogue has them."""
        gone = self._catalogue.forgotten({row.qid for row in rows.values()})
        allowed = {image_id: row for image_id, row in rows.items() if row.qid not in gone}
        self._tally.drop(CollectReason.FORGOTTEN, len(rows) - len(allowed))
        known = self._catalogue.images_by_id(allowed.keys())
        todo = [
            known.get(image_id, row)
            for image_id, row in allowed.items()
            if image_id not in known or _is_open(known[image_id])
        ]
        if len(todo) < len(allowed):
            self._tally.drop(MessageReason.KNOWN, len(allowed) - len(todo))
        return todo

    def _download(self, row: Image, batch: DownloadBatch) -> Download[Image]:
        return Download(
            url=row.url,
            host=urls.host_of(row.url),
            keep=lambda data: self._saver.save(row, batch, data),
            give_up=lambda failure: self._failures.of_download(row, failure),
            start_before=time.monotonic() + START_WITHIN_S,
        )


def _is_open(row: Image) -> bool:
    """
    Tell whether a known row still wants its download.

    It was never tried, or failed for a passing reason long enough ago.
    """
    if row.status is Status.FAILED:
        return row.retry_at is not None and row.retry_at <= now()
    return row.status is Status.VERIFIED
