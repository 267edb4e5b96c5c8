"""Pages that are kept for a person to look at: those that nobody understands, or all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from celebcollect.disk.files import disk_errors
from celebcollect.sources.google.browser import Browser
from celebcollect.sources.google.page import State


def pages(data_dir: Path) -> Path:
    """
    Return where pages are kept that nobody understands.

    Their names end with the QID of the person who was searched.
    """
    return data_dir / "pages"


def keep_page(browser: Browser, folder: Path, qid: str, state: State) -> Path:
    """
    Keep a page's HTML and a screenshot.

    The names are made of time, kind and QID, never of what a page or a name says.
    """
    at = datetime.now(UTC)
    file = folder / f"{at:%Y%m%dT%H%M%S}-{at.microsecond:06d}-{state}-{qid}.html"
    with disk_errors("keep a page in", folder):
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(browser.source(), encoding="utf-8", errors="replace")
        file.with_suffix(".png").write_bytes(browser.screenshot())
    return file
