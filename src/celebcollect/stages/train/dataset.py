"""The data set as it is on `dataclean` now, and what of it may be trained on.

The newest message of each key counts, and a tombstone withdraws the picture.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from celebcollect.bus import dead
from celebcollect.bus.base import Bus, Item, Message, Subscription
from celebcollect.checks.face_facts import from_text
from celebcollect.domain.batches import batches
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.tally import Tally
from celebcollect.sources.terms import ml_permitted
from celebcollect.stages.messages import explain, publish_what_fits
from celebcollect.stages.reasons import CollectReason, ExportReason, MessageReason, TrainReason
from celebcollect.stages.train.model import FaceSample

MIN_PICTURES = 2
"""Of a person: one photograph shows nothing of how a face varies."""

_BATCH = 1000
_PATIENCE_S = 15.0
"""How long to wait for messages that the log promises: joining a group of Kafka takes some seconds,
and another worker may have them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the topic at one moment."""

    records: Mapping[str, CleanRecord]
    """By key, `QID/sha256`."""
    ends: Mapping[int, int]
    """The last offset that was read, by partition."""


def read_set(bus: Bus, topic: str, tally: Tally) -> Snapshot:
    """
    Read the topic from its beginning.

    What cannot be understood is counted, and withdraws what its key said before.
    """
    records: dict[str, CleanRecord] = {}
    ends: dict[int, int] = {}
    unread: set[str] = set()
    for message in bus.read(topic):
        ends[message.partition] = message.offset
        key = message.key or ""
        records.pop(key, None)
        unread.discard(key)
        try:
            record = decode(message)
        except ValueError:
            unread.add(key)
        else:
            if record:
                records[key] = record
    tally.drop(MessageReason.UNDECODABLE, len(unread))
    return Snapshot(records, ends)


def decode(message: Message) -> CleanRecord | None:
    """
    Read a message of the topic; None withdraws the picture of its key.

    Raises:
        ValueError: No JSON, a missing or wrong field, another schema, a key that is not the
            picture's.
    """
    if message.value is None:
        return None
    record = CleanRecord.model_validate_json(message.value)
    if message.key != record.key:
        raise ValueError("the key is not that of the picture")
    return record


def consume_up_to(
    subscription: Subscription, ends: Mapping[int, int], bus: Bus, tally: Tally
) -> None:
    """
    Commit what the snapshot has seen, and send what nobody understands to the dead topic.

    Later messages are left for the next time. Call it when the model is durable.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while subscription.lag() and time.monotonic() < deadline:
        messages = subscription.poll(_BATCH, 0.2)
        if any(message.offset > ends.get(message.partition, -1) for message in messages):
            return
        if messages:
            for topic, letters in _letters(messages).items():
                publish_what_fits(bus, topic, letters, tally)
            subscription.commit(messages)
            deadline = time.monotonic() + _PATIENCE_S


def _letters(messages: Sequence[Message]) -> dict[str, list[Item]]:
    letters: dict[str, list[Item]] = {}
    for message in messages:
        try:
            decode(message)
        except ValueError as error:
            letters.setdefault(dead.dead_topic(message.topic), []).append(
                dead.encode(message, explain(error))
            )
    return letters


@dataclass(frozen=True, slots=True)
class Usable:
    """What can be trained on."""

    records: tuple[CleanRecord, ...]
    """By QID number and SHA-256."""
    samples: tuple[FaceSample, ...]
    """Of the records, one for each."""
    embedding_version: str
    people_left_out: int
    """People who have pictures, but fewer than two that can be used."""


Forgotten = Callable[[Collection[str]], Collection[str]]
"""Returns those of some people (QIDs) who are to be forgotten."""


def choose(
    records: Collection[CleanRecord],
    agreements: Collection[str],
    forgotten: Forgotten,
    tally: Tally,
) -> Usable:
    """
    Pick the pictures that can be trained on.

    They may be used, have an embedding of the version that most have, and show a person who has
    `MIN_PICTURES` of them.
    """
    # Anybody may publish, and dead letters may be delivered again: that a picture was withdrawn
    # once does not mean that it is not there.
    gone = {
        qid
        for some in batches(sorted({record.qid for record in records}), _BATCH)
        for qid in forgotten(some)
    }
    tally.drop(CollectReason.FORGOTTEN, sum(record.qid in gone for record in records))
    records = [record for record in records if record.qid not in gone]
    found = [
        (record, sample) for record in records if (sample := _sample(record, agreements, tally))
    ]
    kinds = Counter(
        (record.embedding_version or "", len(sample.vector)) for record, sample in found
    )
    kind = max(kinds, key=lambda kind: (kinds[kind], kind), default=("", 0))
    same = [
        (record, sample)
        for record, sample in found
        if (record.embedding_version, len(sample.vector)) == kind
    ]
    tally.drop(TrainReason.OTHER_EMBEDDING, len(found) - len(same))
    counts = Counter(record.qid for record, _ in same)
    enough = [(record, sample) for record, sample in same if counts[record.qid] >= MIN_PICTURES]
    tally.drop(TrainReason.TOO_FEW_PICTURES, len(same) - len(enough))
    enough.sort(key=lambda pair: (int(pair[0].qid[1:]), pair[0].sha256))
    left_out = {record.qid for record in records} - {record.qid for record, _ in enough}
    return Usable(
        tuple(record for record, _ in enough),
        tuple(sample for _, sample in enough),
        kind[0],
        len(left_out),
    )


def _sample(record: CleanRecord, agreements: Collection[str], tally: Tally) -> FaceSample | None:
    # Anybody may publish: the terms of the source count, whatever the message says of them.
    if not ml_permitted(record.source, record.url, agreements, told=record.ml_use):
        tally.drop(ExportReason.NEEDS_AGREEMENT)
        return None
    if not record.embedding or not record.embedding_version:
        tally.drop(TrainReason.NO_EMBEDDING)
        return None
    try:
        vector = from_text(record.embedding)
    except ValueError:
        vector = np.empty(0, dtype=np.float32)
    if not vector.size or not np.isfinite(vector).all():
        tally.drop(TrainReason.BROKEN_EMBEDDING)
        return None
    return FaceSample(record.qid, record.name, record.sha256, vector)
