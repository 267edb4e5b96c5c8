"""Take people out of an export that was made before; nothing else in it changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.sources.registry import installed
from celebcollect.stages.export import (
    About,
    ExportCatalogue,
    ExportSettings,
    export_images,
    read_index,
)


def shrink_export(
    catalogue: ExportCatalogue,
    folder: ImageStore,
    where: Path,
    qids: Sequence[str],
    *,
    about: About,
) -> int:
    """
    Write the export in a folder again without these people; return how many pictures that takes.

    Raises:
        FileNotFoundError: There is no export any more.
        CelebCollectError: The disk or the catalogue failed.
    """
    index = read_index(where)
    if index is None:
        raise FileNotFoundError(where)
    gone = sum(len(index.pictures.get(qid, ())) for qid in qids)
    if gone:
        # Whoever made the export held the agreements that it took, so they are not looked at again.
        theirs = {f"{qid}/{sha256}" for qid in qids for sha256 in index.pictures.get(qid, ())}
        keep = index.keys() - theirs
        settings = ExportSettings(
            index.layout, ml_use_permitted=installed().names, crops=index.crops, only=keep
        )
        if index.max_shard_bytes:
            settings = replace(settings, max_shard_bytes=index.max_shard_bytes)
        export_images(
            catalogue,
            folder,
            where,
            settings,
            about=about,
            tally=Tally(),
            stop=threading.Event(),
        )
    return gone
