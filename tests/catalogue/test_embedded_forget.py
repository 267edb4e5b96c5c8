"""What only the SQLite file has to prove.

That nothing of a forgotten person is left in its bytes.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from catalogue.catalogue_samples import accepted, person, stored
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.errors import CatalogueError


def written(folder: Path) -> bytes:
    """All bytes of the catalogue's files."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


@pytest.mark.slow
def test_no_byte_about_the_person_is_left(tmp_path: Path) -> None:
    """
    No byte is in free pages, in the gaps of full ones or in the write-ahead log.

    Others have the file open meanwhile.
    """
    catalogue = EmbeddedCatalogue(tmp_path / "catalogue.sqlite3")
    bystander = EmbeddedCatalogue(tmp_path / "catalogue.sqlite3")
    catalogue.save_people(
        [
            person(number, name=f"Secretname-{number:04}", description="x" * 300)
            for number in range(1, 200)
        ]
    )
    for number in range(1, 200):  # rows that grow leave copies behind
        catalogue.record_stored([stored(number, place) for place in range(3)])
        catalogue.record_verdicts(
            [accepted(number, place, page_title="y" * 400) for place in range(3)]
        )
    assert bystander.states(["Q77"])
    mark = (stored(77, 1).sha256 or "").encode()
    assert written(tmp_path).count(mark) > 0

    catalogue.forget("Q77")

    left = written(tmp_path)
    for trace in (
        b"Secretname-0077",
        b"secretname-0077",
        mark,
        stored(77, 1).url.encode(),
        b"Q77:",
    ):
        assert trace not in left
    assert b"Secretname-0078" in left
    assert len(bystander.people()) == 198
    bystander.close()
    catalogue.close()


def test_hashes_that_nobody_has_any_more_go_too(tmp_path: Path) -> None:
    """The index of likeness forgets the person's pictures and keeps those that others share."""
    catalogue = EmbeddedCatalogue(tmp_path / "catalogue.sqlite3")
    catalogue.record_stored(
        [
            stored(1, 0, phash="1111111111111111"),
            stored(1, 1, phash="2222222222222222"),
            stored(2, 0, phash="2222222222222222"),
        ]
    )

    catalogue.forget("Q1")

    with sqlite3.connect(tmp_path / "catalogue.sqlite3") as connection:
        marks = connection.execute(
            "SELECT phash FROM marks UNION SELECT phash FROM marks_new"
        ).fetchall()
        assert {phash for (phash,) in marks if phash} == {0x2222222222222222}
    catalogue.close()


def test_a_reader_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As long as somebody reads the old state the old bytes stay in the write-ahead log.

    An error, not a false promise.
    """
    monkeypatch.setattr("celebcollect.disk.sqlite.BUSY_S", 0.2)
    catalogue = EmbeddedCatalogue(tmp_path / "catalogue.sqlite3")
    catalogue.save_people([person(1)])
    reader = sqlite3.connect(tmp_path / "catalogue.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM celebrities").fetchone()

    with pytest.raises(CatalogueError, match="in use"):
        catalogue.forget("Q1")

    reader.close()
    assert catalogue.forget("Q1") == 0
    assert b"Person 1" not in written(tmp_path)
    catalogue.close()
