"""Fixtures of the tests of sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celebcollect.sources.google.browser import Browser
from sources.google_steps import MakeScraper, Scraper
from sources.google_web import GoogleWeb


@pytest.fixture(scope="module")
def _google_server() -> Iterator[GoogleWeb]:
    web = GoogleWeb()
    yield web
    web.close()


@pytest.fixture
def google_web(_google_server: GoogleWeb) -> GoogleWeb:
    """A search engine on 127.0.0.1 that has nothing to say yet."""
    _google_server.forget()
    return _google_server


@pytest.fixture
def own_scraper(browser: None, google_web: GoogleWeb, tmp_path: Path) -> Iterator[MakeScraper]:
    """Make Google sources, each of which starts a browser of its own."""
    made: list[Scraper] = []

    def make(folder: str = "data", **settings: Any) -> Scraper:
        made.append(Scraper(google_web.search_url, tmp_path / folder, **settings))
        return made[-1]

    yield make
    for one in made:
        one.source.close()


@pytest.fixture(scope="module")
def _browser_to_share() -> Iterator[list[Browser]]:
    waiting: list[Browser] = []
    yield waiting
    for browser in waiting:
        browser.close()


@pytest.fixture
def scraper(own_scraper: MakeScraper, _browser_to_share: list[Browser]) -> Iterator[MakeScraper]:
    """
    Make Google sources.

    The first goes on with the browser of the test before, because starting one is slow.
    """
    made: list[Scraper] = []

    def make(folder: str = "data", **settings: Any) -> Scraper:
        made.append(own_scraper(folder, **settings))
        made[-1].source._browser = _browser_to_share.pop() if _browser_to_share else None
        return made[-1]

    yield make
    if made and made[0].source._browser:
        _browser_to_share.append(made[0].source._browser)
        made[0].source._browser = None
