"""Train the reference classifier on the pictures that are on `dataclean` now.

The whole topic is read each time, so a picture that was withdrawn is gone from the next model. The
group `train` commits what a model was made of once that is on the disk: its lag tells whether a new
training would see anything new.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from celebcollect.bus.base import Bus
from celebcollect.checks.base import FileReason
from celebcollect.domain.batches import batches
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.errors import Interrupted, NothingProduced, StorageError
from celebcollect.domain.install import install_command
from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.orientation import upright
from celebcollect.stages.export.crops import SIDE_PX, crop_of
from celebcollect.stages.presence import lost_among
from celebcollect.stages.reasons import ExportReason, TrainReason
from celebcollect.stages.train.charts import Thumbnail, charts
from celebcollect.stages.train.dataset import (
    MIN_PICTURES,
    Forgotten,
    Usable,
    choose,
    consume_up_to,
    read_set,
)
from celebcollect.stages.train.evaluation import Evaluation, Mistake, evaluate
from celebcollect.stages.train.groups import Described
from celebcollect.stages.train.model import FaceSample, Model, fit
from celebcollect.stages.train.model_file import pack
from celebcollect.stages.train.rule import chosen_by_rate, with_fair_rule
from celebcollect.stages.train.shelf import DEFAULT, Shelf, forget
from celebcollect.vision.base import Face
from celebcollect.vision.numbers import UNTESTED, EngineNumbers

__all__ = ["DEFAULT", "Shelf", "TrainSettings", "Trained", "forget", "train"]

GROUP = "train"

INSTALL = f"{install_command('celebcollect[faces]')}, then celebcollect clean"


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train, and on what."""

    topic: str
    forgotten: Forgotten
    """Whom no model may know: `Catalogue.forgotten`."""
    threshold: float | None = None
    """Largest distance to a training photograph of the person; None: by the fair rule."""
    false_accept_rate: float = 0.01
    """Share of strangers that the fair rule may take for somebody."""
    numbers_of: Callable[[str], EngineNumbers] = lambda _: UNTESTED
    """Says what was measured of the engine of an embedding version."""
    described: Described | None = None
    """Tells people's genders and citizenships; None: the report has no groups."""
    ml_use_permitted: Collection[str] = ()
    """Whose agreements to machine learning the user holds."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training."""

    file: Path
    model: Model
    evaluation: Evaluation
    people_left_out: int
    left_out: Mapping[str, int]
    """Pictures, by reason."""
    false_accept_rate: float | None = None
    """What the threshold was chosen for; None: it was given, or is the engine's own."""

    def report(self) -> dict[str, Any]:
        """Return what is told of the model, without times: the same for the same set."""
        model = self.model
        return {
            "fingerprint": model.fingerprint,
            "embedding_version": model.embedding_version,
            "rule": model.rule.value,
            "threshold": model.threshold,
            "false_accept_rate": self.false_accept_rate,
            "people": len(model.people),
            "pictures": len(model.vectors),
            "people_left_out": self.people_left_out,
            "left_out": dict(self.left_out),
            "evaluation": asdict(self.evaluation),
        }


