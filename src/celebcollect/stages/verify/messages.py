"""Compare the topic of clean pictures with the rows: messages that are missing or too many."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Images
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import UsageError
from celebcollect.domain.records import Status
from celebcollect.stages.train.dataset import decode
from celebcollect.stages.verify.findings import Disagreement, Kind

BATCH = 500


@dataclass(frozen=True, slots=True)
class Published:
    """What the topic tells of now, by key."""

    pictures: set[str] = field(default_factory=set)
    """Keys whose newest message is about their picture."""
    odd: set[str] = field(default_factory=set)
    """Keys whose newest message nobody understands."""

    def tells_of(self, key: str) -> bool:
        """Tell whether a reader of the topic finds the picture."""
        return key in self.pictures

    def all_keys(self) -> list[str]:
        """Return all keys that are not withdrawn, in an order that is the same each time."""
        return sorted(self.pictures | self.odd)


def read_published(bus: Bus, topic: str) -> Published:
    """Read the topic from its beginning; a topic that was never made tells of nothing."""
    published = Published()
    try:
        messages = bus.read(topic)
    except UsageError:
        return published
    for message in messages:
        key = message.key
        if key is None:
            continue
        published.pictures.discard(key)
        published.odd.discard(key)
        try:
            if decode(message):
                published.pictures.add(key)
        except ValueError:
            published.odd.add(key)
    return published


def too_many(catalogue: Images, keys: Collection[str]) -> Iterator[Disagreement]:
    """Yield the messages of these keys whose picture is not accepted."""
    for some in batches(keys, BATCH):
        accepted = {
            f"{row.qid}/{row.sha256}"
            for row in catalogue.with_bytes({key.rpartition("/")[2] for key in some})
            if row.status is Status.ACCEPTED
        }
        for key in some:
            if key not in accepted:
                yield Disagreement(Kind.MESSAGE_TOO_MANY, key, _qid(key))


def _qid(key: str) -> str | None:
    qid, separator, _ = key.partition("/")
    return qid if separator else None
