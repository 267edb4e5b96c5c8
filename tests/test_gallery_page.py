"""The gallery in a real browser: what it shows, how it is used, what cannot get through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import axe_core
from gallery_world import HOSTILE, World, fill, world
from real_browser import DESKTOP, PHONE, chromium, command, set_screen

pytestmark = pytest.mark.browser

SHARED = "same_picture_other_person"
VIEWS = ["", "#view=pictures", "#view=pictures&status=rejected", "#view=pictures&person=Q1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("gallery")) as made:
        fill(made)
        for place in range(100, 160):
            made.add(4, place, name="Many")
        made.write()
        yield made


@pytest.fixture(scope="module")
def driver(browser: None) -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        yield driver


class Page:
    """The gallery, open."""

    def __init__(self, driver: webdriver.Chrome, made: World) -> None:
        self.driver, self.made = driver, made

    def open(self, address: str = "") -> None:
        self.driver.get("about:blank")
        self.driver.get((self.made.page / "index.html").as_uri() + address)
        self.wait()

    def wait(self, cards: int | None = None) -> None:
        """Wait for the cards of the page, or for so many of them."""
        WebDriverWait(self.driver, 10, 0.05).until(
            lambda _: len(self.cards()) == cards if cards is not None else self.cards()
        )

    def cards(self) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, "#list > li")

    def heading(self) -> str:
        return self.driver.find_element(By.ID, "results").text

    def script(self, text: str) -> Any:
        return self.driver.execute_script(text)


@pytest.fixture
def page(driver: webdriver.Chrome, made: World) -> Page:
    set_screen(driver, DESKTOP)
    return Page(driver, made)


def requests(driver: webdriver.Chrome) -> set[str]:
    """Return every address that the browser asked for since the last look."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }


def test_nothing_hostile_gets_through_and_nothing_is_asked_elsewhere(page: Page) -> None:
    """Names, titles and addresses are text; every request stays in the folder; no complaints."""
    page.driver.get_log("browser")
    requests(page.driver)
    for view in VIEWS:
        page.open(view)
        page.script(
            "for (const details of document.querySelectorAll('details')) details.open = true"
        )

        assert page.script("return window.hacked") is None
        assert not page.driver.find_elements(
            By.CSS_SELECTOR, "[onerror], [onclick], [style], script:not([src])"
        )

    asked = {url for url in requests(page.driver) if url != "about:blank"}
    assert asked
    assert all(url.startswith(page.made.page.as_uri()) for url in asked), asked
    assert page.driver.get_log("browser") == []


def test_a_hostile_name_is_shown_as_it_is(page: Page) -> None:
    """Letter by letter, without what would turn the line around."""
    page.open("#person=Q2")

    assert (
        page.driver.find_element(By.CSS_SELECTOR, ".name").text
        == HOSTILE.replace("\u202e", "").replace("\u2028", " ").strip()
    )


def test_scripts_inside_the_page_do_not_run(page: Page) -> None:
    """The policy would stop markup that got through all the same."""
    page.open()

    page.script(
        "const script = document.createElement('script'); script.textContent = 'window.hacked = 9';"
        " document.body.append(script)"
    )

    assert page.script("return window.hacked") is None
    page.driver.get_log("browser")  # the browser's complaint is what was wanted


def test_links_lead_to_the_web_or_to_accepted_files(page: Page) -> None:
    """What leads away sends no referrer and gives no handle on this page; what is here exists."""
    page.open("#view=pictures")
    links = page.script(
        "return [...document.querySelectorAll('main a[href]')].map((a) => [a.href, a.rel,"
        " a.protocol])"
    )

    away = [(href, rel) for href, rel, protocol in links if protocol in ("http:", "https:")]
    files = [href for href, _, protocol in links if protocol == "file:" and "#" not in href]
    assert {protocol for _, _, protocol in links} == {"http:", "https:", "file:"} or {
        protocol for _, _, protocol in links
    } == {"https:", "file:"}
    assert away
    assert {rel for _, rel in away} == {"noopener noreferrer"}
    assert files
    for href in files:
        assert (page.made.data_dir / "images" / Path(href).parent.name / Path(href).name).is_file()
        assert href.startswith((page.made.data_dir / "images").as_uri())


def test_filters_leave_what_they_say(page: Page) -> None:
    """Person, status, reason and source, alone and together; choices count what they leave."""
    page.open("#view=pictures")
    Select(page.driver.find_element(By.ID, "status")).select_by_value("rejected")
    page.wait(5)
    assert page.heading() == "5 pictures of 3 people"
    reasons = {option.text for option in Select(page.driver.find_element(By.ID, "reason")).options}
    assert reasons == {
        "any",
        *(
            f"{reason} (1)"
            for reason in ("near_duplicate", "other_person", "too_small", "embedded_script", SHARED)
        ),
    }

    states = {option.text for option in Select(page.driver.find_element(By.ID, "status")).options}
    assert states == {"any", "accepted (70)", "rejected (5)", "failed (1)", "verified (1)"}

    Select(page.driver.find_element(By.ID, "source")).select_by_value("tmdb")
    page.wait(1)
    assert page.driver.find_element(By.CSS_SELECTOR, ".reason").text == "too_small"

    page.driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    page.wait(48)
    page.driver.find_element(By.ID, "person").send_keys("brightw")
    page.wait(12)
    assert page.heading() == "12 pictures of Ada Brightwater"
    page.driver.back()
    page.wait(1)


