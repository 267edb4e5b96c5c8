"""Correct the catalogue about lost files that another stage has come by."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from itertools import groupby

from celebcollect.bus.base import Item
from celebcollect.images.base import ImageStore
from celebcollect.stages.presence import has_pictures
from celebcollect.stages.verify.context import MendContext, VerifyCatalogue
from celebcollect.stages.verify.findings import Disagreement, Kind
from celebcollect.stages.verify.mend import mend_person
from celebcollect.stages.verify.messages import Published

log = logging.getLogger(__name__)


def correct(catalogue: VerifyCatalogue, folder: ImageStore, names: Collection[str]) -> int:
    """
    Look at these pictures again (`QID/sha256`), and give up those that are lost; return how many.

    `store` fetches them again. The next `clean` withdraws them from the topic. People whom somebody
    cleans just now are left to that.
    """
    if not names or not has_pictures(folder):
        return 0

    def note(items: Sequence[Item]) -> None:
        # What `clean` notes before it publishes: whoever finds it publishes the outcome anew.
        for key, _ in items:
            qid, _, sha256 = (key or "").partition("/")
            unsure = (catalogue.note(f"clean/{qid}") or {}).get("unsure", ())
            catalogue.set_note(f"clean/{qid}", {"unsure": sorted({*unsure, sha256})})

    context, given_up = MendContext(catalogue, folder, note), 0
    ordered = sorted(names)
    for qid, theirs in groupby(ordered, key=lambda name: name.partition("/")[0]):
        found = [Disagreement(Kind.FILE_MISSING, name, qid) for name in theirs]
        for mended in mend_person(context, qid, found, Published()):
            given_up += mended.mended is not None
            log.warning("lost picture name=%s what=%s %s", mended.name, mended.kind, mended.detail)
    return given_up