def train(
    bus: Bus,
    folder: ImageStore,
    shelf: Shelf,
    settings: TrainSettings,
    tally: Tally,
    *,
    stop: threading.Event,
    lost: set[str] | None = None,
) -> Trained:
    """
    Train, measure, and write model and report; commit what they were made of.

    The saved model has learnt all pictures; the numbers of the report are those of one that has not
    seen the pages of the validation and test sides (the same sides as those of `export`).

    Args:
        bus: Holds the topic.
        folder: Holds the pictures that the report shows.
        shelf: Takes model and report.
        settings: See there.
        tally: Takes the reasons of what is left out.
        stop: Ends the work before anything is written.
        lost: Takes the pictures whose file is gone, as `QID/sha256`; nothing is learnt from them.

    Raises:
        NothingProduced: Fewer than two people have two usable pictures.
        Busy: Another process trains.
        Interrupted: `stop` was set.
        CelebCollectError: The log or the disk failed.
    """
    with shelf.alone(), bus.subscribe([settings.topic], GROUP) as subscription:
        snapshot = read_set(bus, settings.topic, tally)
        usable = _usable(folder, snapshot.records, settings, tally, lost)
        if len({record.qid for record in usable.records}) < 2:
            raise _too_small(usable, len(snapshot.records), tally)
        fit_fair = partial(_fit, settings, usable.embedding_version)
        model = fit_fair(usable.samples)
        evaluation = evaluate(usable, fit_fair, _described(settings, usable))
        rate = settings.false_accept_rate if chosen_by_rate(model) else None
        trained = Trained(
            shelf.model, model, evaluation, usable.people_left_out, tally.reasons, rate
        )
        names = {person.qid: person.name for person in model.people}
        drawn = charts(evaluation, names, model, _thumbnails(folder, usable.records))
        if stop.is_set():
            raise Interrupted("interrupted", hint="Nothing was written; run it again.")
        shelf.save(pack(model), _json(trained.report()), drawn)
        consume_up_to(subscription, snapshot.ends, bus, tally)
    return trained


def _usable(
    folder: ImageStore,
    records: Mapping[str, CleanRecord],
    settings: TrainSettings,
    tally: Tally,
    lost: set[str] | None,
) -> Usable:
    """Pick the pictures to train on; those whose file is gone are none."""
    gone = lost_among(folder, records.values())
    tally.drop(FileReason.FILE_MISSING, len(gone))
    if lost is not None:
        lost |= gone
    there = [record for key, record in records.items() if key not in gone]
    return choose(there, settings.ml_use_permitted, settings.forgotten, tally)


def _fit(settings: TrainSettings, version: str, samples: Sequence[FaceSample]) -> Model:
    threshold = settings.threshold
    model = fit(samples, threshold=threshold or 1.0, embedding_version=version)
    if threshold is not None:
        return model
    return with_fair_rule(model, settings.numbers_of(version), settings.false_accept_rate)


def _described(settings: TrainSettings, usable: Usable) -> dict[str, Celebrity]:
    if settings.described is None:
        return {}
    qids = sorted({record.qid for record in usable.records})
    return {
        person.qid: person for some in batches(qids, 1000) for person in settings.described(some)
    }


def _json(report: Mapping[str, Any]) -> bytes:
    text = json.dumps(report, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _too_small(usable: Usable, pictures: int, tally: Tally) -> NothingProduced:
    people = len({record.qid for record in usable.records})
    why = ", ".join(f"{n} {reason}" for reason, n in tally.reasons.items())
    message = (
        f"a classifier needs 2 people with {MIN_PICTURES} usable pictures each, and there is"
        f" {people or 'nobody'}"
    )
    message += f" ({pictures} pictures of clean ones{f': {why}' if why else ''})"
    reasons = tally.reasons
    if not pictures:
        return NothingProduced(message, hint="`celebcollect run-all` collects and cleans.")
    if reasons.get(TrainReason.NO_EMBEDDING):
        return NothingProduced(
            message, hint=f"Pictures have embeddings when `clean` looks at faces: {INSTALL}."
        )
    if reasons.get(ExportReason.NEEDS_AGREEMENT):
        return NothingProduced(
            message, hint="`[train] ml_use_permitted` names the agreements that you hold."
        )
    return NothingProduced(
        message, hint="Collect more people or more pictures of each: `celebcollect run-all`."
    )


def _thumbnails(folder: ImageStore, records: Collection[CleanRecord]) -> Thumbnail:
    known = {record.key: record for record in records}

    def thumbnail(mistake: Mistake) -> Pillow.Image | None:
        record = known[f"{mistake.qid}/{mistake.sha256}"]
        try:
            with folder.local(record.path) as file:
                picture = PictureFile(record.key, file, record.width_px, record.height_px)
                if record.face_box is None:
                    return upright(picture, SIDE_PX)
                face = Face(record.face_box, record.face_landmarks or ())
                return crop_of(picture, face)
        except (NotAPicture, StorageError, ValueError):
            return None  # the chart shows an empty place

    return thumbnail
