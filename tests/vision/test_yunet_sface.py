"""YuNet and SFace as an engine by name: installed, proved, and what they see."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.pictures.file import PictureFile
from celebcollect.vision.base import FacesSeen
from celebcollect.vision.better_engine import better
from celebcollect.vision.engines import engine_for, numbers_for
from celebcollect.vision.looking import detect_and_embed
from celebcollect.vision.model_sets import SFACE, YUNET, models_folder
from celebcollect.vision.model_store import take_from
from vision.model_wheel import zoo_models


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder in which no model is installed yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def photograph(file: Path) -> PictureFile:
    from PIL import Image as Pillow

    with Pillow.open(file) as picture:
        return PictureFile(file.stem, file, *picture.size)


def test_auto_takes_the_models_as_soon_as_they_are_there(user_folder: Path) -> None:
    """Before: dlib, and a word on what would be better. After: they, and nothing better."""
    before = engine_for(CleanConfig())
    assert before is not None
    assert before.name == "dlib"
    assert "models get yunet-sface" in (better(CleanConfig()) or "")

    take_from("yunet-sface", zoo_models())

    spec = engine_for(CleanConfig())
    assert spec is not None
    assert spec.name == "yunet-sface"
    assert numbers_for(CleanConfig(), spec).smallest_face_px == 24
    assert better(CleanConfig()) is None
    asked_for = engine_for(CleanConfig(engine="dlib"))
    assert asked_for is not None
    assert asked_for.name == "dlib"


def test_an_engine_that_is_not_here_says_how_to_get_it(user_folder: Path) -> None:
    """By its own name, and by a name that nobody knows."""
    with pytest.raises(ConfigError) as absent:
        engine_for(CleanConfig(engine="yunet-sface"))
    with pytest.raises(ConfigError, match="made-up") as unknown:
        engine_for(CleanConfig(engine="made-up"))

    assert "celebcollect models get yunet-sface" in absent.value.hint
    assert "models list" in unknown.value.hint


def test_a_changed_file_is_not_loaded(user_folder: Path) -> None:
    """Same size, other bytes: proved when it is loaded, not only when it was fetched."""
    take_from("yunet-sface", zoo_models())
    file = models_folder() / "yunet-sface" / YUNET.name
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    spec = engine_for(CleanConfig(engine="yunet-sface"))
    assert spec is not None

    with pytest.raises(ConfigError, match="SHA-256"):
        spec.load()


@pytest.mark.slow
def test_faces_of_one_person_are_nearer_than_those_of_two(
    user_folder: Path, shared_data: Path
) -> None:
    """Two photographs each of six people: one face in each, and the score tells who is who."""
    take_from("yunet-sface", zoo_models())
    spec = engine_for(CleanConfig())
    assert spec is not None
    engine = spec.load()
    folders = [
        folder
        for folder in sorted((shared_data / "faces" / "people").iterdir())
        if len(list(folder.iterdir())) >= 4
    ][:6]
    embeddings = []
    for folder in folders:
        for file in sorted(folder.iterdir())[:2]:
            seen = detect_and_embed(engine, photograph(file))
            assert isinstance(seen, FacesSeen)
            assert seen.faces, file
            embeddings.append(seen.embeddings[0])
    points = np.stack(embeddings)

    scores = spec.numbers.likeness.scores(points, points)

    same = [scores[at, at + 1] for at in range(0, len(points), 2)]
    other = [
        scores[one, two]
        for one in range(len(points))
        for two in range(one + 1, len(points))
        if one // 2 != two // 2
    ]
    assert sum(score <= 1 for score in same) >= 5, same
    assert min(other) > 0.9
    assert np.median(same) < 0.8 * np.median(other)


def test_models_of_ones_own_have_a_name_and_numbers(user_folder: Path, tmp_path: Path) -> None:
    """A folder with an engine.toml is installed under a name; a wrong one is a clear error."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in (YUNET, SFACE):
        shutil.copy(zoo_models() / file.name, folder)
    settings = folder / "engine.toml"
    settings.write_text(f'detector = "{YUNET.name}"\nembedder = "{SFACE.name}"\nlink = 3\n')
    with pytest.raises(ConfigError, match="link"):
        take_from("mine", folder)
    settings.write_text(
        f'detector = "{YUNET.name}"\nembedder = "{SFACE.name}"\n'
        "identity_distance = 0.8\nsmallest_face_px = 33\n"
    )

    take_from("mine", folder)

    spec = engine_for(CleanConfig(engine="mine"))
    assert spec is not None
    assert spec.name == "mine"
    assert spec.numbers.smallest_face_px == 33
    assert spec.numbers.likeness.limit == 0.8
    assert spec.load().detect(np.zeros((64, 64, 3), np.uint8)) == []
