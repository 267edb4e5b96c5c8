"""What only the catalogue in an SQLite file promises.

Indexes, durability, and clear words when the file is unusable.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalogue.catalogue_samples import accepted, candidate, person, stored, workout
from catalogue.small_disk import on_small_disk
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.sqlite import marks as embedded_marks
from celebcollect.catalogue.sqlite import schema
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.catalogue.state import PersonFace
from celebcollect.domain.errors import CatalogueError
from celebcollect.domain.records import Image


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "catalogue.sqlite3"


@pytest.fixture
def catalogue(file: Path) -> Iterator[EmbeddedCatalogue]:
    with closing(EmbeddedCatalogue(file)) as catalogue:
        yield catalogue


def only_connection(catalogue: EmbeddedCatalogue) -> sqlite3.Connection:
    """Return the connection that everything of one thread runs on."""
    with catalogue._file.transaction() as connection:
        return connection


def test_every_query_is_served_by_an_index(catalogue: EmbeddedCatalogue) -> None:
    """
    No statement but of `forget` and `all_forgotten` walks through a table (but small ones).

    SQLite's own plan names an index for each.
    """
    connection = only_connection(catalogue)
    statements: set[str] = set()
    connection.set_trace_callback(statements.add)
    called = workout(catalogue)
    connection.set_trace_callback(None)

    plans = {
        statement: [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement)]
        for statement in statements
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)", statement)
    }
    walks = {
        statement: plan
        for statement, plan in plans.items()
        for step in plan
        if re.fullmatch(r"SCAN (?!json_each\b|totals\b|waiting\b|forgotten(_ids)?\b)\w+", step)
    }

    assert called == {
        name
        for part in Catalogue.__mro__
        if part.__module__.startswith("celebcollect.")
        for name in vars(part)
        if not name.startswith("_") and name not in ("close", "forget")
    }
    assert len(plans) > 40
    assert walks == {}


def test_a_walk_through_a_table_would_be_noticed(catalogue: EmbeddedCatalogue) -> None:
    """The plan of a query without an index has the form that the test above looks for."""
    plan = (
        only_connection(catalogue)
        .execute("EXPLAIN QUERY PLAN SELECT * FROM images WHERE reason = 'x'")
        .fetchone()[3]
    )

    assert re.fullmatch(r"SCAN (?!json_each\b)\w+", plan)


def test_commits_are_flushed_before_they_return(catalogue: EmbeddedCatalogue) -> None:
    """
    Every connection flushes at each commit (2: FULL).

    Readers and a writer work side by side.
    """
    connection = only_connection(catalogue)

    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_failed_write_leaves_no_half(catalogue: EmbeddedCatalogue) -> None:
    """
    When one row of a call cannot be written, none of its batch is.

    The catalogue goes on working.
    """
    with pytest.raises(ValueError, match="does not belong"):
        catalogue.record_stored([stored(1, 0), stored(2, 0, id="Q3:0")])

    assert catalogue.counts().celebrities == 0
    assert catalogue.add_verified([candidate(1, 0)]) == 1


def test_counters_agree_with_the_rows(catalogue: EmbeddedCatalogue) -> None:
    """The counters that triggers keep are what counting every row gives."""
    workout(catalogue)
    connection = only_connection(catalogue)

    by_state = connection.execute(
        "SELECT status, coalesce(reason, ''), count(*) FROM images GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    by_person = connection.execute(
        "SELECT person, count(*) FROM images GROUP BY 1 ORDER BY 1"
    ).fetchall()

    assert (
        connection.execute("SELECT * FROM totals WHERE n <> 0 ORDER BY 1, 2").fetchall() == by_state
    )
    query = (
        "SELECT person, verified + stored + accepted + rejected + failed AS n FROM work WHERE n <>"
        " 0 ORDER BY 1"
    )
    assert connection.execute(query).fetchall() == by_person


@pytest.mark.parametrize("settle_at", [1, 7, 10**9])
def test_pictures_are_found_whether_their_marks_are_settled_or_new(
    catalogue: EmbeddedCatalogue, monkeypatch: pytest.MonkeyPatch, settle_at: int
) -> None:
    """
    However many entries wait in the small table, each picture is found.

    It is found by its bytes and its likeness, and no longer when it changed.
    """
    monkeypatch.setattr(embedded_marks, "SETTLE_AT", settle_at)
    rows = [
        stored(number, 0, phash=f"{number * 0x1111111111111111:016x}") for number in range(1, 9)
    ]
    for row in rows:
        catalogue.record_stored([row])
    catalogue.record_verdicts([accepted(3, 0, phash="f" * 16, sha256="c" * 64)])
    catalogue.forget("Q5")

    def found(row: Image) -> list[str]:
        by_bytes, by_hash = (
            catalogue.with_bytes([str(row.sha256)]),
            catalogue.similar([str(row.phash)], version=1, bits=2),
        )
        assert by_bytes == by_hash
        return [image.qid for image in by_bytes]

    assert [found(row) for row in rows] == [["Q1"], ["Q2"], [], ["Q4"], [], ["Q6"], ["Q7"], ["Q8"]]
    assert found(accepted(3, 0, phash="f" * 16, sha256="c" * 64)) == ["Q3"]
    left = (
        only_connection(catalogue)
        .execute("SELECT count(*) FROM (SELECT * FROM marks UNION ALL SELECT * FROM marks_new)")
        .fetchone()
    )
    assert left == (7 * 5,)


def test_a_file_of_a_former_version_is_brought_up_to_date(file: Path) -> None:
    """What it holds stays, and what is new can be used, by whoever had opened it too."""
    catalogue = EmbeddedCatalogue(file)
    catalogue.record_stored([stored(1, 0)])
    catalogue.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE faces")
        connection.execute("ALTER TABLE searches DROP COLUMN portraits")
        connection.execute("PRAGMA user_version = 1")

    for _ in range(2):
        catalogue = EmbeddedCatalogue(file)
        catalogue.record_face(PersonFace("Q1", "v", b"1234", trusted=True, image=stored(1, 0).id))
        assert list(catalogue.faces_of(["Q1"])) == ["Q1"]
        assert list(catalogue.images()) == [stored(1, 0)]
        catalogue.close()


def test_a_newer_file_is_refused(file: Path) -> None:
    """A file of a later version is left alone, and the hint says to update."""
    EmbeddedCatalogue(file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")

    with pytest.raises(CatalogueError, match="newer") as caught:
        EmbeddedCatalogue(file)

    assert "Update" in caught.value.hint


def test_a_database_of_another_program_is_refused_untouched(file: Path) -> None:
    """Somebody else's database stays byte for byte as it was."""
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    before = file.read_bytes()

    with pytest.raises(CatalogueError, match="another program"):
        EmbeddedCatalogue(file)

    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(file: Path) -> None:
    """A file with other content is named, kept, and the hint says what to do."""
    file.parent.mkdir()
    file.write_text("a shopping list\n" * 100)

    with pytest.raises(CatalogueError, match=re.escape(str(file))) as caught:
        EmbeddedCatalogue(file)

    assert "move it away" in caught.value.hint
    assert file.read_text().startswith("a shopping list")


