"""Run `store` as a process of its own: `python store_process.py DATA_DIR LOG_DIR`.

Several may share a data folder, each with its own log.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.runner import consume
from celebcollect.stages.store.stage import store_stage
from celebcollect.web.fetch import Fetcher

if __name__ == "__main__":
    data_dir, log_dir = Path(sys.argv[1]), Path(sys.argv[2])
    settings = StoreConfig(allow_private_addresses=True, workers=4, max_bytes=200_000)
    catalogue, folder, bus, tally = (
        EmbeddedCatalogue(data_dir / "catalogue.sqlite3"),
        ImageFolder(data_dir),
        EmbeddedBus(log_dir),
        Tally(),
    )
    folder.sweep()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    stage = store_stage(
        catalogue,
        folder,
        Fetcher(settings, HttpConfig(timeout_s=5)),
        settings,
        verified_topic="urlsVerifie",
        clean_topic="dataclean",
        tally=tally,
    )
    consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False, poll_s=0.01)
    bus.close()
    catalogue.close()