def test_a_rejected_copy_stands_beside_the_picture_that_was_kept(page: Page) -> None:
    """Both are seen, with what was measured."""
    page.open("#view=pictures&reason=near_duplicate")
    WebDriverWait(page.driver, 10).until(
        lambda _: page.script(
            "return [...document.querySelectorAll('.pair img')].every((i) => i.naturalWidth > 0)"
        )
    )

    [card] = page.cards()
    assert len(card.find_elements(By.CSS_SELECTOR, ".pair img")) == 2
    assert "kept instead" in card.text
    assert "3 of 64 bits differ" in card.text
    page.open(f"#view=pictures&reason={SHARED}")
    assert "the same of Ada Brightwater" in page.cards()[0].text
    page.open("#view=pictures&reason=other_person")
    assert "compared with" in page.cards()[0].text


def test_it_can_be_used_with_the_keyboard_alone(page: Page) -> None:
    """Skip the filters, open a person, turn the page, go back: focus is seen and never lost."""
    page.open()
    body = page.driver.switch_to
    body.active_element.send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("id") == "skip"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.driver.switch_to.active_element.get_attribute("id") == "results"
    page.driver.switch_to.active_element.send_keys(Keys.TAB)
    first = page.driver.switch_to.active_element
    assert first.get_attribute("class") == "whole"
    assert page.script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"

    first.send_keys(Keys.ENTER)
    page.wait(12)
    page.open("#view=pictures")
    page.driver.find_element(By.ID, "next").send_keys(Keys.ENTER)
    WebDriverWait(page.driver, 10).until(
        lambda _: page.driver.find_element(By.ID, "place").text == "2 of 2"
    )

    assert page.driver.switch_to.active_element.get_attribute("id") == "results"
    assert len(page.cards()) == len(page.made.rows()) - 48


@pytest.mark.parametrize("view", VIEWS)
def test_it_fits_a_phone(page: Page, view: str) -> None:
    """390 px are enough: nothing has to be moved sideways."""
    set_screen(page.driver, PHONE)
    page.open(view)

    assert page.script("return document.scrollingElement.scrollWidth") <= PHONE[0]
    assert (
        page.script(
            "return Math.min(...[...document.querySelectorAll('input, select, button')].map((e) =>"
            " e.offsetHeight || 99))"
        )
        >= 44
    )


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["light-desktop", "dark-phone"]
)
def test_axe_finds_nothing_serious(page: Page, scheme: str, size: tuple[int, int]) -> None:
    """Contrast, names, structure: in both colour schemes and sizes."""
    set_screen(page.driver, size, scheme=scheme)
    for view in VIEWS:
        page.open(view)
        page.script(
            "for (const details of document.querySelectorAll('details')) details.open = true"
        )

        assert axe_core.violations(page.driver) == [], view


def test_the_two_colour_schemes_differ(page: Page) -> None:
    """The page follows the system."""
    page.open()
    light = page.script("return getComputedStyle(document.body).backgroundColor")
    set_screen(page.driver, DESKTOP, scheme="dark")

    assert page.script("return getComputedStyle(document.body).backgroundColor") != light


def test_missing_data_is_told(page: Page, tmp_path: Path) -> None:
    """A page that was copied without its data says so instead of staying empty."""
    [data] = page.made.page.glob("data-*")
    moved = data / "rows-0.js"
    moved.rename(tmp_path / "rows-0.js")
    try:
        page.driver.get("about:blank")
        page.driver.get((page.made.page / "index.html").as_uri() + "#view=pictures")
        WebDriverWait(page.driver, 10).until(
            lambda driver: "missing" in driver.find_element(By.ID, "trouble").text
        )
    finally:
        (tmp_path / "rows-0.js").rename(moved)
    page.driver.get_log("browser")


def test_rows_of_later_files_are_found(page: Page) -> None:
    """Data files are loaded when they are needed, not before."""
    command(page.driver, "Network.enable")
    requests(page.driver)
    page.open("#person=Q4")
    assert not any(
        "rows-" in url for url in requests(page.driver) if url.rpartition("/")[2] != "rows.js"
    )

    page.driver.find_element(By.CSS_SELECTOR, ".whole").click()
    page.wait(48)

    assert page.heading() == "60 pictures of Many"
