"""Go through files, messages, places and notes, one after the other, and remember how far."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from celebcollect.domain.batches import batches
from celebcollect.domain.errors import Interrupted, StorageError
from celebcollect.domain.records import Status
from celebcollect.images.layout import parts
from celebcollect.stages.presence import has_pictures
from celebcollect.stages.verify import mend, recheck
from celebcollect.stages.verify.checkpoint import Checkpoint, load
from celebcollect.stages.verify.context import VerifyContext
from celebcollect.stages.verify.files import (
    StoredFile,
    by_people,
    drawn_by_chance,
    known_files,
    look_at,
)
from celebcollect.stages.verify.findings import Disagreement, Kind
from celebcollect.stages.verify.messages import BATCH, Published, read_published, too_many

SAVE_EVERY_S = 3.0
"""How often it is written down how far it is: what a kill may cost."""

PHASES = ("files", "messages", "places", "again")

Progress = Callable[[str, int, int], None]
"""Is told what is looked at, how many were, and how many there are (0: unknown)."""


@dataclass(frozen=True)
class VerifyOptions:
    """How to look, and whether to mend."""

    fix: bool = False
    sample: int | None = None
    """So many pictures, drawn anew each time; None: all of them, and everything else."""
    workers: int = 4
    """Files that are read at the same time."""
    anew: bool = False
    """Do not go on with a killed one."""


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what does not agree."""

    checked: dict[str, int]
    findings: list[Disagreement] = field(default_factory=list)
    resumed: bool = False
    """A run that was killed was gone on with."""

    @property
    def unmended(self) -> list[Disagreement]:
        """Return what is still wrong."""
        return [finding for finding in self.findings if finding.mended is None]


def verify(
    context: VerifyContext, options: VerifyOptions, *, progress: Progress, stop: threading.Event
) -> Verified:
    """
    Compare catalogue, files, topic and notes; mend what does not agree where that is asked for.

    One that was killed within the last hours (`checkpoint.GOOD_FOR_S`) is gone on with: people,
    messages and folders that it was done with are not looked at again, but what it had found is.

    Raises:
        Busy: Another one is at work.
        StorageError: There is not one file, as where a disk is not mounted.
        Interrupted: `stop` was set; the next one goes on from there.
        CelebCollectError: The disk, the log or the catalogue failed.
    """
    _refuse_an_empty_store(context)
    checkpoint = load(context.catalogue, {"sample": options.sample}, anew=options.anew)
    run = _Run(context, options, checkpoint, progress, stop)
    run.look()
    found = run.again()
    checkpoint.clear()
    return Verified(checkpoint.checked, found, checkpoint.resumed)


def _refuse_an_empty_store(context: VerifyContext) -> None:
    counts = context.catalogue.counts().images
    known = counts[Status.ACCEPTED] + counts[Status.STORED]
    if known and not has_pictures(context.folder):
        where = context.folder.local_folders()[0]
        raise StorageError(
            f"the catalogue knows {known} pictures, and not one file is in {where}",
            hint=f"Is the disk mounted? Where all are lost indeed: mkdir -p {where}/all-are-lost",
        )


