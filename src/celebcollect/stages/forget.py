"""Remove a person for good, and see to it that nothing about them is collected again.

The remembering comes first: from then on every stage passes the person over, and whatever is still
under way comes to nothing. The rows of the catalogue go last, because they tell what else there is.
So a process may die anywhere: the same command does the rest, and does no harm when there is none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from celebcollect.bus.base import Bus, Item, Message, Purging
from celebcollect.catalogue.base import Forgetting, People, Work
from celebcollect.disk.owners import this_owner
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import Busy, CelebCollectError
from celebcollect.images.base import ImageStore
from celebcollect.stages.export import About, ExportCatalogue, known_exports
from celebcollect.stages.forgotten import remember
from celebcollect.stages.mentions import Mentions
from celebcollect.stages.shrink import shrink_export
from celebcollect.stages.train import shelf

log = logging.getLogger(__name__)

WAIT_S = 60.0
"""How long to wait for somebody who is searching or cleaning the person: most are done with one
person in seconds."""
LEASE_S = 600.0
LOOK_S = 0.2


class ForgetCatalogue(ExportCatalogue, People, Work, Forgetting, Protocol):
    """What is changed to forget a person, and what exports are written again from."""


@dataclass(frozen=True)
class ForgetContext:
    """What forgetting needs: everything that may know somebody."""

    catalogue: ForgetCatalogue
    bus: Bus
    folder: ImageStore
    data_dir: Path
    """Where the trained models are."""
    about: About
    """For the data cards of exports that are written again."""
    clean_topic: str
    tasks: Sequence[str]
    """What others may be doing with a person just now: names of claims."""
    caches: Sequence[Callable[[str], int]] = ()
    """Each removes what a source remembers of a person, and returns how many files."""
    galleries: Mapping[Path, Callable[[], object]] = field(default_factory=dict)
    """Pages about everybody, and what writes each again, without those who are to be forgotten.
    FileNotFoundError: it is not there any more."""
    exports: Collection[Path] | None = None  # those that are noted
    wait_s: float = WAIT_S

    def all_exports(self) -> Collection[Path]:
        """Return where exports are."""
        return known_exports(self.catalogue) if self.exports is None else self.exports


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
    models: int = 0
    """Trained models that knew the person, with their reports."""
    galleries: list[str] = field(default_factory=list)
    """Folders of pages that were written again."""
    missing: list[str] = field(default_factory=list)
    """Folders of exports and galleries that are not there; whoever has them writes them again, or
    deletes them."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why an export or a gallery still holds the person, by folder."""

    @property
    def anything(self) -> bool:
        """Tell whether anything was there to be removed."""
        numbers = (self.images, self.files, self.cached, self.withdrawn, self.models)
        return any((*numbers, *self.messages.values(), *self.exports.values()))


def forget_person(context: ForgetContext, qid: str) -> Removed:
    """
    Remove a person, and other items of the same person, from everywhere.

    That is files, rows, messages, remembered answers, entries of exports and galleries, and models.
    Everything that is published on the topic of clean pictures is withdrawn. From a log that can
    (`bus.base.Purging`) the other messages are removed; Kafka loses them by the retention of its
    topics.

    Raises:
        Busy: Somebody kept searching or cleaning the person, or training. It is remembered all the
            same.
        CelebCollectError: The disk, the log or the catalogue failed; the same command goes on from
            there.
    """
    qids, external_ids = who_is(context.catalogue, qid)
    remember(context.catalogue, qid, qids, external_ids)
    context.catalogue.forbid(qids, external_ids)
    removed = Removed(qids)
    about = Mentions(qids)
    with _alone(context, qids):
        removed.withdrawn = _withdraw(context, about)
        _purge(context, about, removed)
        removed.files = sum(map(context.folder.forget, qids))
        removed.cached = sum(cache(one) for cache in context.caches for one in qids)
        removed.models = sum(
            shelf.forget(context.data_dir, one, wait_s=context.wait_s) for one in qids
        )
        _export_again(context, qids, removed)
        _show_again(context, removed)
        # The person that was asked for comes last: the others are only found by it.
        removed.images = sum(context.catalogue.forget(one) for one in reversed(qids))
        # What was under way when it began: a batch of `validate` that was just being published.
        if isinstance(context.bus, Purging) and any(
            about.remove(message, context.clean_topic) for message in _all_messages(context.bus)
        ):
            _purge(context, about, removed)
    log.info("forgotten qid=%s images=%d files=%d", qid, removed.images, removed.files)
    return removed


