"""`make bench-people`: a folder of one's own people becomes a table by group."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from celebcollect.demo.cast import CAST
from celebcollect.demo.drawing import encode, portrait
from simulations import fairness, module_of
from training import need_engine


def people_folder(folder: Path, *, people: int, shots: int) -> Path:
    for player in CAST[:people]:
        place = folder / f"person-{player.number}"
        place.mkdir(parents=True)
        for shot in range(shots):
            (place / f"{shot}.jpg").write_bytes(encode(portrait(player.looks, shot)))
    return folder


def measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fairness()
    monkeypatch.setattr(sys, "argv", ["people.py", str(folder)])
    module_of("people").main()


@pytest.mark.slow
def test_a_table_by_group_is_printed_for_each_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every face that was drawn is found; what is no picture is told; groups are those given."""
    need_engine()
    folder = people_folder(tmp_path / "people", people=5, shots=3)
    (folder / "person-0" / "notes.txt").write_text("no picture")
    labels = [f"person-{n},{'north' if n < 3 else 'south'},f" for n in range(5)]
    (folder / "labels.csv").write_text("\n".join(["person,group,sex", *labels]))

    measured(folder, monkeypatch)

    out = capsys.readouterr().out
    assert "left out, no picture: person-0/notes.txt" in out
    assert "15 photographs of 5 people" in out
    table = out[out.index("\ndlib, strangers told by the rule ") :].splitlines()[3:6]
    assert [line.split()[:2] for line in table] == [
        ["north", "100.0"],
        ["south", "100.0"],
        ["all", "100.0"],
    ]
    assert all("pairs" in out and "%" in line for line in table)


def test_too_few_people_are_refused_before_anything_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three people say nothing about how people are told apart."""
    folder = people_folder(tmp_path / "people", people=3, shots=1)

    with pytest.raises(SystemExit, match=r"3 people with pictures in .*: 4 are needed"):
        measured(folder, monkeypatch)
