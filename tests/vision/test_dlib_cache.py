"""The HOG detector of dlib is unpacked once on a machine, and comes from the cache unchanged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from celebcollect.vision.dlib_engine import frontal_detector

pytestmark = pytest.mark.slow

dlib = pytest.importorskip("dlib")

NAME = "celebcollect/models/dlib-hog-1.svm"


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in the user's cache; it is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / NAME


def test_it_is_unpacked_once_and_finds_the_same(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boxes, scores and poses are dlib's own, to the last digit."""
    own = dlib.get_frontal_face_detector()
    frontal_detector(dlib)
    assert cached.is_file()
    monkeypatch.delattr(dlib, "get_frontal_face_detector")
    noise = np.random.default_rng(3).integers(0, 256, (16, 20, 3)).astype(np.uint8)
    picture = noise.repeat(12, axis=0).repeat(12, axis=1)

    found, wanted = (one.run(picture, 0, -3.0) for one in (frontal_detector(dlib), own))

    assert len(wanted[0]) > 0
    assert [list(part) for part in found] == [list(part) for part in wanted]


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-1] + b"\0\1"])
def test_a_damaged_file_is_made_anew(cached: Path, damage: object) -> None:
    """It is proved before dlib reads it."""
    frontal_detector(dlib)
    whole = cached.read_bytes()
    cached.write_bytes(damage(whole))  # type: ignore[operator]

    assert frontal_detector(dlib).num_detectors == 5
    assert cached.read_bytes() == whole
