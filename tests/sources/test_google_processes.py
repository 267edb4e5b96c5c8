"""Browsers and drivers that die, hang, are missing or are elsewhere.

And that nothing is left behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from celebcollect.domain.errors import SourceError
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.google.guardian import processes_in
from sources.google_steps import MakeScraper, Scraper
from sources.google_web import GoogleWeb, Page, picture, result_page
from support import eventually

pytestmark = pytest.mark.browser

GOOD = result_page([picture(n) for n in range(5)])


def commands(pids: list[int]) -> dict[int, str]:
    lines = {}
    for pid in pids:
        try:
            lines[pid] = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            continue
    return lines


def kill_driver(google: Scraper) -> None:
    (driver,) = [pid for pid, line in commands(google.processes()).items() if "--log-path=" in line]
    os.kill(driver, signal.SIGKILL)


def kill_browser(google: Scraper) -> None:
    (browser,) = [
        pid
        for pid, line in commands(google.processes()).items()
        if "--user-data-dir=" in line and "--type=" not in line
    ]
    os.kill(browser, signal.SIGKILL)


def crash_tab(google: Scraper) -> None:
    for pid, line in commands(google.processes()).items():
        if "--type=renderer" in line:
            os.kill(pid, signal.SIGKILL)


def kill_driver_and_guardian(google: Scraper) -> None:
    for pid, line in commands(
        [
            int(pid)
            for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        ]
    ).items():
        if "guardian.py" in line:
            os.kill(pid, signal.SIGKILL)
    kill_driver(google)


@pytest.mark.parametrize("kill", [kill_driver, kill_browser, crash_tab, kill_driver_and_guardian])
def test_what_is_killed_between_two_queries_is_started_again(
    own_scraper: MakeScraper, google_web: GoogleWeb, kill: Callable[[Scraper], None]
) -> None:
    """The next query gets a fresh browser, nobody is lost, and no process of the old one stays."""
    google_web.default = GOOD
    google = own_scraper()
    google.find("Ada")
    before = set(google.processes())
    assert before

    kill(google)
    found = google.find("Bob", qid="Q2")

    assert len(found) == 5
    assert google.tally["google_browser_restarts"] == 1
    assert not before & set(google.processes())
    google.source.close()
    assert google.processes() == []
    assert google.left_behind() == []


def test_a_driver_killed_in_the_middle_of_a_page_is_started_again(
    own_scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Kill -9 while a page is loading: the query is put once more and answered."""
    google = own_scraper()

    def killed_first(_: object) -> Page:
        if len(google_web.searches) > 1:
            return GOOD
        kill_driver(google)
        return Page(unfinished=True)

    google_web.default = killed_first

    found = google.find("Ada")

    assert len(found) == 5
    assert len(google_web.searches) == 2
    assert (
        len([pid for pid, line in commands(google.processes()).items() if "--log-path=" in line])
        == 1
    )