def test_an_empty_file_becomes_a_catalogue(file: Path) -> None:
    """What a process left that died right after creating the file is used."""
    file.parent.mkdir()
    file.touch()

    with closing(EmbeddedCatalogue(file)) as catalogue:
        assert catalogue.save_people([person(1)]).new == 1


def test_a_damaged_file_is_told(file: Path) -> None:
    """Garbage in the middle of the file is an error with advice, not a traceback of SQLite."""
    with closing(EmbeddedCatalogue(file)) as catalogue:
        catalogue.add_verified([candidate(n, 0) for n in range(1, 500)])
    content = bytearray(file.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 12288)
    file.write_bytes(content)

    with pytest.raises(CatalogueError) as caught, closing(EmbeddedCatalogue(file)) as catalogue:
        workout(catalogue)

    assert "backup" in caught.value.hint


def test_a_damaged_record_is_told(catalogue: EmbeddedCatalogue) -> None:
    """A row that is no record is a trouble of the catalogue, not taken for a bad message."""
    catalogue.save_people([person(1)])
    with catalogue._file.transaction() as connection:
        connection.execute("UPDATE celebrities SET data = '{}'")

    with pytest.raises(CatalogueError, match="damaged"):
        catalogue.people()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is named in the error."""
    (tmp_path / "taken").touch()

    with pytest.raises(CatalogueError, match="taken") as caught:
        EmbeddedCatalogue(tmp_path / "taken" / "catalogue.sqlite3")

    assert "data_dir" in caught.value.hint


@pytest.mark.slow
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """
    On a full disk the error says so.

    What was written before is there, and once there is room the work goes on.
    """
    told = on_small_disk(
        tmp_path,
        """
        from catalogue.catalogue_samples import candidate
        from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
        from celebcollect.domain.errors import CatalogueError
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(400_000))
        catalogue = EmbeddedCatalogue(disk / "catalogue.sqlite3")
        written = 0
        try:
            while True:
                new = [candidate(written + n, 0, page_title="x" * 500) for n in range(1, 51)]
                catalogue.add_verified(new)
                written += 50
        except CatalogueError as error:
            print(error.hint)
        print(catalogue.counts().images["verified"] == written > 0)
        ballast.unlink()
        print(catalogue.add_verified([candidate(written + 1, 0)]))
        """,
    )

    assert told.splitlines()[0].startswith("The disk is full")
    assert told.splitlines()[1:] == ["True", "1"]


@pytest.mark.slow
def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    """On a disk that became read-only, opening says so."""
    told = on_small_disk(
        tmp_path,
        """
        from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
        from celebcollect.domain.errors import CatalogueError
        EmbeddedCatalogue(disk / "catalogue.sqlite3").close()
        read_only()
        for name in ("catalogue.sqlite3", "new.sqlite3", "new/catalogue.sqlite3"):
            try:
                EmbeddedCatalogue(disk / name)
            except CatalogueError as error:
                print(error.message, "|", error.hint)
        """,
    )

    assert len(told.splitlines()) == 3
    assert all("catalogue.sqlite3" in line or "new" in line for line in told.splitlines())
    assert all(re.search(r"\| \S.*write", line) for line in told.splitlines())


def test_a_closed_catalogue_says_so(file: Path) -> None:
    """Work after the end is refused in words."""
    catalogue = EmbeddedCatalogue(file)
    catalogue.close()

    with pytest.raises(CatalogueError, match="closed"):
        catalogue.counts()
