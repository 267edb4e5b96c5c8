"""A hundred thousand pictures: the page is written in a stream and opens at once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from celebcollect.domain.records import Image, Status, image_id, now
from gallery_world import World, world
from picture_web import picture
from real_browser import DESKTOP, chromium, command, set_screen

PEOPLE, EACH, DRAWN = 4000, 25, 60

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def rows(made: World) -> Iterator[Image]:
    """Yield synthetic rows that share a few real files."""
    drawn = []
    for number in range(DRAWN):
        data = picture(number)
        sha256 = hashlib.sha256(data).hexdigest()
        drawn.append((sha256, made.pictures.put("Q1", sha256, "jpg", data), len(data)))
    at = now()
    for number in range(1, PEOPLE + 1):
        kept = ""
        for place in range(EACH):
            sha256, path, size = drawn[(number * 7 + place) % DRAWN]
            url = f"https://pictures.example/{number}/{place}.jpg"
            facts: dict[str, Any] = {"status": Status.ACCEPTED}
            if place >= 20:
                facts = {"status": Status.FAILED, "reason": "not_found", "detail": "HTTP 404"}
            elif place >= 12:
                facts = {
                    "status": Status.REJECTED,
                    "reason": "near_duplicate",
                    "detail": "3 of 64 bits differ",
                    "duplicate_of": kept,
                }
            if place < 20:
                facts |= {
                    "sha256": sha256,
                    "path": path,
                    "bytes": size,
                    "format": "jpeg",
                    "width_px": 200,
                    "height_px": 150,
                    "stored_at": at,
                }
            id_ = image_id(f"Q{number}", url)
            kept = kept or id_
            yield Image(
                id=id_,
                qid=f"Q{number}",
                name=f"Person Number {number}",
                url=url,
                source=("google", "tmdb", "commons")[place % 3],
                found_at=at,
                page_url=f"https://site.example/{number}/{place}",
                page_title=f"A picture of person {number}",
                author="somebody",
                **facts,
            )


def metrics(driver: Any) -> dict[str, float]:
    return {
        entry["name"]: entry["value"]
        for entry in command(driver, "Performance.getMetrics")["metrics"]
    }


def test_the_first_page_takes_less_than_a_second_of_cpu(browser: None, tmp_path: Path) -> None:
    """Loading, the hardest filter and the last page; writing needs little memory and time."""
    with world(tmp_path) as made, chromium() as driver:
        made.catalogue.record_stored(list(rows(made)))
        started = time.process_time()
        summary = made.write()
        writing_s = time.process_time() - started
        set_screen(driver, DESKTOP)
        command(driver, "Performance.enable", timeDomain="threadTicks")
        driver.get((made.page / "index.html").as_uri())
        WebDriverWait(driver, 20, 0.05).until(
            lambda _: len(driver.find_elements(By.CSS_SELECTOR, "#list > li")) == 48
        )
        WebDriverWait(driver, 20, 0.05).until(
            lambda _: driver.execute_script("return document.readyState") == "complete"
        )
        first = metrics(driver)

        driver.execute_script("location.hash = '#view=pictures&status=failed&source=tmdb&page=999'")
        WebDriverWait(driver, 20, 0.05).until(
            lambda _: driver.find_element(By.ID, "results").text.startswith(
                "4,000 pictures of 4,000"
            )
        )
        then = metrics(driver)

    assert (summary.people, sum(summary.images.values())) == (PEOPLE, PEOPLE * EACH)
    assert summary.thumbnails_made == DRAWN
    assert first["TaskDuration"] < 1
    assert first["ProcessTime"] < 1
    assert then["TaskDuration"] - first["TaskDuration"] < 1
    assert writing_s < 30
