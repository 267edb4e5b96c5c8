"""Remove a person for good, and see to it that nothing about them is collected again.

The remembering comes first: from then on every stage passes the person over, and whatever is still under way comes to
nothing. The rows of the catalogue go last, because they tell what else there is. So a process may die anywhere: the
same command does the rest, and does no harm when there is none.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from celebcollect.bus.base import Bus, Item, Message, Purging
from celebcollect.catalogue.base import Catalogue, batches
from celebcollect.catalogue.claims import this_owner
from celebcollect.catalogue.images import ImageFolder
from celebcollect.errors import Busy, CelebCollectError
from celebcollect.report import Tally
from celebcollect.stages.export import About, Settings, export_images, known_exports, read_index

log = logging.getLogger(__name__)

WAIT_S = 60.0
"""How long to wait for somebody who is searching or cleaning the person: most are done with one person in seconds."""
LEASE_S = 600.0
LOOK_S = 0.2

_ANY_ESCAPE = b"\\u"
"""JSON may write any character so."""


@dataclass(frozen=True)
class Place:
    """Where people are to be forgotten."""

    catalogue: Catalogue
    bus: Bus
    folder: ImageFolder
    about: About
    """For the data cards of exports that are written again."""
    clean_topic: str
    tasks: Sequence[str]
    """What others may be doing with a person just now: names of claims."""
    caches: Sequence[Callable[[str], int]] = ()
    """Each removes what a source remembers of a person, and returns how many files."""
    wait_s: float = WAIT_S


@dataclass
class Removed:
    """What was removed."""

    qids: list[str]
    """The person, and other items of the same person (they share a TMDB or IMDb id)."""
    images: int = 0
    """Rows of the catalogue."""
    files: int = 0
    """Pictures, quarantined ones included."""
    cached: int = 0
    """Answers and pages that sources remembered."""
    withdrawn: int = 0
    """Pictures taken back on the topic of clean ones."""
    messages: dict[str, int] = field(default_factory=dict)
    """By topic."""
    exports: dict[str, int] = field(default_factory=dict)
    """Pictures, by folder."""
    missing: list[str] = field(default_factory=list)
    """Folders that were exported to and are not there; whoever has them exports to them again, or deletes them."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why an export still holds the person, by folder."""


def forget_person(place: Place, qid: str) -> Removed:
    """
    Remove files, rows, messages, remembered answers and export entries of a person, and of other items of the same person.

    Everything that is published on the topic of clean pictures is withdrawn. From a log that can (`bus.base.Purging`) the
    other messages are removed; Kafka loses them by the retention of its topics.

    Raises:
        Busy: Somebody kept searching or cleaning the person. It is remembered all the same.
        CelebCollectError: The disk, the log or the catalogue failed; the same command goes on from there.
    """
    qids, external_ids = _who(place.catalogue, qid)
    place.catalogue.forbid(qids, external_ids)
    removed = Removed(qids)
    about = _About(qids)
    with _alone(place, qids):
        removed.withdrawn = _withdraw(place, about)
        _purge(place, about, removed)
        removed.files = sum(map(place.folder.forget, qids))
        removed.cached = sum(cache(one) for cache in place.caches for one in qids)
        _export_again(place, qids, removed)
        # The person that was asked for comes last: the others are only found by it.
        removed.images = sum(place.catalogue.forget(one) for one in reversed(qids))
        # What was under way when it began: a batch of `validate` that was just being published.
        if isinstance(place.bus, Purging) and any(about.remove(message, place.clean_topic) for message in _all_messages(place.bus)):
            _purge(place, about, removed)
    log.info("forgotten qid=%s images=%d files=%d", qid, removed.images, removed.files)
    return removed


def _who(catalogue: Catalogue, qid: str) -> tuple[list[str], set[str]]:
    """Return the person and other items of the same person, and all their ids elsewhere."""
    ids = {text for person in catalogue.people([qid]) for text in person.external_ids}
    twins = [person for person in catalogue.people() if person.qid != qid and ids & set(person.external_ids)] if ids else []
    return [qid, *(person.qid for person in twins)], ids | {text for person in twins for text in person.external_ids}


@contextmanager
def _alone(place: Place, qids: Sequence[str]) -> Iterator[None]:
    """Wait until nobody searches or cleans the people, and keep everybody from beginning."""
    owner, deadline = this_owner(), time.monotonic() + place.wait_s
    # Nobody works on people whom the catalogue does not know, and nobody can claim them.
    known = [person.qid for person in place.catalogue.people(qids)]
    try:
        for task in place.tasks:
            while known and len(place.catalogue.claim(task, known, owner=owner, lease_s=LEASE_S)) < len(known):
                if time.monotonic() > deadline:
                    raise Busy(
                        f"another process is busy with {', '.join(known)} ({task})",
                        hint="It is remembered and will not be collected again. Forget it once more when that process is done.",
                    )
                time.sleep(LOOK_S)
        yield
    finally:
        for task in place.tasks:
            place.catalogue.release(task, known, owner=owner)


