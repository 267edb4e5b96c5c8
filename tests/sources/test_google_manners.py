"""How the Google source treats Google: nothing hidden, nothing asked twice, distance kept."""

from __future__ import annotations

import base64
import time
from itertools import pairwise

import pytest

from sources.google_steps import MakeScraper, urls
from sources.google_web import (
    GoogleWeb,
    Page,
    picture,
    records_script,
    result_page,
    scrolling,
)

pytestmark = pytest.mark.browser


def test_the_browser_hides_nothing_and_loads_no_pictures(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """
    It says that it is headless and driven.

    It fetches no picture, no favicon of others, and reaches no other host.
    """
    elsewhere = google_web.base.replace("127.0.0.1", "localhost")
    records = base64.b64encode(
        records_script([picture(n, title="DRIVEN") for n in range(5)]).encode()
    ).decode()
    # The records come when everything else of the page is loaded, or has failed to.
    last = (
        "const s = document.createElement('script'); s.textContent ="
        f" atob('{records}').replaceAll('DRIVEN', navigator.webdriver); body.append(s);"
    )
    page = (
        "<body id=body><img src='/picture.jpg'><script"
        f" src='{elsewhere}/elsewhere.js'></script><script>onload = () => {{ {last} }}</script>"
    )
    google_web.default = Page(page)

    found = scraper().find("Ada")

    assert [candidate.page_title for candidate in found] == ["true"] * 5
    assert "HeadlessChrome" in google_web.searches[0].headers["User-Agent"]
    assert {asked.path for asked in google_web.asked} <= {"/search", "/favicon.ico"}


def test_a_rerun_asks_nothing(own_scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    Answers are remembered on disk.

    The same candidates come again without a request and without a browser.
    """
    google_web.default = result_page([picture(n) for n in range(30)])
    with own_scraper() as google:
        first = google.find("Ada", limit=20)
    asked = len(google_web.asked)
    again = own_scraper()

    assert again.find("Ada", limit=20) == first
    assert len(again.find("Ada", limit=30)) == 30
    assert len(google_web.asked) == asked
    assert again.processes() == []


def test_further_templates_fill_what_the_first_leaves_open(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """The second query is asked only while pictures are missing, and brings no picture twice."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(3)])
    google_web.pages['"Ada" portrait'] = result_page([picture(n) for n in range(2, 9)])
    google = scraper(query_templates=("{name}", '"{name}" portrait'))

    assert len(google.find("Ada", limit=3)) == 3
    assert len(google_web.searches) == 1
    found = google.find("Ada", limit=6)

    assert urls(found) == [f"https://pictures.example/{n}.jpg" for n in range(6)]
    assert [candidate.rank for candidate in found] == list(range(6))


def test_a_query_that_repeats_another_is_read_further(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Pictures that were shown already make nobody look done while another query has more."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(3)])
    google_web.pages["Ada portrait"] = result_page([picture(n) for n in range(3)], scrolling(["x"]))
    google_web.paths["/chunk"] = Page(records_script([picture(n) for n in range(3, 9)]))

    found = scraper(query_templates=("{name}", "{name} portrait")).find("Ada", limit=6)

    assert urls(found) == [f"https://pictures.example/{n}.jpg" for n in range(6)]


def test_queries_keep_their_distance(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    The server never sees two queries closer than the interval.

    Nor is more waited for than the interval and the 4 % that are drawn at random on top: how long
    the machine takes for the rest is not the pace's doing.
    """
    google_web.default = result_page([picture(n) for n in range(5)])
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    google = scraper(min_interval_s=2, wait=wait)

    for number in range(4):
        waits.append(0)
        google.find("Ada", qid=f"Q{number + 1}")

    times = [asked.at for asked in google_web.searches]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 3
    assert min(gaps) >= 2
    for turn in turns(waits)[1:]:
        # A timer that rings early is waited for again, which adds nothing.
        assert 0 < turn[0] <= 2 * 1.04
        assert sum(turn) <= 2 * 1.04 + 0.1


def turns(waits: list[float]) -> list[list[float]]:
    """Split what was waited for at the zeros that begin each search."""
    parts: list[list[float]] = []
    for seconds in waits:
        if seconds == 0:
            parts.append([])
        else:
            parts[-1].append(seconds)
    return parts


def test_work_that_is_to_end_asks_nothing_more(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    A wait that is cut short ends the search.

    There is no query, no error and no answer to remember.
    """
    google_web.default = result_page([picture(n) for n in range(5)])
    google = scraper(min_interval_s=60, wait=lambda _: True)
    google.find("Ada")

    assert google.find("Bob", qid="Q2") == []
    assert len(google_web.searches) == 1
    assert len(list((google.folder / "cache" / "google").iterdir())) == 1
