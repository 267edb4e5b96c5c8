"""Start a Chromium with its driver on this machine, or ask a Grid for one."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchDriverException,
    WebDriverException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.driver_finder import DriverFinder
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig

from celebcollect import runtime
from celebcollect.domain.errors import SourceError
from celebcollect.domain.text import clean_text
from celebcollect.sources.google.flags import PREFERENCES, QUIET, only
from celebcollect.sources.google.programs import INSTALL, Programs
from celebcollect.sources.google.settings import GoogleConfig

log = logging.getLogger(__name__)


def start_driver(programs: Programs, folder: Path) -> Service:
    """
    Start a driver that works in the folder.

    Raises:
        SourceError: It does not start.
    """
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
        raise SourceError(
            f"chromedriver does not start: {first_line(error)}", hint=INSTALL
        ) from error
    return service


def start_browser(
    settings: GoogleConfig, programs: Programs, driver_url: str, folder: Path
) -> webdriver.Remote:
    """
    Start a browser by the driver at this address.

    Raises:
        SourceError: It does not start.
    """
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
        raise SourceError(
            f"the browser does not start: {first_line(error)}", hint=INSTALL
        ) from error


def connect_grid(settings: GoogleConfig) -> webdriver.Remote:
    """
    Ask a Selenium Grid for a browser.

    Raises:
        SourceError: It gives none, or is none.
    """
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
            f"the Selenium Grid at {where} gives no browser: {first_line(error)}",
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


def first_line(error: BaseException) -> str:
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
