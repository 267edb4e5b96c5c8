"""Make docs/gallery.png: the gallery of a demonstration, as a browser shows it. `make pictures`."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

TARGET = Path(__file__).parents[1] / "docs" / "gallery.png"
WIDTH_PX, HEIGHT_PX = 1280, 1600
VIEW = "#view=pictures&person=Q900001000"

LOADED = (
    "return document.querySelectorAll('#list > li').length > 0 &&"
    " [...document.images].every((image) => image.complete)"
)


def main() -> None:
    """Run the demonstration in a temporary folder, write its gallery and keep a picture of it."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("celebcollect")
        page = Path(folder) / "gallery"
        subprocess.run([program, "demo", "demo"], cwd=folder, check=True)
        subprocess.run(
            [program, "--config", "demo/config.toml", "gallery", str(page)], cwd=folder, check=True
        )
        seen = photograph((page / "index.html").as_uri() + VIEW)
    with Image.open(io.BytesIO(seen)) as picture:
        # 128 colours are a quarter of the bytes, and enough.
        picture.convert("RGB").quantize(128).save(TARGET, optimize=True)


def photograph(address: str) -> bytes:
    """Return a PNG of a page."""
    options = Options()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": WIDTH_PX, "height": HEIGHT_PX, "deviceScaleFactor": 1, "mobile": False},
        )
        driver.get(address)
        WebDriverWait(driver, 20).until(lambda _: driver.execute_script(LOADED))
        return driver.get_screenshot_as_png()
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