def who_is(catalogue: People, qid: str) -> tuple[list[str], set[str]]:
    """Return the person and other items of the same person, and all their ids elsewhere."""
    ids = {text for person in catalogue.people([qid]) for text in person.external_ids}
    everybody = catalogue.people() if ids else []
    twins = [one for one in everybody if one.qid != qid and ids & set(one.external_ids)]
    return [qid, *(person.qid for person in twins)], ids | {
        text for person in twins for text in person.external_ids
    }


@contextmanager
def _alone(context: ForgetContext, qids: Sequence[str]) -> Iterator[None]:
    """Wait until nobody searches or cleans the people, and keep everybody from beginning."""
    owner, deadline = this_owner(), time.monotonic() + context.wait_s
    # Nobody works on people whom the catalogue does not know, and nobody can claim them.
    known = [person.qid for person in context.catalogue.people(qids)]
    try:
        for task in context.tasks:
            while known and len(
                context.catalogue.claim(task, known, owner=owner, lease_s=LEASE_S)
            ) < len(known):
                if time.monotonic() > deadline:
                    raise Busy(
                        f"another process is busy with {', '.join(known)} ({task})",
                        hint=(
                            "It is remembered and will not be collected again. Forget it once more"
                            " when that process is done."
                        ),
                    )
                time.sleep(LOOK_S)
        yield
    finally:
        for task in context.tasks:
            context.catalogue.release(task, known, owner=owner)


def _withdraw(context: ForgetContext, about: Mentions) -> int:
    """
    Withdraw the people's pictures from the topic of clean ones; return how many.

    Each key whose newest value is about the people gets a null.
    """
    newest: dict[str, bool] = {}
    for message in context.bus.read(context.clean_topic):
        if message.key is not None and (
            message.key in newest or about.key(message.key) or about.value(message.value)
        ):
            newest[message.key] = message.value is not None and (
                about.key(message.key) or about.value(message.value)
            )
    keys = sorted(key for key, live in newest.items() if live)
    for some in batches(keys, 500):
        items: list[Item] = [(key, None) for key in some]
        context.bus.publish(context.clean_topic, items)
    return len(keys)


def _purge(context: ForgetContext, about: Mentions, removed: Removed) -> None:
    if isinstance(context.bus, Purging):
        for topic, number in context.bus.purge(
            lambda message: about.remove(message, context.clean_topic)
        ).items():
            removed.messages[topic] = removed.messages.get(topic, 0) + number


def _all_messages(bus: Bus) -> Iterator[Message]:
    for topic in bus.topics():
        yield from bus.read(topic.name)


def _export_again(context: ForgetContext, qids: Sequence[str], removed: Removed) -> None:
    """
    Take the people out of every export that can be reached.

    Nothing else in it changes sides, and nothing new comes in.
    """
    for where in context.all_exports():
        with _noted(removed, where):
            removed.exports[str(where)] = shrink_export(
                context.catalogue, context.folder, where, qids, about=context.about
            )


def _show_again(context: ForgetContext, removed: Removed) -> None:
    """
    Write every page again that can be reached.

    Also one that does not name the people: a thumbnail does not tell whom it shows.
    """
    for where, write in context.galleries.items():
        with _noted(removed, where):
            write()
            removed.galleries.append(str(where))


@contextmanager
def _noted(removed: Removed, where: Path) -> Iterator[None]:
    """Let the others go on when one folder cannot be cleaned, and note why."""
    try:
        yield
    except FileNotFoundError:
        removed.missing.append(str(where))
    except CelebCollectError as error:
        log.warning("a copy still holds the person folder=%s error=%s", where, error.message)
        removed.failed[str(where)] = error.message
