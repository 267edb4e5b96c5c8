"""Remember what queries have brought, so that a rerun asks Google nothing.

One file per person and query, in `data_dir`.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from pathlib import Path

from pydantic import AwareDatetime

from celebcollect.disk.files import disk_errors
from celebcollect.domain.records import Record, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.google.kept_pages import pages
from celebcollect.sources.google.reasons import GoogleReason
from celebcollect.sources.google.records import FoundPicture

log = logging.getLogger(__name__)


class CachedAnswer(Record):
    """What one query has brought."""

    address: str
    """URL of the result page."""
    at: AwareDatetime
    complete: bool
    """There was nothing more to be had."""
    found: tuple[FoundPicture, ...] = ()


class AnswerCache:
    """
    Answers on disk.

    Those older than `max_age_days` are forgotten when they are met; 0 keeps nothing.
    """

    def __init__(self, data_dir: Path, *, max_age_days: float, tally: Tally) -> None:
        self._folder = _folder(data_dir)
        self._max_age = timedelta(days=max_age_days)
        self._tally = tally

    def get(self, qid: str, address: str) -> CachedAnswer | None:
        """Return the answer to a query of this person, or None when it has to be asked."""
        file = self._file(qid, address)
        try:
            answer = CachedAnswer.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            self._tally.drop(GoogleReason.CACHE_UNREADABLE)
            log.warning(
                "cannot read a remembered answer, it will be asked again file=%s error=%s",
                file,
                type(error).__name__,
            )
            return None
        if answer.address != address or not timedelta(0) <= now() - answer.at < self._max_age:
            return None
        return answer

    def put(self, qid: str, answer: CachedAnswer) -> None:
        """
        Remember an answer; a process that dies here leaves the old one or the new one.

        Raises:
            StorageError: The disk refuses.
        """
        if not self._max_age:
            return
        file = self._file(qid, answer.address)
        # of a fixed name: what a dead process left is written over
        part = file.with_suffix(".part")
        with disk_errors("write", file):
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(answer.to_json())
            part.replace(file)

    def _file(self, qid: str, address: str) -> Path:
        # The only parts of the path: a QID, whose form is checked in every record, and a digest.
        return self._folder / f"{qid}-{hashlib.sha256(address.encode()).hexdigest()[:32]}.json"


def forget(data_dir: Path, qid: str) -> int:
    """Remove the answers and pages of a person; return the number of files."""
    files = [*_folder(data_dir).glob(f"{qid}-*"), *pages(data_dir).glob(f"*-{qid}.*")]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _folder(data_dir: Path) -> Path:
    return data_dir / "cache" / "google"
