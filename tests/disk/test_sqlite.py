"""The one SQLite layer: versions, transactions, several threads and processes, errors."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from celebcollect.disk.sqlite import SqliteFile
from celebcollect.disk.sqlite_format import SqliteFormat
from celebcollect.domain.errors import BusError

TABLES = (
    "CREATE TABLE counts (n INTEGER NOT NULL)",
    "INSERT INTO counts VALUES (0)",
    "CREATE TABLE extra (text TEXT)",
)


def statements(version: int) -> tuple[str, ...]:
    return TABLES[2:] if version == 1 else TABLES


KIND = SqliteFormat(
    what="the counter", error=BusError, version=2, statements=statements, application_id=77
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "counter.sqlite3"


def count(opened: SqliteFile) -> int:
    with opened.connection() as connection:
        return int(connection.execute("SELECT n FROM counts").fetchone()[0])


def add(opened: SqliteFile) -> None:
    with opened.transaction() as connection:
        n = connection.execute("SELECT n FROM counts").fetchone()[0]
        connection.execute("UPDATE counts SET n = ?", (n + 1,))


def test_a_former_version_is_brought_up_to_date_and_keeps_its_rows(file: Path) -> None:
    """Only what is new is made."""
    former = replace(KIND, version=1, statements=lambda version: TABLES[:2])
    with closing(SqliteFile(file, former)) as opened:
        add(opened)

    with closing(SqliteFile(file, KIND)) as opened, opened.transaction() as connection:
        connection.execute("INSERT INTO extra VALUES ('new')")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        kept = connection.execute("SELECT n FROM counts").fetchone()[0]

    assert (version, kept) == (2, 1)


def test_an_update_that_fails_leaves_the_former_version(file: Path) -> None:
    """All statements of an update or none."""
    former = replace(KIND, version=1, statements=lambda version: TABLES[:2])
    SqliteFile(file, former).close()
    broken = replace(KIND, statements=lambda version: (*TABLES[2:], "CREATE NONSENSE"))

    with pytest.raises(BusError, match="the counter"):
        SqliteFile(file, broken)

    with closing(SqliteFile(file, former)) as opened:
        assert count(opened) == 0


@pytest.mark.parametrize(
    ("pragma", "message"),
    [("user_version = 3", "newer celebcollect"), ("application_id = 5", "another program")],
)
def test_what_is_not_ours_to_change_stays(file: Path, pragma: str, message: str) -> None:
    """A newer file and another program's are refused, and keep every byte."""
    SqliteFile(file, KIND).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA {pragma}")
    before = file.read_bytes()

    with pytest.raises(BusError, match=message) as caught:
        SqliteFile(file, KIND)

    assert "data_dir" in caught.value.hint
    assert file.read_bytes() == before


def test_a_block_that_fails_changes_nothing(file: Path) -> None:
    """Its connection is thrown away, and the next transaction begins afresh."""

    def spoil(opened: SqliteFile) -> None:
        with opened.transaction() as connection:
            connection.execute("UPDATE counts SET n = 9")
            raise LookupError

    with closing(SqliteFile(file, KIND)) as opened:
        with pytest.raises(LookupError):
            spoil(opened)
        add(opened)

        assert count(opened) == 1


@pytest.mark.slow
def test_threads_and_processes_take_turns(file: Path) -> None:
    """No update is lost, and nobody waits for ever."""
    program = (
        "import pathlib, sys; import test_sqlite as t\n"
        "opened = t.SqliteFile(pathlib.Path(sys.argv[1]), t.KIND)\n"
        "for _ in range(25): t.add(opened)\n"
    )
    command = [sys.executable, "-c", program, str(file)]
    others = [subprocess.Popen(command, cwd=Path(__file__).parent) for _ in range(2)]
    with closing(SqliteFile(file, KIND)) as opened:
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(add, opened) for _ in range(50)]:
                future.result()
        codes = [other.wait() for other in others]

        assert codes == [0, 0]
        assert count(opened) == 100


def test_an_error_of_sqlite_names_the_file(file: Path) -> None:
    """The kind of error is the owner's, the message has the path and SQLite's words."""
    with (
        closing(SqliteFile(file, KIND)) as opened,
        pytest.raises(BusError) as caught,
        opened.connection() as connection,
    ):
        connection.execute("SELECT * FROM nowhere")

    assert caught.value.message == f"the counter {file} failed: no such table: nowhere"
    assert isinstance(caught.value.__cause__, sqlite3.Error)


def test_work_after_the_end_is_refused(file: Path) -> None:
    """Whoever closed the file is told, not given a new connection."""
    opened = SqliteFile(file, KIND)
    opened.close()

    with pytest.raises(BusError, match="closed"):
        count(opened)