def test_a_driver_that_dies_every_time_costs_one_person(
    own_scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """After two attempts the person is left for another day, and the next one is searched."""
    google = own_scraper()

    def killed(_: object) -> Page:
        kill_driver(google)
        return Page(unfinished=True)

    google_web.pages["Ada"] = killed
    google_web.default = GOOD

    with pytest.raises(PersonNotSearched, match="failed twice"):
        google.find("Ada")

    assert len(google.find("Bob", qid="Q2")) == 5
    assert google.tally.reasons == {"google_browser_crashed": 1}


@pytest.mark.parametrize(
    "page",
    [
        Page("<!doctype html><p>hello", unfinished=True),
        Page("<p>x<script src='/hang.js'></script>"),
        Page("<p>x<script>while (true) {}</script>"),
    ],
    ids=["half a document", "a script that never comes", "a script that never ends"],
)
def test_a_page_that_never_ends_is_given_up(
    own_scraper: MakeScraper, google_web: GoogleWeb, page: Page
) -> None:
    """It is asked twice, each within the time set; then the next person is searched."""
    google_web.pages["Ada"] = page
    google_web.paths["/hang.js"] = Page(unfinished=True)
    google_web.default = GOOD
    google = own_scraper(timeout_s=3)  # less, and a busy machine does not even ask
    begin = time.monotonic()

    with pytest.raises(PersonNotSearched):
        google.find("Ada")

    assert time.monotonic() - begin < 60  # the page never ends
    assert google.tally.reasons == {"google_browser_timeout": 1}
    assert len(google_web.searches) == 2
    assert len(google.find("Bob", qid="Q2")) == 5


def test_results_on_a_page_that_never_ends_are_taken(
    own_scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Records that are there count, whatever else the page is still waiting for."""
    google_web.default = result_page(
        [picture(n) for n in range(5)], "<script src='/hang.js'></script>"
    )
    google_web.paths["/hang.js"] = Page(unfinished=True)

    assert len(own_scraper(timeout_s=1).find("Ada")) == 5
    assert len(google_web.searches) == 1


def test_a_browser_is_used_for_so_many_queries(
    own_scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """One browser serves several people, then a fresh one takes over."""
    google_web.default = GOOD
    google = own_scraper(queries_per_browser=2)
    drivers = []

    for number in range(4):
        google.find("Ada", qid=f"Q{number + 1}")
        drivers += [
            pid for pid, line in commands(google.processes()).items() if "--log-path=" in line
        ]

    assert drivers[0] == drivers[1] != drivers[2] == drivers[3]
    assert len(google.left_behind()) == 2  # one folder and its lock


def test_a_search_that_cannot_be_reached_is_an_error_for_everybody(
    own_scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """No connection is nobody's fault but the network's: one line says which."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    google = Scraper(f"http://127.0.0.1:{port}/search", own_scraper().folder)

    with google, pytest.raises(SourceError, match="ERR_CONNECTION_REFUSED") as error:
        google.find("Ada")

    assert not isinstance(error.value, PersonNotSearched)


KILLED = """
import os, sys
from pathlib import Path
from sources.google_steps import Scraper
google = Scraper(sys.argv[1], Path(sys.argv[2]))
print(len(google.find("Ada")), len(google.processes()), flush=True)
sys.stdin.read()
"""


def start_scraper(google_web: GoogleWeb, folder: Path) -> subprocess.Popen[str]:
    """Start a process of our own that has a browser open, and wait until it has found something."""
    here = Path(__file__).parents[1]
    command = [sys.executable, "-c", KILLED, google_web.search_url, str(folder)]
    process = subprocess.Popen(
        command, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found, running = process.stdout.readline().split()
    assert int(found) == 5
    assert int(running) > 3
    return process


@pytest.mark.usefixtures("browser")
def test_kill_9_leaves_no_process_and_no_folder(google_web: GoogleWeb, tmp_path: Path) -> None:
    """When we are killed, driver and browser end within seconds, and their folder goes."""
    google_web.default = GOOD
    process = start_scraper(google_web, tmp_path)

    process.kill()
    process.wait()

    assert eventually(lambda: not processes_in(tmp_path / "browser"))
    assert eventually(lambda: not list((tmp_path / "browser").iterdir()))


def test_the_next_start_cleans_up_behind_a_dead_guardian(
    own_scraper: MakeScraper, google_web: GoogleWeb, tmp_path: Path
) -> None:
    """
    When the guardian was killed too, the next browser ends what is left of the old one.

    And leaves living neighbours alone.
    """
    google_web.default = GOOD
    process, neighbour = start_scraper(google_web, tmp_path / "data"), own_scraper()
    guardians = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in guardians:
        if "guardian.py" in commands([int(pid)])[int(pid)]:
            os.kill(int(pid), signal.SIGKILL)
    process.kill()
    process.wait()
    left = set(processes_in(tmp_path / "data" / "browser"))
    assert left

    neighbour.find("Bob", qid="Q2")
    # Only what lasts as long as the browser: its children (--type=...) come and go by themselves.
    theirs = {pid for pid, line in commands(neighbour.processes()).items() if "--type=" not in line}
    another = own_scraper()
    another.find("Cem", qid="Q3")

    assert not left & set(another.processes())
    assert theirs
    assert theirs <= set(another.processes())
    assert len(another.left_behind()) == 4  # two folders with their locks
