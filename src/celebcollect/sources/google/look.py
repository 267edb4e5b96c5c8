"""Look through an opened result page.

Wait for it, answer the consent dialog, read, scroll for more, click at last.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from celebcollect.sources.google.browser import Browser, BrowserFailed
from celebcollect.sources.google.page import PageView, Reading, State, pictures, read, view
from celebcollect.sources.google.reasons import GoogleReason
from celebcollect.sources.google.records import FoundPicture, from_links, originals, unique
from celebcollect.sources.google.scripts import LISTEN, LOOK, MORE, OPENED, REFUSED, REJECT, TILES

log = logging.getLogger(__name__)

MORE_WAIT_S = 2.5
"""How long scrolling may take to bring something."""

MAX_SCROLLS = 40
"""About 100 pictures come at a time, and Google ends its lists well before 1,000."""

MAX_CLICKS = 20
"""Clicks are slow and the last resort: no more per page, and only three in a row that bring
nothing."""

CLICK_WAIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one query has shown."""

    state: State
    found: tuple[FoundPicture, ...] = ()
    complete: bool = False
    """There is nothing more to be had for this query."""
    refused: bool = False
    """Google refused to go on in the middle of it."""
    http_status: int = 0


def look_through(browser: Browser, wanted: int, *, ended: bool, page_wait_s: float) -> Seen:
    """
    Return the pictures of the page that was opened, and more than it holds when wanted.

    `ended` is as from `Browser.open`.

    Raises:
        BrowserFailed: The browser cannot go on, or the page never ended and shows nothing yet.
    """
    page, reading = _settle(browser, page_wait_s if ended else 0.0)
    if not ended and reading.state in (State.UNKNOWN, State.JS_SHELL):
        raise BrowserFailed(
            GoogleReason.BROWSER_TIMEOUT, "the page never ended loading, and shows nothing yet"
        )
    if reading.state is State.CONSENT:
        page, reading = _reject_all(browser, page_wait_s, page, reading)
    found, state, refused = reading.found, reading.state, False
    if state is State.RESULTS and len(originals(found)) < wanted:
        found = _scroll(browser, found, wanted)
        refused = browser.run(REFUSED) is True or read(_look(browser)).state is State.CAPTCHA
    elif state is State.TILES:
        found = _click_tiles(browser, wanted)
        state = State.RESULTS if found else State.TILES
    complete = state is State.NO_RESULTS or (
        state is State.RESULTS and len(originals(found)) < wanted and not refused
    )
    return Seen(state, found, complete=complete, refused=refused, http_status=page.http_status)


def _look(browser: Browser) -> PageView:
    return view(browser.run(LOOK))


def _settle(
    browser: Browser, wait_s: float, *, consent_answered: bool = False
) -> tuple[PageView, Reading]:
    """
    Wait until it is certain what the page is, and no longer than that.

    After `wait_s` it is what it looks like.
    """
    started = time.monotonic()
    seen: list[tuple[PageView, Reading]] = []

    def certain() -> bool:
        page = _look(browser)
        reading = read(page, consent_answered=consent_answered)
        seen[:] = [(page, reading)]
        return time.monotonic() - started >= reading.patience_s

    browser.wait_until(certain, wait_s)
    return seen[0]


def _reject_all(
    browser: Browser, page_wait_s: float, page: PageView, reading: Reading
) -> tuple[PageView, Reading]:
    button = browser.run(REJECT)
    if button is None:
        return page, reading
    log.info("consent dialog: reject all")
    browser.click(button)
    return _settle(browser, page_wait_s, consent_answered=True)


def _scroll(
    browser: Browser, found: tuple[FoundPicture, ...], wanted: int
) -> tuple[FoundPicture, ...]:
    """
    Scroll until enough pictures came, or none any more.

    They come in the answers to the page's own requests.
    """
    collected = found

    def grown() -> bool:
        nonlocal collected
        before = len(collected)
        collected = tuple(unique((*collected, *pictures(_look(browser)))))
        return len(collected) > before

    browser.run(LISTEN)  # for a Grid, where it could not be there from the start
    for _ in range(MAX_SCROLLS):
        browser.run(MORE)
        if not browser.wait_until(grown, MORE_WAIT_S) or len(originals(collected)) >= wanted:
            break
    log.debug("scrolled pictures_before=%d after=%d", len(found), len(collected))
    return collected


def _click_tiles(browser: Browser, wanted: int) -> tuple[FoundPicture, ...]:
    """
    Click picture after picture and take what each shows.

    A click that brings nothing new within its time is let go.
    """
    collected: list[FoundPicture] = []
    in_vain = 0
    for tile in browser.run(TILES, MAX_CLICKS) or []:
        if len(collected) >= wanted or in_vain == 3:
            break
        browser.click(tile["target"])
        opened: list[FoundPicture] = []
        known = {picture.url for picture in collected}

        def shows(
            tile: dict[str, Any] = tile,
            opened: list[FoundPicture] = opened,
            known: set[str] = known,
        ) -> bool:
            opened[:] = [
                picture
                for picture in originals(_opened(browser.run(OPENED, tile["target"]), tile))
                if picture.url not in known
            ]
            return bool(opened)

        in_vain = 0 if browser.wait_until(shows, CLICK_WAIT_S) else in_vain + 1
        collected += opened[:1]
    log.debug("clicked pictures=%d", len(collected))
    return tuple(collected)


def _opened(seen: Any, tile: dict[str, Any]) -> list[FoundPicture]:
    if not isinstance(seen, dict):
        return []
    linked = from_links([seen["link"]]) if isinstance(seen.get("link"), str) else []
    images = [url for url in seen.get("images") or [] if isinstance(url, str)]
    facts = {"page_url": tile.get("page"), "title": tile.get("title") or None}
    return [picture.model_copy(update={"title": facts["title"]}) for picture in linked] + [
        FoundPicture(url=url, **facts) for url in images
    ]
