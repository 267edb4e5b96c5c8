"""`store`: download verified candidates, prove that they are pictures, keep the bytes and write down what they are.

File first, document second, offset third: a crash leaves at most a file that nobody points to, and
the repeated message finds it again by its name.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import wait
from datetime import timedelta

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Catalogue
from celebcollect.config.sections import StoreConfig
from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Image, ImageCandidate, Status, clean_text, now
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import IMAGES, QUARANTINE, ImageFolder
from celebcollect.pictures.decode import (
    EXTENSIONS,
    PHASH_VERSION,
    NotAPicture,
    PictureFacts,
    inspect,
)
from celebcollect.stages.reasons import CollectReason, MessageReason, StoreReason
from celebcollect.stages.runner import Output, Stage, decode_candidate
from celebcollect.stages.store.batch import Pictures, Recent
from celebcollect.stages.store.engine import Engine, Job
from celebcollect.stages.store.expired import drop_expired
from celebcollect.stages.store.retry import publish_due
from celebcollect.web import urls
from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.reasons import FetchReason, UrlReason

log = logging.getLogger(__name__)

GROUP = "store"

BATCH = 64
"""Messages per poll: small, so that a batch of slow hosts ends well before Kafka takes us for
dead."""

AHEAD = 3
"""Batches that are begun while the slowest picture of the oldest is still awaited."""

START_WITHIN_S = 180.0
"""What a slow host has not let us begin by then is left for a later run; with the longest download
that stays below five minutes."""

MAX_REST_S = 120.0
"""A host that works and rests for no longer than that is waited for at the end of a run."""

RETRY_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""When a download that failed for a passing reason may be tried again: after the first failed run,
the second, ... then never."""

_FACTS = ("path", "bytes", "format", "width_px", "height_px", "phash", "phash_version")


def store_stage(
    catalogue: Catalogue,
    folder: ImageFolder,
    fetcher: Fetcher,
    settings: StoreConfig,
    *,
    verified_topic: str,
    clean_topic: str,
    tally: Tally,
) -> Stage[ImageCandidate]:
    """
    Return the stage that turns messages on `verified_topic` into files and rows; its threads start with the first batch.

    Pictures that may not be kept any longer are withdrawn from `clean_topic` and fetched again.
    """
    store = _Store(catalogue, folder, fetcher, settings, tally)

    def due(bus: Bus) -> None:
        if dropped := drop_expired(catalogue, folder, bus, clean_topic=clean_topic):
            tally.count(StoreReason.KEPT_TOO_LONG, dropped)
        store.looks_for_due()
        if published := publish_due(catalogue, bus, verified_topic=verified_topic):
            tally.count("retried", published)

    return Stage(
        group=GROUP,
        topics=(verified_topic,),
        decode=decode_candidate,
        handle=store.handle,
        batch=BATCH,
        ahead=AHEAD,
        close=store.close,
        due=due,
        due_in_s=store.due_in_s,
    )


