"""The demonstration: what it plants, how it judges, and what it does without faces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from celebcollect.demo import commons
from celebcollect.demo.cast import CAST, Special
from celebcollect.demo.knowledge import WDT, file_name, former_name, portrait_in
from celebcollect.demo.looks import complexion
from celebcollect.demo.outcome import judge, show
from celebcollect.demo.planted import PlantedPicture, album
from celebcollect.demo.tmdb import tmdb_file
from celebcollect.demo.web import SmallWeb
from celebcollect.domain.records import SAME_FACE
from local_web import SOURCES, planted

PLANTED = [picture for player in CAST for picture in album(player)]


def as_planted(*, faces: bool) -> dict[str, dict[str, Any]]:
    """Return rows of pictures that all ended as they should."""
    rows: dict[str, dict[str, Any]] = {}
    for number, picture in enumerate(PLANTED):
        path = f"/t/p/original{tmdb_file(picture)}" if picture.source == "tmdb" else picture.path
        accepted = picture.must_be_accepted(faces=faces)
        rows[path] = {
            "status": "accepted" if accepted else "rejected",
            "reason": (
                picture.reasons[0]
                if not accepted
                else SAME_FACE
                if picture.must_be_in_doubt(faces=faces)
                else None
            ),
            "sha256": str(number),
        }
    return rows


def some(kind: str, reason: str | None = None) -> PlantedPicture:
    """Return a picture of this kind, left out for this reason or for that of its kind."""
    found = (
        picture
        for picture in PLANTED
        if picture.kind == kind and picture.source != "tmdb" and picture.shot
    )
    return next(
        picture
        for picture in found
        if reason in picture.reasons
        or (reason is None and (kind != "portrait" or not picture.reasons))
    )


def alike() -> PlantedPicture:
    """Return a good picture of the one who looks like somebody else."""
    return next(one for one in PLANTED if one.shot and one.must_be_in_doubt(faces=True))


@pytest.mark.slow
@pytest.mark.parametrize("faces", [True, False])
def test_what_ended_as_planted_is_right(faces: bool) -> None:
    """Every picture is counted for its person, and nothing is held against the program."""
    outcome = judge(PLANTED, as_planted(faces=faces), SOURCES, faces=faces)

    assert outcome.wrong == []
    assert outcome.accepted.total() == len(planted(faces=faces))
    assert outcome.accepted.total() + sum(
        reasons.total() for reasons in outcome.left_out.values()
    ) == len(PLANTED)


@pytest.mark.parametrize(
    ("picture", "row", "said"),
    [
        (some("portrait", "other_person"), {"status": "accepted", "reason": None}, "is accepted"),
        (some("group"), {"status": "rejected", "reason": "no_face"}, "was left out for no_face"),
        (some("smaller"), {"status": "accepted", "reason": None}, "is accepted"),
        (some("portrait"), {"status": "rejected", "reason": "blurred"}, "is rejected blurred"),
        (some("landscape"), None, "was never collected"),
        (some("portrait"), {"status": "accepted", "reason": SAME_FACE}, "is in doubt"),
        (alike(), {"status": "accepted", "reason": None}, "is not in doubt"),
    ],
)  # fmt: skip
def test_what_ended_otherwise_is_told(
    picture: PlantedPicture, row: dict[str, Any] | None, said: str
) -> None:
    """Wrong people let in, right ones thrown out, wrong reasons, pictures that never came."""
    rows = as_planted(faces=True)
    if row is None:
        del rows[picture.path]
    else:
        rows[picture.path] |= row

    outcome = judge(PLANTED, rows, SOURCES, faces=True)

    assert len(outcome.wrong) == 1
    assert outcome.wrong[0].startswith(picture.path)
    assert said in outcome.wrong[0]


@pytest.mark.parametrize(
    ("faces", "told"),
    [
        (
            True,
            (
                "renamed portrait: found under its new name, accepted; 8 of other people left out",
                "kept for it; the smaller one near_duplicate; 8 of other people left out",
                "looks like Smiley 🎬 McStar, no portrait: 8 kept, in doubt; 0 of the other",
            ),
        ),
        (
            False,
            (
                "renamed portrait: found under its new name, accepted",
                "kept for it; the smaller one near_duplicate",
                "looks like Smiley 🎬 McStar, no portrait: nobody looked",
            ),
        ),
    ],
)
def test_the_table_says_what_became_of_what_is_hard(
    faces: bool, told: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The renamed portrait, its larger copy and the look-alikes, and each complexion."""
    outcome = judge(PLANTED, as_planted(faces=faces), SOURCES, faces=faces)

    show(outcome, faces=faces)

    table = capsys.readouterr().out
    assert [line for line in told if line not in table] == []
    tones = {complexion(player.looks) for player in CAST}
    assert len(tones) >= 5
    for tone in tones:
        assert f"skin {tone} of 6" in table


