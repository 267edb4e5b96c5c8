"""Turn downloaded bytes into a file and a stored row, or into a failed row and no file."""

from __future__ import annotations

import hashlib

from celebcollect.catalogue.base import Images
from celebcollect.config.sections import StoreConfig
from celebcollect.domain.records import Image, Status, now
from celebcollect.domain.tally import Tally
from celebcollect.images.base import IMAGES, ImageStore
from celebcollect.pictures.decode import PictureFacts, inspect
from celebcollect.pictures.formats import EXTENSIONS, NotAPicture
from celebcollect.pictures.hash import PHASH_VERSION
from celebcollect.stages.reasons import StoreReason
from celebcollect.stages.store.again import restoration, restored_from
from celebcollect.stages.store.batch import DownloadBatch, RecentFacts
from celebcollect.stages.store.failures import Failures
from celebcollect.web.fetch import FetchFailed

_FACTS = ("path", "bytes", "format", "width_px", "height_px", "phash", "phash_version")


class PictureSaver:
    """Inspects bytes and keeps them in the image folder. Thread-safe."""

    def __init__(
        self,
        catalogue: Images,
        folder: ImageStore,
        settings: StoreConfig,
        failures: Failures,
        tally: Tally,
    ) -> None:
        self._catalogue, self._folder = catalogue, folder
        self._settings, self._failures, self._tally = settings, failures, tally
        self._recent = RecentFacts()

    def save(self, row: Image, batch: DownloadBatch, data: bytes) -> Image:
        """Return the row as it is after its download; the file gets its name with the batch."""
        sha256 = hashlib.sha256(data).hexdigest()
        known = self._known(sha256)
        try:
            facts = known or inspect(data, max_pixels=self._settings.max_pixels)
        except NotAPicture as error:
            return self._failures.of_picture(row, error.reason, error.detail)
        self._recent.put(sha256, facts)
        extension = EXTENSIONS[facts.format]
        # Known bytes of the same person are one file, which may lie in quarantine by now: it stays
        # where it is.
        path = self._find(row.qid, sha256, extension) if known else None
        if path is None:
            path = batch.files.put(row.qid, sha256, extension, data)
        if known:
            batch.look_again.add(row.id)
        self._tally.count("stored")
        self._tally.count("bytes", len(data))
        update = {
            "format": facts.format,
            "width_px": facts.width_px,
            "height_px": facts.height_px,
            "phash": facts.phash,
            "phash_version": facts.phash_version,
            "status": Status.STORED,
            "reason": None,
            "detail": None,
            "sha256": sha256,
            "path": path,
            "bytes": len(data),
            "attempts": row.attempts + 1,
            "retry_at": None,
            "stored_at": now(),
            "restored_from": restored_from(row, sha256),
            "facts": {},
        }
        return row.model_copy(update=update)

    def still_there(self, row: Image) -> Image:
        """
        Return the row as true as it is now.

        `clean` may have moved the file since, because of another row with the same bytes.
        """
        if row.path is None or row.sha256 is None or self._folder.holds(row.path):
            return row
        path = self._find(row.qid, row.sha256, row.path.rpartition(".")[2])
        if path:
            return row.model_copy(update={"path": path})
        nothing = dict.fromkeys((*_FACTS, "sha256", "stored_at", "restored_from"))
        emptied = row.model_copy(
            update={**nothing, "attempts": row.attempts - 1, "facts": restoration(row)}
        )
        gone = FetchFailed(StoreReason.FILE_VANISHED, row.path, transient=True)
        return self._failures.of_download(emptied, gone)

    def _known(self, sha256: str) -> PictureFacts | None:
        """Return what was measured on these bytes before, whoever's they are."""
        recent = self._recent.get(sha256)
        if recent:
            return recent
        for twin in self._catalogue.with_bytes([sha256]):
            if twin.phash_version != PHASH_VERSION or twin.format not in EXTENSIONS:
                continue
            if twin.width_px and twin.height_px and twin.phash:
                return PictureFacts(
                    twin.format, twin.width_px, twin.height_px, twin.phash, PHASH_VERSION
                )
        return None

    def _find(self, qid: str, sha256: str, extension: str) -> str | None:
        """Return where a person's file with these bytes lies, or None when there is none."""
        return self._folder.find(f"{IMAGES}/{qid}/{sha256}.{extension}")
