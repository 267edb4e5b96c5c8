"""Find the browser and its driver on this machine. Starts nothing."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass

from celebcollect.domain.errors import SourceError
from celebcollect.sources.google.settings import GoogleConfig

INSTALL = (
    "Install Chromium and chromedriver (Debian: apt install chromium chromium-driver), or set"
    " [google] browser and driver to their paths."
)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True, slots=True)
class Programs:
    """
    Paths of the two programs.

    None where Selenium knows better where to look (or to get the driver that fits).
    """

    browser: str | None
    driver: str | None


def find_programs(settings: GoogleConfig) -> Programs:
    """
    Return what the settings name, else what is on the PATH.

    Raises:
        SourceError: A program that the settings name is not there, or there is no browser.
    """
    browser = _named(settings.browser, "browser") or next(
        filter(None, map(shutil.which, _BROWSERS)), None
    )
    # elsewhere browsers are not on the PATH
    if browser is None and sys.platform.startswith("linux"):
        raise SourceError("no Chromium or Chrome was found on this machine", hint=INSTALL)
    # Selenium reads $SE_CHROMEDRIVER itself; a driver on the PATH comes after it.
    driver = _named(settings.driver, "driver") or (
        None if os.environ.get("SE_CHROMEDRIVER") else shutil.which("chromedriver")
    )
    return Programs(browser, driver)


def missing_browser(settings: GoogleConfig) -> str | None:
    """Return what this machine lacks to run a browser, or None when it can be tried."""
    if settings.remote_url:
        return None
    try:
        find_programs(settings)
    except SourceError as error:
        return error.message
    return None


def _named(path: str, key: str) -> str | None:
    if not path:
        return None
    found = shutil.which(path)
    if found is None:
        raise SourceError(f"[google] {key}: {path} is no program", hint=INSTALL)
    return found
