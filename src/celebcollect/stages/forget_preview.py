"""Say what `forget` would remove, and change nothing."""

from __future__ import annotations

from celebcollect.bus.base import Purging
from celebcollect.domain.errors import CelebCollectError, UsageError
from celebcollect.domain.records import Status
from celebcollect.stages.export import read_index
from celebcollect.stages.forget import ForgetContext, Removed, who_is
from celebcollect.stages.mentions import Mentions


def is_known(context: ForgetContext, qid: str) -> bool:
    """Tell whether this collection has ever known somebody, be it only to forget them."""
    catalogue = context.catalogue
    return bool(catalogue.people([qid]) or catalogue.forgotten([qid]))


def would_remove(context: ForgetContext, qid: str) -> Removed:
    """
    Return what would be removed; models and remembered answers are not counted.

    Raises:
        CelebCollectError: The disk, the log or the catalogue failed.
    """
    qids, _ = who_is(context.catalogue, qid)
    removed, about = Removed(qids), Mentions(qids)
    rows = [row for one in qids for row in context.catalogue.images(qid=one)]
    removed.images = len(rows)
    removed.files = len(
        {
            found
            for row in rows
            if row.path and row.status not in (Status.VERIFIED, Status.FAILED)
            if (found := context.folder.find(row.path))
        }
    )
    # From other logs nothing but the clean topic is taken, and others may share them.
    named = None if isinstance(context.bus, Purging) else [context.clean_topic]
    for topic in context.bus.topics(named):
        _count_messages(context, about, topic.name, removed)
    for where in context.all_exports():
        try:
            index = read_index(where)
        except CelebCollectError as error:
            removed.failed[str(where)] = error.message
            continue
        if index is None:
            removed.missing.append(str(where))
        else:
            removed.exports[str(where)] = sum(len(index.pictures.get(one, ())) for one in qids)
    removed.galleries = [str(where) for where in context.galleries]
    return removed


def _count_messages(context: ForgetContext, about: Mentions, topic: str, removed: Removed) -> None:
    live: dict[str | None, bool] = {}
    number = 0
    try:
        for message in context.bus.read(topic):
            theirs = about.remove(message, context.clean_topic)
            number += theirs
            live[message.key] = theirs and message.value is not None
    except UsageError:  # gone meanwhile
        return
    if topic == context.clean_topic:
        removed.withdrawn = sum(live.values())
    if number and isinstance(context.bus, Purging):
        removed.messages[topic] = number