class _Store:
    def __init__(
        self,
        catalogue: Catalogue,
        folder: ImageFolder,
        fetcher: Fetcher,
        settings: StoreConfig,
        tally: Tally,
    ) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._settings = settings
        self._tally = tally
        self._known_bytes = Recent()
        self._under_way: list[Pictures] = []
        self._engine: Engine[Image] = Engine(fetcher, settings)
        self._due_at: float | None = None
        """On the clock of `time.monotonic`: when what waits for resting hosts may be tried
        again."""

    def due_in_s(self) -> float | None:
        """Return in how many seconds this run should look for due pictures, None when it has nothing to wait for."""
        due_at = self._due_at
        return None if due_at is None else max(due_at - time.monotonic(), 0.0)

    def looks_for_due(self) -> None:
        """Note that somebody looks now."""
        self._due_at = None

    def handle(self, candidates: list[ImageCandidate]) -> Output:
        rows = self._rows(candidates)
        batch = Pictures(rows, self._folder)
        self._under_way.append(batch)
        jobs = [self._job(row, batch) for row in rows]
        for job in jobs:
            self._engine.submit(job)
        return Output(
            finish=lambda _: self._finish(batch, [job.result.result() for job in jobs]),
            ready=lambda wait_s: _done(jobs, wait_s),
        )

    def close(self) -> None:
        self._engine.close()
        while self._under_way:
            self._under_way.pop().discard()

    def _finish(self, batch: Pictures, rows: Sequence[Image]) -> None:
        batch.settle()
        if rows:
            self._catalogue.record_stored(
                [self._still_there(row) if row.id in batch.look_again else row for row in rows]
            )
            # Asked after the files have their names: whoever was forgotten later than this has them
            # removed by `forget`.
            for qid in self._catalogue.forgotten({row.qid for row in rows}):
                self._folder.forget(qid)
        self._under_way.remove(batch)

    def _rows(self, candidates: Sequence[ImageCandidate]) -> list[Image]:
        """Return a row for each candidate that is still to be downloaded."""
        rows: dict[str, Image] = {}
        for candidate in candidates:
            try:
                row = Image.verified(candidate, urls.canonical(candidate.url))
            except ValueError:
                # `validate` lets no such URL through; somebody else may have published it.
                self._tally.drop(UrlReason.MALFORMED_URL)
                continue
            if row.id in rows or any(row.id in batch.ids for batch in self._under_way):
                # Under way in an earlier batch, which ends and is committed before this one.
                self._tally.drop(MessageReason.REPEATED)
                continue
            rows[row.id] = row
        for qid in self._catalogue.forgotten({row.qid for row in rows.values()}):
            mine = [row.id for row in rows.values() if row.qid == qid]
            self._tally.drop(CollectReason.FORGOTTEN, len(mine))
            rows = {image_id: row for image_id, row in rows.items() if image_id not in mine}
        known = self._catalogue.images_by_id(rows.keys())
        todo = [
            known.get(image_id, row)
            for image_id, row in rows.items()
            if image_id not in known or _is_open(known[image_id])
        ]
        if len(todo) < len(rows):
            self._tally.drop(MessageReason.KNOWN, len(rows) - len(todo))
        return todo

    def _job(self, row: Image, batch: Pictures) -> Job[Image]:
        return Job(
            url=row.url,
            host=urls.host_of(row.url),
            keep=lambda data: self._keep(row, batch, data),
            give_up=lambda failure: self._failed(row, failure.reason, failure.detail, failure),
            start_before=time.monotonic() + START_WITHIN_S,
        )

    def _keep(self, row: Image, batch: Pictures, data: bytes) -> Image:
        """Turn bytes into a stored row and a file, or into a failed row and no file."""
        sha256 = hashlib.sha256(data).hexdigest()
        facts = self._known(sha256)
        try:
            measured = facts or inspect(data, max_pixels=self._settings.max_pixels)
        except NotAPicture as error:
            return self._failed(row, error.reason, error.detail, None)
        self._known_bytes.put(sha256, measured)
        extension = EXTENSIONS[measured.format]
        # Known bytes of the same person are one file, which may lie in quarantine by now: it stays
        # where it is.
        path = (facts and self._place(row.qid, sha256, extension)) or batch.files.put(
            row.qid, sha256, extension, data
        )
        if facts:
            batch.look_again.add(row.id)
        self._tally.count("stored")
        self._tally.count("bytes", len(data))
        update = {
            "format": measured.format,
            "width_px": measured.width_px,
            "height_px": measured.height_px,
            "phash": measured.phash,
            "phash_version": measured.phash_version,
            "status": Status.STORED,
            "reason": None,
            "detail": None,
            "sha256": sha256,
            "path": path,
            "bytes": len(data),
            "attempts": row.attempts + 1,
            "retry_at": None,
            "stored_at": now(),
        }
        return row.model_copy(update=update)

    def _known(self, sha256: str) -> PictureFacts | None:
        """Return what was measured on these bytes before, whoever's they are."""
        recent = self._known_bytes.get(sha256)
        if recent:
            return recent
        for twin in self._catalogue.with_bytes([sha256]):
            if (
                twin.phash_version == PHASH_VERSION
                and twin.format in EXTENSIONS
                and twin.width_px
                and twin.height_px
                and twin.phash
            ):
                return PictureFacts(
                    twin.format, twin.width_px, twin.height_px, twin.phash, PHASH_VERSION
                )
        return None

    def _place(self, qid: str, sha256: str, extension: str) -> str | None:
        """Return where a person's file with these bytes lies, or None when there is none."""
        paths = (f"{kind}/{qid}/{sha256}.{extension}" for kind in (IMAGES, QUARANTINE))
        return next((path for path in paths if self._folder.file(path).exists()), None)

    def _failed(
        self, row: Image, reason: Reason, detail: str, failure: FetchFailed | None
    ) -> Image:
        self._tally.count("failed")
        self._tally.drop(reason)
        log.debug("failed reason=%s detail=%r qid=%s url=%r", reason, detail, row.qid, row.url)
        soon_s = _worth_waiting_s(failure) if failure else None
        retry_at = None
        if soon_s is not None:
            retry_at = now() + timedelta(seconds=soon_s)
            # a second, because `now` leaves out the fraction
            self._due_at = max(self._due_at or 0.0, time.monotonic() + soon_s + 1)
        elif failure and failure.transient and row.attempts < len(RETRY_AFTER):
            retry_at = now() + max(
                RETRY_AFTER[row.attempts], timedelta(seconds=failure.retry_after_s or 0)
            )
        update = {
            "status": Status.FAILED,
            "attempts": row.attempts + (soon_s is None),
            "retry_at": retry_at,
        }
        if (
            reason not in (FetchReason.HOST_RESTING, StoreReason.HOST_TOO_SLOW)
            or row.reason is None
        ):  # else nothing new was learnt
            update |= {"reason": reason.value, "detail": clean_text(detail)[:200] or None}
        return row.model_copy(update=update)

    def _still_there(self, row: Image) -> Image:
        """Return the row as true as it is now: `clean` may have moved the file since, because of another row with the same bytes."""
        if row.path is None or row.sha256 is None or self._folder.file(row.path).exists():
            return row
        path = self._place(row.qid, row.sha256, row.path.rpartition(".")[2])
        if path:
            return row.model_copy(update={"path": path})
        gone = FetchFailed(StoreReason.FILE_VANISHED, row.path, transient=True)
        emptied = row.model_copy(
            update={**dict.fromkeys((*_FACTS, "sha256", "stored_at")), "attempts": row.attempts - 1}
        )
        return self._failed(emptied, gone.reason, gone.detail, gone)


def _worth_waiting_s(failure: FetchFailed) -> float | None:
    """Return how long to wait within this run for a host that works and is left alone for a moment; None: another run may try."""
    wait_s = failure.retry_after_s
    return (
        wait_s
        if failure.reason == FetchReason.HOST_RESTING
        and failure.answered_before
        and wait_s is not None
        and wait_s <= MAX_REST_S
        else None
    )


def _done(jobs: Sequence[Job[Image]], wait_s: float) -> bool:
    return not wait([job.result for job in jobs], wait_s).not_done


def _is_open(row: Image) -> bool:
    """Tell whether a known row still wants its download: never tried, or failed for a passing reason long enough ago."""
    return row.status is Status.VERIFIED or (
        row.status is Status.FAILED and row.retry_at is not None and row.retry_at <= now()
    )
