"""`train` and `identify` at the command line: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image as Pillow

from celebcollect.demo.drawing import encode, portrait
from celebcollect.domain.terms import MlUse
from cli.cli_process import Run
from training import DRAWN, DRAWN_DISTANCE, STRANGER, School, drawn, need_engine, record, shot_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """A data folder with a model of three drawn people."""
    need_engine()
    school = School(tmp_path_factory.mktemp("school"))
    school.publish(*(drawn(person, shot, school.folder) for person in DRAWN for shot in range(3)))
    school.train(threshold=DRAWN_DISTANCE)
    return school


def test_training_is_told_in_words_and_in_json(run: Run, tmp_path: Path) -> None:
    """Who was learnt, how unseen pictures fared, what was left out; again gives the same."""
    school = School(tmp_path / "data")
    school.people(1, 2, 3, shots=20)
    school.publish(
        *(record(4, shot, source="tmdb", ml_use=MlUse.NEEDS_AGREEMENT) for shot in range(3)),
        record(5, 0),
    )

    first = run("train")
    model = school.file().read_bytes()
    second = run("train", "--json")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "trained on 60 pictures of 3 people" in first.stdout
    assert "Person 2" in first.stdout
    assert "100.0 % recognised" in first.stdout
    assert "left out: 3 needs_agreement (`[train] ml_use_permitted` names" in first.stdout
    assert "left out: 1 too_few_pictures" in first.stdout
    assert "left out: 2 people with fewer than 2 usable pictures" in first.stdout
    assert school.file().read_bytes() == model
    told = json.loads(second.stdout)
    assert told == {
        "model": str(Path("data") / "models" / "faces" / "model.safetensors"),
        **json.loads((school.file().parent / "report.json").read_text()),
    }
    assert (told["people"], told["pictures"], told["left_out"]["needs_agreement"]) == (3, 60, 3)
    assert told["evaluation"]["closed_accuracy"] == 1.0


def test_an_agreement_and_a_name_of_ones_own(run: Run, tmp_path: Path) -> None:
    """The configuration names the agreement, and models lie beside each other by name."""
    school = School(tmp_path / "data")
    school.publish(
        *(
            record(person, shot, source="tmdb", ml_use=MlUse.NEEDS_AGREEMENT)
            for person in (1, 2)
            for shot in range(3)
        )
    )

    refused, done = (
        run("train"),
        run("train", "--model", "with-tmdb", TRAIN__ML_USE_PERMITTED='["tmdb"]'),
    )

    assert refused.returncode == 4
    assert "6 needs_agreement" in refused.stderr
    assert "ml_use_permitted" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert school.file("with-tmdb").is_file()
    assert not school.file().exists()


def test_nothing_to_train_on_ends_with_4(run: Run) -> None:
    """With what brings pictures, and without a file."""
    done = run("train")

    assert done.returncode == 4
    assert "a classifier needs 2 people" in done.stderr
    assert "run-all" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_faces_are_named(run: Run, school: School, tmp_path: Path) -> None:
    """Each face of each file: a person with the distance, or unknown; others are told."""
    (tmp_path / "known.jpg").write_bytes(shot_bytes(DRAWN[0], 7))
    pair = Pillow.new("RGB", (960, 480))
    pair.paste(portrait(DRAWN[1], 8), (0, 0))
    pair.paste(portrait(STRANGER, 8), (480, 0))
    (tmp_path / "pair.jpg").write_bytes(encode(pair))
    (tmp_path / "none.jpg").write_bytes(encode(Pillow.new("RGB", (200, 200))))
    (tmp_path / "text\x1b[2J.jpg").write_text("no picture")
    files = ("known.jpg", "pair.jpg", "none.jpg", "text\x1b[2J.jpg")

    words, lines = (
        run("identify", *files, DATA_DIR=str(school.folder)),
        run("identify", "--json", *files, DATA_DIR=str(school.folder)),
    )

    assert words.returncode == lines.returncode == 0, words.stderr + lines.stderr
    assert f"known.jpg: Person {DRAWN[0]} (Q{DRAWN[0]}), distance 0." in words.stdout
    assert f"pair.jpg: Person {DRAWN[1]} (Q{DRAWN[1]})" in words.stdout
    assert "pair.jpg: unknown, distance 0." in words.stdout
    assert "none.jpg: no face" in words.stdout
    assert "text[2J.jpg" in words.stderr.replace(" ", "")
    assert "\x1b" not in words.stdout + words.stderr
    told = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [(one["file"], one.get("faces"), one.get("face"), "error" in one) for one in told] == [
        ("known.jpg", 1, 0, False), ("pair.jpg", 2, 0, False), ("pair.jpg", 2, 1, False),
        ("none.jpg", 0, None, False), (files[3], None, None, True),
    ]  # fmt: skip
    assert (told[0]["qid"], told[0]["name"]) == (f"Q{DRAWN[0]}", f"Person {DRAWN[0]}")
    assert {(one["qid"], one["name"]) for one in told[1:3]} == {
        (f"Q{DRAWN[1]}", f"Person {DRAWN[1]}"),
        (None, "unknown"),
    }
    assert 0 < told[0]["distance"] <= DRAWN_DISTANCE
    assert len(told[0]["box"]) == 4


def test_files_that_are_none_decide_the_exit_code(run: Run, school: School, tmp_path: Path) -> None:
    """A missing file is wrong usage; no picture at all is nothing produced."""
    (tmp_path / "known.jpg").write_bytes(shot_bytes(DRAWN[0], 7))
    (tmp_path / "text.jpg").write_text("no picture")
    where = {"DATA_DIR": str(school.folder)}

    missing, nothing = (
        run("identify", "gone.jpg", "known.jpg", **where),
        run("identify", "text.jpg", **where),
    )

    assert missing.returncode == 2
    assert f"Person {DRAWN[0]}" in missing.stdout
    assert "no such file: 'gone.jpg'" in missing.stderr
    assert nothing.returncode == 4
    assert "none of 1 files is a picture" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["identify"], "IMAGE"),
        (["identify", "a.jpg"], "there is no model 'faces'"),
        (["identify", "a.jpg", "--model", "../x"], "no name for a model"),
        (["train", "--model", "X Y"], "no name for a model"),
    ],
)
def test_what_cannot_be_ends_with_2(run: Run, arguments: list[str], said: str) -> None:
    """Told with what to do."""
    done = run(*arguments)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
