"""`run-all` from end to end: the real program, a local web, real files, a real browser."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.demo.web import SmallWeb
from local_web import WITHOUT_BROWSER, Collection, planted
from support import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb() as web:
        yield web


@pytest.fixture(scope="module")
def finished(web: SmallWeb, browser: None, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A collection that one complete run over all sources has made."""
    collection = Collection(tmp_path_factory.mktemp("finished") / "it", web)
    collection.run("run-all")
    return collection


@pytest.mark.browser
def test_exactly_the_unique_good_pictures_are_accepted(finished: Collection) -> None:
    """The planted good pictures of three sources are left, each once, in their folders."""
    accepted = [row for row in finished.images() if row["status"] == "accepted"]

    assert Counter((row["qid"], row["sha256"]) for row in accepted) == Counter(planted(faces=False))
    for row in accepted:
        data = (finished.folder / "data" / row["path"]).read_bytes()
        assert row["path"] == f"images/{row['qid']}/{row['sha256']}.jpg"
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (row["sha256"], row["bytes"])


@pytest.mark.browser
def test_every_candidate_is_in_exactly_one_state(finished: Collection) -> None:
    """What validate let through is what the catalogue counts, and nothing waits."""
    status = finished.status()
    verified = {
        (message["key"], message["value"]["url"]) for message in finished.peek("urlsVerifie")
    }

    assert sum(status["images"].values()) == len(verified) == len(finished.images())
    assert status["images"]["verified"] == status["images"]["stored"] == 0
    assert (
        sum(status["reasons"].values()) == status["images"]["rejected"] + status["images"]["failed"]
    )
    assert all(
        lag == 0
        for topic, facts in status["topics"].items()
        for group, lag in facts["lag"].items()
        if group != "train"
    ), status["topics"]


@pytest.mark.browser
def test_the_disk_holds_what_the_catalogue_says(finished: Collection) -> None:
    """No stray file, no missing one, nothing temporary; rejected files lie in quarantine."""
    rows = finished.images()

    assert finished.files() == {row["path"] for row in rows if row["path"]}
    for row in rows:
        if row["status"] == "rejected" and row["reason"] != "exact_duplicate":
            assert row["path"].startswith("quarantine/"), row


@pytest.mark.browser
def test_dataclean_holds_the_accepted_pictures(finished: Collection) -> None:
    """One message per accepted picture, keyed QID/sha256, with source and terms."""
    accepted = {
        f"{row['qid']}/{row['sha256']}": row
        for row in finished.images()
        if row["status"] == "accepted"
    }
    messages = {message["key"]: message["value"] for message in finished.peek("dataclean")}

    assert messages.keys() == accepted.keys()
    for key, value in messages.items():
        assert value["path"] == accepted[key]["path"]
        assert value["ml_use"] == (
            "needs agreement" if value["source"] == "tmdb" else "unspecified"
        )


@pytest.mark.browser
def test_a_second_run_downloads_nothing(finished: Collection, web: SmallWeb) -> None:
    """Whatever is known is not asked for again, and nothing changes."""
    before = finished.data_set()
    asked = finished.downloads()
    asked_at_all = Counter(web.requests)

    finished.run("run-all")

    assert finished.downloads() == asked
    assert finished.data_set() == before
    assert (web.requests - asked_at_all).keys() <= {"/sparql"}, "nobody is searched again either"


@pytest.mark.browser
@pytest.mark.parametrize("who", ["known", "all"])
def test_known_people_who_have_enough_are_left_alone(finished: Collection, who: str) -> None:
    """Everybody reached the target, so there is nobody to search."""
    before = finished.data_set()

    finished.run("run-all", "--celebrities", who)

    assert finished.data_set() == before


@pytest.mark.browser
@pytest.mark.slow
def test_a_run_killed_with_its_browser_is_gone_on_with(
    finished: Collection, web: SmallWeb, tmp_path: Path
) -> None:
    """The same with all three sources, killed several times in a row in one folder."""
    want = finished.data_set()
    collection = Collection(tmp_path / "it", web)
    for moment in (1.5, 2.5, 4.0):
        collection.killed_after(moment, "run-all")

    collection.run("run-all")

    assert collection.data_set() == want


def test_ctrl_c_ends_with_130_and_keeps_what_is_done(web: SmallWeb, tmp_path: Path) -> None:
    """The first SIGINT ends the run between two batches; the next run finishes it."""
    import signal
    import subprocess

    collection = Collection(tmp_path / "it", web)
    process = collection.start(*WITHOUT_BROWSER, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # The log is made when the run is under way; before, Ctrl-C ends a program that still starts.
    assert eventually((collection.folder / "data" / "log").exists, 60)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 130, error.decode()
    assert "Traceback" not in error.decode()
    collection.run(*WITHOUT_BROWSER)
    assert collection.status()["images"]["accepted"] == len(
        planted(faces=False, sources={"tmdb", "commons"})
    )


def test_a_second_run_all_is_told_who_is_running(web: SmallWeb, tmp_path: Path) -> None:
    """A second run in a data folder names the first and ends with 3, or 0 if so configured."""
    import os
    import subprocess

    from celebcollect.run.lock import run_lock, who_runs

    collection = Collection(tmp_path / "it", web)
    data = collection.folder / "data"
    data.mkdir()
    ends = []
    with run_lock(data):
        told = collection.run("status")
        for setting in ("3", "0"):
            settled = Collection(
                tmp_path / setting, web, more_config=f"busy_exit_code = {setting}\n"
            )
            settled.config.write_text(
                settled.config.read_text().replace(str(settled.folder / "data"), str(data))
            )
            process = settled.start(
                "-q", *WITHOUT_BROWSER, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            out, error = process.communicate(timeout=60)
            ends.append((process.returncode, out, error.decode()))

    assert f"run-all is at work here: process {os.getpid()} on " in told
    assert [(code, out) for code, out, _ in ends] == [(3, b""), (0, b"")]
    assert f"another run-all works in {data}: process {os.getpid()} on " in ends[0][2]
    assert ends[1][2] == ""
    assert who_runs(data) is None


def test_who_ran_and_died_does_not_run(tmp_path: Path) -> None:
    """What a process that was killed has left behind, or somebody has spoilt, names nobody."""
    import json
    import subprocess
    import sys

    from celebcollect.disk import owners
    from celebcollect.run.lock import WHO, run_lock, who_runs

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = {
        "owner": f"{owners.this_host()}|{ended.pid}|1",
        "pid": ended.pid,
        "host": "here",
        "since": "2026-01-01",
    }
    (tmp_path / WHO).write_text(json.dumps(left))
    assert who_runs(tmp_path) is None

    (tmp_path / WHO).write_text('{"pid": ')
    assert who_runs(tmp_path) is None
    with run_lock(tmp_path):
        assert who_runs(tmp_path) is not None
