"""A real Chromium for tests of pages that we write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

DESKTOP = (1280, 900)
PHONE = (390, 844)


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Start a Chromium that can reach nothing but this machine, and end it."""
    options = Options()
    options.binary_location = next(
        path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))
    )
    # The sandbox does not work for root; the resolver rule keeps every request at home.
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def set_screen(driver: webdriver.Chrome, size: tuple[int, int], *, scheme: str = "light") -> None:
    """Play a screen of this size, in px, with a light or dark colour scheme."""
    width, height = size
    command(
        driver,
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    command(
        driver,
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-color-scheme", "value": scheme}],
    )


def command(driver: webdriver.Chrome, method: str, **arguments: Any) -> dict[str, Any]:
    """Send one command of the DevTools protocol and return its answer."""
    answer: dict[str, Any] = driver.execute_cdp_cmd(method, arguments)
    return answer


def whole_page(driver: webdriver.Chrome, file: Path) -> None:
    """Save a picture of the whole page, not only of what fits on the screen."""
    import base64

    file.write_bytes(
        base64.b64decode(
            command(driver, "Page.captureScreenshot", captureBeyondViewport=True)["data"]
        )
    )
