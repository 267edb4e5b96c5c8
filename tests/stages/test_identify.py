"""Identify: whom the faces of a file show, whatever the file is."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.demo.drawing import encode, portrait
from celebcollect.domain.errors import ConfigError, UsageError
from celebcollect.stages.identify import IdentifiedFile, engine_of, identify
from celebcollect.stages.train.model import Model
from celebcollect.vision import dlib_package
from celebcollect.vision.dlib_engine import DlibSpec
from training import DRAWN, DRAWN_DISTANCE, STRANGER, School, drawn, need_engine, shot_bytes

pytestmark = pytest.mark.slow

SMALL = StoreConfig(max_bytes=200_000, max_pixels=2_000_000)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Three drawn people, three shots each."""
    need_engine()
    school = School(tmp_path_factory.mktemp("school"))
    school.publish(*(drawn(person, shot, school.folder) for person in DRAWN for shot in range(3)))
    return school.train(threshold=DRAWN_DISTANCE).model


def look(model: Model, *files: Path) -> Iterator[IdentifiedFile]:
    return identify(files, model, DlibSpec(), clean=CleanConfig(workers=1), store=SMALL)


def who(seen: IdentifiedFile) -> list[str]:
    return [face.person.qid if face.person else "unknown" for face in seen.faces]


def test_faces_are_named_in_the_order_of_the_files(model: Model, tmp_path: Path) -> None:
    """
    Unseen shots of known people, a stranger, and no face at all.

    Two people stand beside each other, and one picture lies on its side by EXIF.
    """
    known, stranger, both, turned, nobody = (
        tmp_path / name for name in ("known", "stranger", "both", "turned", "nobody")
    )
    known.write_bytes(shot_bytes(DRAWN[0], 7))
    stranger.write_bytes(shot_bytes(STRANGER, 7))
    pair = Pillow.new("RGB", (960, 480))
    pair.paste(portrait(DRAWN[1], 8), (0, 0))
    pair.paste(portrait(STRANGER, 8), (480, 0))
    both.write_bytes(encode(pair))
    turned.write_bytes(on_its_side(portrait(DRAWN[2], 8)))
    nobody.write_bytes(encode(Pillow.effect_noise((300, 300), 90)))

    seen = list(look(model, known, stranger, both, turned, nobody))

    assert [one.file for one in seen] == [known, stranger, both, turned, nobody]
    first, second, third, fourth, fifth = seen
    assert who(first) == [f"Q{DRAWN[0]}"]
    assert first.faces[0].distance <= DRAWN_DISTANCE
    assert who(second) == ["unknown"]
    assert second.faces[0].distance > DRAWN_DISTANCE
    by_place = {face.box[0] < 480: name for face, name in zip(third.faces, who(third), strict=True)}
    assert by_place == {True: f"Q{DRAWN[1]}", False: "unknown"}
    assert who(fourth) == [f"Q{DRAWN[2]}"]
    assert (fifth.faces, fifth.fault) == ((), None)


def on_its_side(picture: Pillow.Image) -> bytes:
    out, exif = io.BytesIO(), Pillow.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right to see it upright
    picture.transpose(Pillow.Transpose.ROTATE_90).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


def test_what_is_no_picture_is_told_and_the_others_go_on(model: Model, tmp_path: Path) -> None:
    """
    Files that hold no picture are told, and the others go on.

    Missing, a folder, a pipe that nobody writes to, a text, too many bytes or pixels, cut off, a
    name that cannot be.
    """
    good = tmp_path / "good"
    good.write_bytes(shot_bytes(DRAWN[0], 7))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_text("no picture")
    (tmp_path / "large").write_bytes(good.read_bytes() + bytes(200_000))
    (tmp_path / "bomb").write_bytes(encode(Pillow.new("1", (2000, 2000)), "PNG"))
    (tmp_path / "cut").write_bytes(good.read_bytes()[:-3000])
    bad = [
        tmp_path / name
        for name in ("missing", "text", "pipe", "large", "bomb", "cut", "zero\0byte")
    ]

    seen = list(look(model, *bad[:3], good, tmp_path, *bad[3:]))

    faults = {one.file: one.fault for one in seen}
    assert faults.pop(good) is None
    assert who(next(one for one in seen if one.file == good)) == [f"Q{DRAWN[0]}"]
    assert {file.name for file, fault in faults.items() if fault == "missing"} == {
        "missing",
        "zero\0byte",
    }
    assert {
        fault for file, fault in faults.items() if file.name not in ("missing", "zero\0byte")
    } == {"no picture"}
    assert all(one.detail for one in seen if one.fault)


def test_a_model_of_another_engine_is_refused(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its distances would mean nothing.

    Without any engine, what to install is told, whatever `clean` is configured to do.
    """
    other = Model(model.people, model.vectors, model.threshold, "another", model.fingerprint)
    with pytest.raises(UsageError, match="trained with embeddings 'another'"):
        engine_of(other, CleanConfig())
    assert engine_of(model, CleanConfig(faces="off")) == DlibSpec()

    monkeypatch.setattr(dlib_package, "why_not", lambda: "the extra `faces` is not installed")
    with pytest.raises(ConfigError) as caught:
        engine_of(model, CleanConfig())
    assert "celebcollect[faces]" in caught.value.hint


def test_embeddings_of_another_length_are_refused(model: Model, tmp_path: Path) -> None:
    """A model file that contradicts itself ends with a message, not with a traceback."""
    short = Model(
        model.people,
        np.ascontiguousarray(model.vectors[:, :64]),
        model.threshold,
        model.embedding_version,
        model.fingerprint,
    )
    (tmp_path / "good").write_bytes(shot_bytes(DRAWN[0], 7))

    with pytest.raises(UsageError, match="64 numbers"):
        list(look(short, tmp_path / "good"))
