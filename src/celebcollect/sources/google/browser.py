"""Start, drive and end a Chromium with its driver: the only file that knows Selenium.

An ordinary browser that does not hide what it is: its User-Agent and `navigator.webdriver` stay as
they are. It talks to nobody but the pages it is sent to, loads no pictures and keeps nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from selenium import webdriver
from selenium.common.exceptions import (
    JavascriptException,
    NoSuchDriverException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.driver_finder import DriverFinder
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.support.wait import WebDriverWait

from celebcollect import runtime
from celebcollect.domain.errors import SourceError
from celebcollect.domain.text import clean_text
from celebcollect.sources.google.flags import PREFERENCES, QUIET, only
from celebcollect.sources.google.profile import BrowserProfile
from celebcollect.sources.google.programs import INSTALL, Programs, find_programs
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
                self._driver = _connect(settings)
            else:
                programs = find_programs(settings)
                self._profile = BrowserProfile(folder)
                self._service = _start_driver(programs, self._profile.path)
                self._driver = _start_browser(
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
                log.debug("script did not run error=%s", _line(error))
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
            raise BrowserFailed(GoogleReason.BROWSER_TIMEOUT, _line(error)) from error
        except WebDriverException as error:
            raise BrowserFailed(
                GoogleReason.BROWSER_UNREACHABLE
                if "net::ERR_" in str(error)
                else GoogleReason.BROWSER_CRASHED,
                _line(error),
            ) from error
        except urllib3.exceptions.HTTPError as error:  # the driver is gone, or does not answer
            self._lost = True
            timed_out = isinstance(error, urllib3.exceptions.TimeoutError)
            raise BrowserFailed(
                GoogleReason.BROWSER_TIMEOUT if timed_out else GoogleReason.BROWSER_CRASHED,
                _line(error),
            ) from error


def _start_driver(programs: Programs, folder: Path) -> Service:
    # The log's path also marks the driver as one of ours, see `guardian`.
    # The variable keeps Chromium's crash reports out of the user's own profile.
    environment = {**os.environ, "BREAKPAD_DUMP_LOCATION": str(folder / "crashes")}
    settings: dict[str, Any] = {"log_output": str(folder / "driver.log"), "env": environment}
    if os.name == "posix":
        # Ctrl-C is for us alone: the query in hand is finished
        settings["popen_kw"] = {"start_new_session": True}
    if programs.driver:
        # else $SE_CHROMEDRIVER would win
        settings |= {"executable_path": programs.driver, "driver_path_env_key": "NO_SUCH_VARIABLE"}
    service = Service(**settings)
    try:
        if not programs.driver:
            # Selenium Manager downloads the driver that fits; without this it also reports
            # statistics.
            options = Options()
            options.binary_location = programs.browser or ""
            with runtime.environment(SE_AVOID_STATS="true"):
                service.path = DriverFinder(service, options).get_driver_path()
        service.start()
    except (
        WebDriverException,
        NoSuchDriverException,
        OSError,
        subprocess.SubprocessError,
    ) as error:
        raise SourceError(f"chromedriver does not start: {_line(error)}", hint=INSTALL) from error
    return service


def _start_browser(
    settings: GoogleConfig, programs: Programs, driver_url: str, folder: Path
) -> webdriver.Remote:
    options = browser_options(settings, here=True)
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    if programs.browser:
        options.binary_location = programs.browser
    # The driver is on this machine: never ask it through a proxy.
    client = ClientConfig(
        driver_url, timeout=_answer_s(settings), proxy=Proxy({"proxyType": ProxyType.DIRECT})
    )
    connection = ChromiumRemoteConnection(
        driver_url, vendor_prefix="goog", browser_name="chrome", client_config=client
    )
    try:
        return webdriver.Remote(command_executor=connection, options=options)
    except (WebDriverException, urllib3.exceptions.HTTPError) as error:
        raise SourceError(f"the browser does not start: {_line(error)}", hint=INSTALL) from error


def _connect(settings: GoogleConfig) -> webdriver.Remote:
    parts = urlsplit(settings.remote_url)
    # a name and a password stay out of addresses and messages
    where = parts.netloc.rpartition("@")[2]
    url = parts._replace(netloc=where).geturl()
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    try:
        client = ClientConfig(
            url,
            timeout=_answer_s(settings),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )
        driver = webdriver.Remote(
            command_executor=url, options=browser_options(settings, here=here), client_config=client
        )
        if not driver.session_id:
            raise TypeError("no session")
    except (WebDriverException, urllib3.exceptions.HTTPError) as error:
        raise SourceError(
            f"the Selenium Grid at {where} gives no browser: {_line(error)}",
            hint="Check [google] remote_url.",
        ) from error
    # Selenium trusts that an answer has the form of one
    except (AttributeError, KeyError, TypeError) as error:
        raise SourceError(
            f"the server at {where} is no Selenium Grid", hint="Check [google] remote_url."
        ) from error
    return driver


def browser_options(settings: GoogleConfig, *, here: bool) -> Options:
    """Return how the browser is set up, on this machine (`here`) or on a Grid."""
    options = Options()
    options.page_load_strategy = "eager"  # records are in the document itself
    options.unhandled_prompt_behavior = "dismiss"
    options.timeouts = {
        "pageLoad": int(settings.timeout_s * 1000),
        "script": int(settings.timeout_s * 1000),
    }
    options.add_experimental_option("prefs", dict(PREFERENCES))
    for argument in (
        *QUIET,
        only(settings.search_url),
        "--disable-dev-shm-usage",
        "--window-size=1280,1600",
    ):
        options.add_argument(argument)
    if settings.headless:
        options.add_argument("--headless=new")
    # Chromium refuses to start its sandbox as root; nobody else gives it up.
    if here and hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    return options


def _answer_s(settings: GoogleConfig) -> int:
    """Return how long one command may take: the driver's own limits come first."""
    return int(settings.timeout_s) + 30


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


def _line(error: BaseException) -> str:
    """
    Return the first line of a message.

    A stack of the driver or an advertisement of the manual may follow it.
    """
    if isinstance(error, urllib3.exceptions.HTTPError):
        return f"no answer ({type(getattr(error, 'reason', None) or error).__name__})"
    message = (
        str(getattr(error, "msg", None) or error)
        .strip()
        .split("\n", 1)[0]
        .partition("; For documentation")[0]
    )
    return clean_text(message)[:300] or type(error).__name__