def test_the_portrait_of_one_has_another_name_now() -> None:
    """Wikidata knows the former name; Commons follows it for those who ask for redirects."""
    with SmallWeb() as web:
        renamed = next(player for player in CAST if player.special is Special.RENAMED)
        portrait = portrait_in(web.albums.by_player[renamed])
        former = former_name(portrait)
        asked = {"titles": f"File:{former}", "formatversion": "2"}

        followed = commons.answer(web.albums, web.base, {**asked, "redirects": "1"})["query"]
        lost = commons.answer(web.albums, web.base, asked)["query"]
        names = {str(file).rpartition("/")[2] for file in web.graph.objects(None, WDT.P18)}

    assert quote(former) in names
    assert len(names) == len(CAST) - 1
    assert followed["redirects"] == [
        {"from": f"File:{former}", "to": f"File:{file_name(portrait)}"}
    ]
    assert followed["pages"][0]["imageinfo"][0]["url"] == web.base + portrait.path
    assert lost["pages"][0]["missing"]


def test_every_kind_of_rejection_is_planted() -> None:
    """Every reason that a demonstration should show is planted."""
    reasons = {reason for picture in PLANTED for reason in picture.reasons}

    assert reasons >= {
        "other_person", "several_faces", "no_face", "face_too_small", "near_duplicate",
        "exact_duplicate", "same_picture_other_person", "truncated", "not_an_image", "too_small",
        "embedded_script", "embedded_archive", "blank", "blurred", "extreme_aspect",
    }  # fmt: skip


@pytest.mark.slow
def test_without_the_extra_it_works_and_says_so_once(tmp_path: Path) -> None:
    """Wrong people stay in, the verdict allows for it, and nothing is trained."""
    # Runs in every process of the demonstration: as if the packages were not there.
    hide = (
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda name, *more: None if"
        " name == 'dlib' else find(name, *more)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(hide)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PATH": str(tmp_path)}
    command = [sys.executable, "-m", "celebcollect", "demo", "demo"]

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
    )

    assert done.returncode == 0, done.stderr
    assert (
        f"Exactly as planted: {len(planted(faces=False, sources={'tmdb', 'commons'}))} pictures"
        " accepted" in done.stdout
    )
    assert "Nobody looked at faces" in done.stdout
    assert done.stderr.count("celebcollect[faces]") == 1
    assert not (tmp_path / "demo" / "data" / "models").exists()


@pytest.mark.slow
def test_asked_to_end_it_ends_the_program_that_it_runs(tmp_path: Path) -> None:
    """SIGTERM reaches the demonstration alone: the program that it started ends too."""
    command = [sys.executable, "-m", "celebcollect", "demo", "demo"]
    demo = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert demo.stderr
    line = demo.stderr.readline()  # the program's first: both are at work
    demo.terminate()
    # Both write to these pipes, so that their end is the end of both.
    _, error = demo.communicate(timeout=60)

    assert demo.returncode == 130, line + error
    assert error.count(b"celebcollect: interrupted") == 2, error
    assert b"Traceback" not in error
