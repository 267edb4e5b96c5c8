"""The captured photographs, measured once for all processes of a run."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from filelock import FileLock

from checks.face_photos import Photo, measure
from support import folder_of_run


@pytest.fixture(scope="session")
def captured(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Photo, ...]:
    """All captured photographs with what the real engine found on them."""
    kept = folder_of_run(tmp_path_factory) / "captured-faces"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            photos = measure(shared_data / "faces")
            new = kept.with_suffix(".new")
            new.write_bytes(pickle.dumps(photos))
            new.replace(kept)
            return photos
    measured: tuple[Photo, ...] = pickle.loads(kept.read_bytes())
    return measured