class _Run:
    def __init__(
        self,
        context: VerifyContext,
        options: VerifyOptions,
        checkpoint: Checkpoint,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._context, self._options, self._at = context, options, checkpoint
        self._progress, self._stop = progress, stop
        self._saved_at = time.monotonic()

    def look(self) -> None:
        """Go through all phases that are still to be done."""
        begin = self._at.phase or PHASES[0]
        published = read_published(self._context.bus, self._context.clean_topic)
        for phase in PHASES[PHASES.index(begin) : -1]:
            if phase != self._at.phase:
                self._at.phase, self._at.after = phase, ""
                self._at.save()
            if phase == "files":
                self._files(published)
            elif self._options.sample is None:
                self._messages(published) if phase == "messages" else self._places()
        self._at.phase = PHASES[-1]
        self._at.save()

    def _done(self, after: str) -> None:
        """Remember what was done last, now and then, and before stopping."""
        self._at.after = after
        if not self._stop.is_set() and time.monotonic() < self._saved_at + SAVE_EVERY_S:
            return
        self._at.save()
        self._saved_at = time.monotonic()
        if self._stop.is_set():
            raise Interrupted("interrupted", hint="The same command goes on from there.")

    def _files(self, published: Published) -> None:
        counts = self._context.catalogue.counts().images
        total = sum(counts[status] for status in (Status.STORED, Status.ACCEPTED, Status.REJECTED))
        drawn = drawn_by_chance(self._all_files(None), self._options.sample)
        with ThreadPoolExecutor(self._options.workers) as pool:
            for files in by_people(self._all_files(self._at.after or None), BATCH):
                asked = [known for known in files if drawn is None or known.name in drawn]
                found = pool.map(lambda known: look_at(self._context.folder, known), asked)
                for known, finding in zip(asked, found, strict=True):
                    self._at.findings += [finding] if finding else []
                    if known.is_accepted and not published.tells_of(known.name):
                        missing = Disagreement(Kind.MESSAGE_MISSING, known.name, known.qid)
                        # Of a picture that is lost the file is what matters.
                        self._at.findings += [] if _is_lost(finding) else [missing]
                self._at.count("pictures", len(asked))
                self._progress("pictures", self._at.checked["pictures"], len(drawn or ()) or total)
                self._done(files[-1].qid)

    def _all_files(self, after: str | None) -> Iterator[StoredFile]:
        return known_files(self._context.catalogue.images(after=after))

    def _messages(self, published: Published) -> None:
        keys = [key for key in published.all_keys() if key > self._at.after]
        done = self._at.checked.get("messages", 0)
        for some in batches(keys, BATCH):
            self._at.findings += too_many(self._context.catalogue, some)
            self._at.count("messages", len(some))
            self._progress("messages", self._at.checked["messages"], done + len(keys))
            self._done(some[-1])

    def _places(self) -> None:
        for places in batches(self._context.folder.places(self._at.after), 100):
            paths = [path for _, inside in places for path in inside]
            for some in batches(paths, BATCH):
                self._at.findings += self._strange(some)
            self._at.count("files", len(paths))
            self._progress("files", self._at.checked["files"], 0)
            self._done(places[-1][0])
        self._at.findings += recheck.wrong_notes(self._context)

    def _strange(self, paths: Collection[str]) -> Iterator[Disagreement]:
        """Yield the files that no row knows."""
        named = {path: identity for path in paths if (identity := _identity(path))}
        rows = self._context.catalogue.with_bytes({sha256 for _, sha256 in named.values()})
        known = {(row.qid, row.sha256) for row in rows}
        for path in paths:
            if named.get(path) not in known:
                yield Disagreement(Kind.STRANGE_FILE, path, named.get(path, (None,))[0])

    def again(self) -> list[Disagreement]:
        """Look once more at what was found, and mend it where that is asked for."""
        # What was mended is written down as well: one that is stopped here tells of it later.
        mended = [finding for finding in self._at.findings if finding.mended]
        found = [one for one in dict.fromkeys(self._at.findings) if not one.mended]
        published = Published()
        if any(finding.kind in recheck.OF_MESSAGES for finding in found):
            published = read_published(self._context.bus, self._context.clean_topic)
        of_rows = recheck.OF_FILES | recheck.OF_MESSAGES
        people = [finding for finding in found if finding.kind in of_rows]
        people.sort(key=lambda finding: finding.qid or "")
        true: list[Disagreement] = []
        for qid, theirs in groupby(people, key=lambda finding: finding.qid or ""):
            for some in batches(theirs, BATCH):
                true += self._kept(self._person(qid, some, published))
                self._progress("found", len(true), len(found))
        for finding in found:
            if finding.kind is Kind.STRANGE_FILE:
                true += self._kept(self._file(finding))
        # How an error reads may change from one look to the next.
        notes = {(one.kind, one.name) for one in found if one.kind in recheck.OF_NOTES}
        still = [one for one in recheck.wrong_notes(self._context) if (one.kind, one.name) in notes]
        true += mend.mend_notes(self._context, still) if self._options.fix else still
        return mended + true

    def _kept(self, told: list[Disagreement]) -> list[Disagreement]:
        self._at.findings += [finding for finding in told if finding.mended]
        self._between()
        return told

    def _between(self) -> None:
        self._done(self._at.after)

    def _person(
        self, qid: str, findings: Sequence[Disagreement], published: Published
    ) -> list[Disagreement]:
        context = self._context
        if self._options.fix:
            return mend.mend_person(context, qid, findings, published, between=self._between)
        rows, true = context.catalogue.person_images(qid), []
        for finding in findings:
            self._between()
            true.append(recheck.still_true(context, rows, finding, published))
        return [finding for finding in true if finding]

    def _file(self, finding: Disagreement) -> list[Disagreement]:
        if self._options.fix:
            mended = mend.mend_file(self._context, finding)
            return [mended] if mended else []
        return [finding] if recheck.is_strange(self._context, finding.name) else []


def _is_lost(finding: Disagreement | None) -> bool:
    return finding is not None and finding.kind in (Kind.FILE_MISSING, Kind.FILE_DAMAGED)


def _identity(path: str) -> tuple[str, str] | None:
    try:
        _, qid, name = parts(path)
    except ValueError:
        return None
    return qid, name.partition(".")[0]
