"""Drive and end a Chromium with its driver; this and `launch` alone know Selenium.

An ordinary browser that does not hide what it is: its User-Agent and `navigator.webdriver` stay as
they are. It talks to nobody but the pages it is sent to, loads no pictures and keeps nothing.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import urllib3
from selenium import webdriver
from selenium.common.exceptions import (
    JavascriptException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from celebcollect.sources.google.launch import (
    connect_grid,
    first_line,
    start_browser,
    start_driver,
)
from celebcollect.sources.google.profile import BrowserProfile
from celebcollect.sources.google.programs import find_programs
from celebcollect.sources.google.reasons import GoogleReason
from celebcollect.sources.google.settings import GoogleConfig

log = logging.getLogger(__name__)

POLL_S = 0.25
QUIT_S = 10


class BrowserFailed(Exception):
    """
    The browser cannot go on; a fresh one may.

    `reason` is `BROWSER_CRASHED` (browser, tab or driver died), `BROWSER_TIMEOUT` (page or driver
    do not answer) or `BROWSER_UNREACHABLE` (the network).
    """

    def __init__(self, reason: GoogleReason, detail: str) -> None:
        super().__init__(f"{reason.removeprefix('google_browser_')}: {detail}")
        self.reason = reason
        self.detail = detail


class Browser:
    """
    One running browser, on this machine or on a Grid. To be used by one thread at a time.

    Raises:
        SourceError: There is no browser here, it does not start, or the Grid does not answer.
        StorageError: No folder can be made for it.
    """

    def __init__(self, settings: GoogleConfig, folder: Path) -> None:
        self._service: Service | None = None
        self._driver: webdriver.Remote | None = None
        self._profile: BrowserProfile | None = None
        self._lost = False
        try:
            if settings.remote_url:
                self._driver = connect_grid(settings)
            else:
                programs = find_programs(settings)
                self._profile = BrowserProfile(folder)
                self._service = start_driver(programs, self._profile.path)
                self._driver = start_browser(
                    settings, programs, self._service.service_url, self._profile.path
                )
        except BaseException:
            self.close()
            raise

    @property
    def process_id(self) -> int | None:
        """The driver's process; None on a Grid."""
        return self._service.process.pid if self._service else None

    def listen(self, script: str) -> None:
        """
        Run a script at the start of every page from now on.

        On a Grid, where that cannot be had, do nothing.
        """
        if self._service:
            with self._translated():
                self._remote.execute(
                    "executeCdpCommand",
                    {"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": script}},
                )

    def open(self, url: str) -> bool:
        """
        Go to a page and return when its document is there.

        False when it does not end within the time, though something may be there.

        Raises:
            BrowserFailed: Nothing could be loaded.
        """
        with self._translated():
            try:
                self._remote.get(url)
            except TimeoutException:
                return False
        return True

    def run(self, script: str, *args: Any) -> Any:
        """
        Run a script in the page and return its value; None where the page is just changing.

        Raises:
            BrowserFailed: The page does not answer any more.
        """
        with self._translated():
            try:
                return self._remote.execute_script(script, *args)
            except (JavascriptException, StaleElementReferenceException) as error:
                log.debug("script did not run error=%s", first_line(error))
                return None

    def click(self, element: Any) -> None:
        """Click an element as a person does, or by script where something lies above it."""
        with self._translated():
            try:
                element.click()
            except TimeoutException:
                return  # clicked; the page that came of it is looked at by whoever waits for it
            except WebDriverException as error:
                if _is_gone(error):
                    raise
                self.run("arguments[0].click()", element)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Ask the condition four times a second; False when it did not come true in time."""
        with self._translated():
            try:
                WebDriverWait(self._remote, timeout_s, poll_frequency=POLL_S).until(
                    lambda _: condition()
                )
            except TimeoutException:
                return False
        return True

    def source(self) -> str:
        """Return the document as HTML."""
        with self._translated():
            return self._remote.page_source

    def screenshot(self) -> bytes:
        """Return what the window shows, as PNG."""
        with self._translated():
            return self._remote.get_screenshot_as_png()

    def close(self) -> None:
        """End the browser, its driver and everything that they started."""
        if self._driver and not self._lost:
            connection: Any = self._driver.command_executor
            connection.client_config.timeout = QUIT_S
            with contextlib.suppress(WebDriverException, urllib3.exceptions.HTTPError, OSError):
                self._driver.quit()
        self._driver = None
        if self._service:
            process = self._service.process
            process.kill()  # its browser is gone already; Selenium's own stop would take a second
            process.wait()
            self._service = None
        if self._profile:
            self._profile.close()
            self._profile = None

    @property
    def _remote(self) -> webdriver.Remote:
        if self._driver is None:
            raise BrowserFailed(GoogleReason.BROWSER_CRASHED, "the browser was closed")
        return self._driver

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what Selenium and urllib3 raise into our one exception."""
        try:
            yield
        except TimeoutException as error:
            raise BrowserFailed(GoogleReason.BROWSER_TIMEOUT, first_line(error)) from error
        except WebDriverException as error:
            raise BrowserFailed(
                GoogleReason.BROWSER_UNREACHABLE
                if "net::ERR_" in str(error)
                else GoogleReason.BROWSER_CRASHED,
                first_line(error),
            ) from error
        except urllib3.exceptions.HTTPError as error:  # the driver is gone, or does not answer
            self._lost = True
            timed_out = isinstance(error, urllib3.exceptions.TimeoutError)
            raise BrowserFailed(
                GoogleReason.BROWSER_TIMEOUT if timed_out else GoogleReason.BROWSER_CRASHED,
                first_line(error),
            ) from error


def _is_gone(error: WebDriverException) -> bool:
    text = str(error)
    return any(
        sign in text
        for sign in (
            GoogleReason.BROWSER_CRASHED,
            "disconnected",
            "invalid session",
            "no such window",
            "not reachable",
        )
    )
