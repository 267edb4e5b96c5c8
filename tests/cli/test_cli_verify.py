"""`verify` on the command line: what it prints, and the code that cron sees."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli.cli_process import Run
from stages.verifying import Collection, hurt
from support import eventually

pytestmark = pytest.mark.slow

TESTS = str(Path(__file__).parents[1])


def test_findings_end_with_4_and_mended_ones_with_0(run: Run, tmp_path: Path) -> None:
    """And a collection that is whole is quiet with -q."""
    with closing(Collection(tmp_path / "data")) as collection:
        done = hurt(collection, collection.fill(3, 10), 2)

    looked = run("verify", "--json")
    fixed = run("verify", "--fix")
    quiet = run("-q", "verify")

    facts = json.loads(looked.stdout)
    assert looked.returncode == 4
    assert {(one["kind"], one["name"]) for one in facts["findings"]} == done
    assert (facts["found"], facts["mended"]) == (len(done), 0)
    assert "celebcollect verify --fix" in looked.stderr
    assert fixed.returncode == 0, fixed.stderr
    assert all(f"{kind}\t{name}" in fixed.stdout for kind, name in done)
    assert f"{len(done)} found, {len(done)} mended" in fixed.stdout
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_name_that_is_no_utf8_is_printed_escaped(run: Run, tmp_path: Path) -> None:
    """For a person and for a program, and what it was mended to as well."""
    with closing(Collection(tmp_path / "data")) as collection:
        collection.fill(1, 1)
        strange = collection.root / "images" / "Q1" / "caf\udce9.jpg"
        strange.write_bytes(b"whose?")

    looked = run("verify", "--json")
    fixed = run("verify", "--fix")

    assert json.loads(looked.stdout)["findings"][0]["name"] == "images/Q1/caf\udce9.jpg"
    assert (looked.returncode, fixed.returncode) == (4, 0), fixed.stderr
    assert "strange_file\timages/Q1/caf\\udce9.jpg: moved to lost/images/Q1/" in fixed.stdout


def test_where_no_collection_is_none_is_made(run: Run, tmp_path: Path) -> None:
    """A disk that is not mounted: cron sends a mail."""
    for options in ((), ("--fix",)):
        done = run("-q", "verify", *options)

        assert done.returncode == 4
        assert str(tmp_path / "data") in done.stderr
        assert list(tmp_path.iterdir()) == []


def test_a_killed_verify_is_gone_on_with(run: Run, tmp_path: Path) -> None:
    """Kill -9 in the middle; the next one names everything all the same."""
    with closing(Collection(tmp_path / "data")) as collection:
        rows = collection.fill(60, 25)
        done = hurt(collection, rows, 3)
        process = subprocess.Popen(
            [sys.executable, "-c", _SLOW, str(collection.root), TESTS], stdout=subprocess.PIPE
        )
        assert eventually(lambda: (collection.catalogue.note("verify") or {}).get("after"), 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    again = run("verify", "--json")

    facts = json.loads(again.stdout)
    assert facts["resumed"]
    assert facts["checked"]["pictures"] == len(rows)
    assert {(one["kind"], one["name"]) for one in facts["findings"]} == done


_SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stages.verifying import Collection
from celebcollect.stages.verify import run
run.SAVE_EVERY_S = 0
Collection(Path(sys.argv[1])).verify(progress=lambda *_: time.sleep(0.5))
"""