class _About:
    """Tells which messages are about the people."""

    def __init__(self, qids: Collection[str]) -> None:
        self._qids = frozenset(qids)
        self._mention = re.compile(rb"(?<![0-9A-Za-z])(?:%s)(?![0-9])" % b"|".join(qid.encode() for qid in qids))

    def key(self, key: str | None) -> bool:
        """Tell whether a key is the person's: the QID, alone or before a slash."""
        return key is not None and key.partition("/")[0] in self._qids

    def value(self, value: bytes | None) -> bool:
        """
        Tell whether a value is about the person.

        A JSON object is about the person whom its `qid` names, a dead letter about whom its message is about; anything else,
        JSON or not, is about everybody whom it mentions.
        """
        if value is None or not (self._mention.search(value) or _ANY_ESCAPE in value or b'"value_base64"' in value):
            return False
        try:
            facts = json.loads(value)
        except (ValueError, RecursionError):
            return self._mention.search(value) is not None
        if isinstance(facts, dict):
            qid, inside = facts.get("qid"), facts.get("value_base64")
            if isinstance(qid, str) and re.fullmatch(r"Q[1-9][0-9]*", qid):
                return qid in self._qids
            if isinstance(inside, str):
                return self._letter(inside, facts)
        return self._mention.search(json.dumps(facts, ensure_ascii=False).encode("utf-8", "backslashreplace")) is not None

    def remove(self, message: Message, clean_topic: str) -> bool:
        """Tell whether to remove a message: withdrawals stay, for consumers that have not seen them yet."""
        if message.value is None and message.topic == clean_topic:
            return False
        raw = message.raw_key is not None and self._mention.search(message.raw_key) is not None
        return raw or self.key(message.key) or self.value(message.value)

    def _letter(self, inside: str, facts: Mapping[str, object]) -> bool:
        """Look into a dead letter (`bus.dead`), whose bytes may be anything."""
        key, raw_key = facts.get("key"), facts.get("key_base64")
        if self.key(key if isinstance(key, str) else None):
            return True
        try:
            if isinstance(raw_key, str) and self._mention.search(base64.b64decode(raw_key, validate=True)):
                return True
            return self.value(base64.b64decode(inside, validate=True))
        except ValueError:
            return self._mention.search(inside.encode("utf-8", "backslashreplace")) is not None


def _withdraw(place: Place, about: _About) -> int:
    """Publish a null for every key on the topic of clean pictures whose newest value is about the people; return how many."""
    newest: dict[str, bool] = {}
    for message in place.bus.read(place.clean_topic):
        if message.key is not None and (message.key in newest or about.key(message.key) or about.value(message.value)):
            newest[message.key] = message.value is not None and (about.key(message.key) or about.value(message.value))
    keys = sorted(key for key, live in newest.items() if live)
    for some in batches(keys, 500):
        items: list[Item] = [(key, None) for key in some]
        place.bus.publish(place.clean_topic, items)
    return len(keys)


def _purge(place: Place, about: _About, removed: Removed) -> None:
    if isinstance(place.bus, Purging):
        for topic, number in place.bus.purge(lambda message: about.remove(message, place.clean_topic)).items():
            removed.messages[topic] = removed.messages.get(topic, 0) + number


def _all_messages(bus: Bus) -> Iterator[Message]:
    for topic in bus.topics():
        yield from bus.read(topic.name)


def _export_again(place: Place, qids: Sequence[str], removed: Removed) -> None:
    """Take the people out of every export that can be reached; nothing else in it changes sides, and nothing new comes in."""
    for where, layout in known_exports(place.catalogue).items():
        try:
            removed.exports[str(where)] = _shrink(place, where, qids)
        except FileNotFoundError:
            removed.missing.append(str(where))
        except CelebCollectError as error:
            log.warning("export still holds the person folder=%s layout=%s error=%s", where, layout, error.message)
            removed.failed[str(where)] = error.message


def _shrink(place: Place, where: Path, qids: Sequence[str]) -> int:
    index = read_index(where)
    if index is None:
        raise FileNotFoundError(where)
    gone = sum(len(index.pictures.get(qid, ())) for qid in qids)
    if gone:
        # Whoever made the export held the agreements that it took; to look at them again is not our business here.
        keep = index.keys() - {f"{qid}/{sha256}" for qid in qids for sha256 in index.pictures.get(qid, ())}
        settings = Settings(index.layout, ml_use_permitted=("tmdb",), crops=index.crops, only=keep)
        if index.max_shard_bytes:
            settings = replace(settings, max_shard_bytes=index.max_shard_bytes)
        export_images(place.catalogue, place.folder, where, settings, about=place.about, tally=Tally(), stop=threading.Event())
    return gone
